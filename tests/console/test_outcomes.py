"""A change whose outcome nobody knows, at the page: what is shown, and what a person can say."""

import pytest

from engine import Move
from engine.core.views import RunView
from tests.console.room import PIN, Person, Room, Sheet

pytestmark = pytest.mark.requirement("page-outcomes")


async def undecided(room: Room) -> tuple[Person, Sheet, RunView]:
    """Somebody who looks at a change whose outcome nobody knows."""
    started = await room.parked("one", {"what": "broken"})
    person = room.person()
    sheet = await person.sign_in(then=f"/a/{started.approval}")
    await person.press(sheet, "approve", pin=PIN)
    run = await room.settled(started.id)
    assert run.status == "paused:reconciliation"
    return person, await person.open(f"/r/{run.id}/change"), run


async def test_a_change_that_nobody_knows_the_fate_of_is_shown_with_what_was_sent(
    working: Room,
) -> None:
    person, sheet, run = await undecided(working)
    assert "Did “change” happen?" in sheet.text
    assert '"broken"' in sheet.text
    assert "look there yourself" in sheet.text
    home = await person.open("/")
    assert "1 thing needs you" in home.text
    assert "Under way" in home.text
    links = [given.get("href") for tag, given in home.tags if tag == "a"]
    assert f"/r/{run.id}/change" in links
    assert (await person.open(f"/r/{run.id}/nothing")).status == 404
    assert (await person.open("/r/nothing/change")).status == 404


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([], "Nothing was chosen"),
        ([("verdict", "maybe")], "Nothing was chosen"),
        ([("verdict", "happened"), ("result", "{not json")], "The result is not JSON"),
        ([("verdict", "happened"), ("result", "NaN")], "The result is not JSON"),
        ([("verdict", "happened"), ("result", "[" * 20_000)], "The result is not JSON"),
    ],
)
async def test_what_makes_no_sense_says_so_and_changes_nothing(
    working: Room, said: list[tuple[str, str]], code: str
) -> None:
    person, sheet, run = await undecided(working)
    refused = await person.send(sheet.path, [("token", sheet.value("token")), *said])
    assert refused.status == 409
    assert code in refused.text
    assert (await person.send(sheet.path, said)).status == 403
    assert (await working.engine.run(run.id)).status == "paused:reconciliation"


async def said(sheet: Sheet, person: Person, verdict: str, result: str = "") -> Sheet:
    """A person chooses one of the three, and is led to what they said."""
    fields = [("token", sheet.value("token")), ("verdict", verdict), ("result", result)]
    return await person.send(sheet.path, fields)


async def test_what_happened_is_read_once_more_and_the_run_goes_on_with_it(working: Room) -> None:
    person, sheet, run = await undecided(working)
    plan = await said(sheet, person, "happened", '{"wrote": "by hand"}')
    assert plan.path.startswith("/a/")
    assert plan.buttons == ["approve", "deny"]
    assert "by hand" in plan.text
    assert (await working.engine.run(run.id)).status == "paused:reconciliation"

    assert "Done." in (await person.press(plan, "approve", pin=PIN)).text
    ended = await working.until(run.id, known)
    assert (ended.status, ended.steps[0].output) == ("completed", {"wrote": "by hand"})
    assert working.done == ["broken"]
    late = await person.open(sheet.path)
    assert "There is nothing to say here" in late.text
    assert late.buttons == []


async def test_what_did_not_happen_is_sent_again_after_a_person_said_so(working: Room) -> None:
    person, sheet, run = await undecided(working)
    plan = await said(sheet, person, "did_not_happen")
    assert working.done == ["broken"]
    assert "Done." in (await person.press(plan, "approve", pin=PIN)).text
    await working.until(run.id, sent_again)
    assert "2 times in all" in (await person.open(sheet.path)).text


async def known(run: RunView) -> bool:
    """Whether the run has no unknown outcome any more, and is over."""
    return run.whose_move == Move.NONE


async def sent_again(run: RunView) -> bool:
    """Whether the step was sent twice, and nobody knows what became of the second either."""
    (step,) = run.steps
    return (
        step.outcome is not None and len(step.outcome.sends) == 2 and step.status == "indeterminate"
    )


async def test_a_word_that_is_denied_says_nothing(working: Room) -> None:
    person, sheet, run = await undecided(working)
    plan = await said(sheet, person, "skip")
    assert "Denied." in (await person.press(plan, "deny")).text
    assert (await working.engine.run(run.id)).status == "paused:reconciliation"
    assert "Did “change” happen?" in (await person.open(sheet.path)).text
