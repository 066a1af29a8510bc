"""Runs that wait for a person, from the page: allow, leave out, take back, deny, plan anew."""

from pathlib import Path

import pytest

from tests.console.room import PIN, SECONDS, Person, Room, Sheet
from tests.console.room import room as opened

pytestmark = pytest.mark.requirement("page-decides")


async def looking(room: Room, name: str) -> tuple[Person, Sheet, str]:
    """Somebody who looks at what a run asks for."""
    run = await room.parked(name)
    person = room.person()
    return person, await person.sign_in(then=f"/a/{run.approval}"), run.id


async def test_what_a_run_would_change_is_shown_whole_and_done_once(working: Room) -> None:
    person, sheet, run_id = await looking(working, "three")
    for word in ("first", "second", "third", "3 operations of 3"):
        assert word in sheet.text
    after = await person.press(sheet, "approve", pin=PIN)
    assert after.status == 200
    run = await working.settled(run_id)
    assert run.status == "completed"
    assert sorted(working.done) == ["first", "second", "third"]
    done = await person.open(after.path)
    assert "Done." in done.text
    assert "completed" in done.text
    assert not [given for tag, given in done.tags if given.get("http-equiv") == "refresh"]


async def test_a_yes_that_nobody_carries_out_names_the_command_and_can_be_taken_back(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, work=True) as room:
        run = await room.parked("one")
    async with opened(tmp_path, enrolled=False) as room:
        person = room.person()
        sheet = await person.sign_in(then=f"/a/{run.approval}")
        waits = await person.press(sheet, "approve", pin=PIN)
        assert "No worker is running" in waits.text
        assert "handrail worker" in waits.text
        (refresh,) = [g for t, g in waits.tags if g.get("http-equiv") == "refresh"]
        assert refresh["content"] == f"2; url={sheet.path}?look=1"
        long = await person.open(f"{sheet.path}?look=60")
        assert not [g for t, g in long.tags if g.get("http-equiv") == "refresh"]
        assert waits.buttons == ["revoke"]
        revoked = await person.press(waits, "revoke")
        assert "The approval was taken back" in revoked.text
        assert revoked.buttons == ["replan"]
    async with opened(tmp_path, work=True, enrolled=False) as room:
        assert (await room.engine.wait(run.id, SECONDS)).status == "paused:approval"
        assert room.done == []


async def test_what_is_left_out_is_shown_as_a_plan_of_its_own_first(working: Room) -> None:
    person, sheet, run_id = await looking(working, "three")
    kept = [each for each in sheet.fields if each != ("keep", "1")]
    fields = [*kept[1:], ("decision", "approve"), ("pin", PIN)]
    fields = [each for each in fields if each != ("pin", "")]
    smaller = await person.send(sheet.path, fields)
    assert smaller.path != sheet.path
    assert "2 operations of 2" in smaller.text
    assert "second" not in smaller.text
    assert working.done == []
    assert "Another plan took its place" in (await person.open(sheet.path)).text

    await person.press(smaller, "approve", pin=PIN)
    run = await working.settled(run_id)
    assert sorted(working.done) == ["first", "third"]
    assert run.status == "paused:approval"
    assert "second" in (await person.open(f"/a/{run.approval}")).text
    between = await person.open(smaller.path)
    assert "the run asks for more" in between.text
    assert f"/a/{run.approval}" in [given.get("href") for _, given in between.tags]
    assert not [given for _, given in between.tags if given.get("http-equiv") == "refresh"]


async def test_ticking_nothing_decides_nothing(working: Room) -> None:
    person, sheet, _ = await looking(working, "three")
    fields = [each for each in sheet.fields[1:] if each[0] not in {"keep", "pin"}]
    refused = await person.send(sheet.path, [*fields, ("decision", "approve"), ("pin", PIN)])
    assert refused.status == 409
    assert "No operation is ticked" in refused.text
    assert refused.buttons == ["approve", "deny"]


async def test_a_no_ends_the_run_and_sends_nothing(working: Room) -> None:
    person, sheet, run_id = await looking(working, "one")
    denied = await person.press(sheet, "deny", comment="wrong person")
    assert "Denied." in denied.text
    assert (await working.engine.run(run_id)).status == "failed:denied"
    assert working.done == []


async def test_a_run_whose_plan_ran_out_is_planned_anew_at_the_page(working: Room) -> None:
    person, sheet, run_id = await looking(working, "one")
    approval = sheet.path.rpartition("/")[2]
    working.clock.time = (await working.engine.approvals.get(approval)).expires_at
    late = await person.sign_in(then=sheet.path)
    assert "The run still waits" in late.text
    home = await person.open("/")
    assert "1 thing needs you" in home.text
    assert "To plan anew" in home.text
    fresh = await person.press(late, "replan")
    assert fresh.buttons == ["approve", "deny"]
    await person.press(fresh, "approve", pin=PIN)
    assert (await working.settled(run_id)).status == "completed"
    assert working.done == ["x"]
