"""Standing grants at the page: what a rule matches is read first, it takes the PIN, and it ends."""

import pytest

from tests.console.room import PIN, Person, Room, Sheet

pytestmark = pytest.mark.requirement("page-always-allow")


async def offered(room: Room) -> tuple[Person, Sheet, str]:
    """Somebody who looks at a plan that can be taken back, and whose run waits."""
    run = await room.parked("undoable", {"what": "first"})
    person = room.person()
    return person, await person.sign_in(then=f"/a/{run.approval}"), run.id


async def test_what_can_be_undone_needs_no_second_pin(working: Room) -> None:
    person, sheet, run_id = await offered(working)
    assert "pin" not in dict(sheet.fields)
    await person.press(sheet, "approve")
    assert (await working.settled(run_id)).status == "completed"


async def test_a_rule_is_read_before_it_is_made_and_lets_only_its_like_pass(working: Room) -> None:
    person, sheet, run_id = await offered(working)
    assert f"{sheet.path}/always" in [given.get("href") for _, given in sheet.tags]
    rule = await person.open(f"{sheet.path}/always")
    for word in ("default/undoable", "default/set", "update", "at most 20 operations in an hour"):
        assert word in rule.text
    assert "Values are no part of the rule" in rule.text
    assert await working.engine.approvals.grants() == ()

    done = await person.press(rule, "", pin=PIN)
    assert done.path == sheet.path
    assert (await working.settled(run_id)).status == "completed"
    (grant,) = await working.engine.approvals.grants()
    assert grant.by == "Ann"

    again = await working.engine.start("undoable", {"what": "second"})
    assert (await working.settled(again.id)).status == "completed"
    other = await working.parked("one")
    assert other.status == "paused:approval"
    assert working.done == ["first", "second"]


async def test_a_rule_takes_the_pin_and_a_form_of_its_own(working: Room) -> None:
    person, sheet, _ = await offered(working)
    rule = await person.open(f"{sheet.path}/always")
    wrong = await person.press(rule, "", pin="wrong pin")
    assert wrong.status == 409
    assert "4 tries are left" in wrong.text
    fields = [("token", sheet.value("token")), ("digest", sheet.value("digest")), ("pin", PIN)]
    assert (await person.send(f"{sheet.path}/always", fields)).status == 403
    assert await working.engine.approvals.grants() == ()


async def test_what_cannot_be_undone_is_never_allowed_for_longer(working: Room) -> None:
    run = await working.parked("one")
    person = working.person()
    sheet = await person.sign_in(then=f"/a/{run.approval}")
    assert "Always allow" not in sheet.text
    refused = await person.open(f"{sheet.path}/always")
    assert refused.status == 409
    assert "has to be asked each time" in refused.text


async def test_a_grant_is_listed_and_taken_back(working: Room) -> None:
    person, sheet, run_id = await offered(working)
    assert "There are none" in (await person.open("/grants")).text
    await person.press(await person.open(f"{sheet.path}/always"), "", pin=PIN)
    await working.settled(run_id)
    listed = await person.open("/grants")
    assert "holds" in listed.text
    assert "default/undoable" in listed.text
    assert (await person.send("/grants", [("rule", listed.value("rule"))])).status == 403
    back = await person.send("/grants", [(n, listed.value(n)) for n in ("token", "rule")])
    assert "taken back" in back.text
    assert "Take back" not in back.text

    again = await working.engine.start("undoable", {"what": "second"})
    assert (await working.settled(again.id)).status == "paused:approval"
    assert working.done == ["first"]
