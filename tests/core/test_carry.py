"""What a retry by hand takes over: never again what was applied, and nothing while it is open."""

from typing import Any

import pytest

from engine.core import events as ev
from engine.core.carry import carried
from engine.core.errors import Failure, Kind, Refused
from engine.core.run import Run, fold
from tests.core.worlds import compile_all, flow, look, task

SEND = task("send", type="python", python={"function": "send"})
GONE = Failure(Kind.PERMANENT, "http_404", "not there", details={"applied": "no"})


def story(*more: Any) -> tuple[Run, list[Any]]:
    """A run of two mutations and a read, up to where `more` takes it."""
    events: list[Any] = [
        ev.RunStarted("u", "default", "w", "1.0.0", "d", "workflow", {}, True),
        ev.StepSucceeded("r", 1, 1, "default/t", 0),
        ev.MutationsGranted("apr_1", {"a": "A", "b": "B"}),
        ev.StepInFlight("a", 1, "apr_1", "A", "k", 1, 5),
        *more,
    ]
    return fold(events), events


DONE = ev.StepSucceeded("a", {"id": 7}, 1, "default/send", 5)
FAILED = (ev.StepInFlight("b", 1, "apr_1", "B", "k", 1, 6), ev.StepFailed("b", 1, "s", GONE, 6))


def workflow(*names: str) -> Any:
    steps = [{"id": name, "taskRef": "t" if name == "r" else "send"} for name in names]
    return compile_all(SEND, look("t"), flow("w", steps))["w"]


def test_with_the_same_version_every_result_is_taken_over() -> None:
    run, events = story(DONE, *FAILED)
    taken = carried(run, events, workflow("r", "a", "b"), same=True)
    after = fold((events[0], *taken))
    assert {path: step.status for path, step in after.steps.items()} == {"r": "done", "a": "done"}
    assert after.steps["a"].output == {"id": 7}
    assert after.grants == {}
    assert (after.sends["b"].first_at, after.sends["b"].epoch) == (6, 0)


def test_with_another_version_only_what_was_applied_is() -> None:
    run, events = story(DONE, *FAILED)
    after = fold((events[0], *carried(run, events, workflow("r", "a"), same=False)))
    assert {path: step.status for path, step in after.steps.items()} == {"a": "done"}


def test_a_version_without_the_step_that_was_applied_is_refused() -> None:
    run, events = story(DONE, *FAILED)
    with pytest.raises(Refused) as refused:
        carried(run, events, workflow("r", "b"), same=False)
    assert refused.value.code == "mutation_applied"


@pytest.mark.parametrize("more", [(), (ev.StepUnknown("a", 1, "crash", 6),)])
def test_nothing_is_taken_over_while_an_outcome_is_open(more: tuple[Any, ...]) -> None:
    run, events = story(*more)
    with pytest.raises(Refused) as refused:
        carried(run, events, workflow("r", "a", "b"), same=True)
    assert refused.value.code == "mutation_unresolved"


def test_a_retry_of_a_retry_knows_what_the_first_one_applied() -> None:
    run, events = story(DONE, *FAILED)
    second = [events[0], *carried(run, events, workflow("r", "a", "b"), same=True)]
    third = carried(fold(second), second, workflow("a"), same=False)
    assert fold((events[0], *third)).steps["a"].output == {"id": 7}


def test_the_word_of_a_person_goes_on_to_count() -> None:
    lost = ev.StepUnknown("a", 1, "crash", 6)
    word = ev.StepResolved("a", "did_not_happen", None, "ann", 1, 7)
    run, events = story(lost, word)
    after = fold((events[0], *carried(run, events, workflow("r", "a", "b"), same=True)))
    assert (after.sends["a"].epoch, "a" in after.steps) == (1, False)
