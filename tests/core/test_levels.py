"""Looking only where something can have become ready finds what looking everywhere finds."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.levels import Levels
from engine.core.model import Workflow
from tests.core.worlds import compile_all, flow, look

Shape = list[tuple[int, ...]]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """For each step the earlier steps that it depends on."""
    count = draw(st.integers(1, 9))
    return [
        tuple(sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else ()))
        for number in range(count)
    ]


def workflow(shape: Shape) -> Workflow:
    steps = [
        {"id": f"s{number}", "taskRef": "t", "dependsOn": [f"s{need}" for need in needs]}
        for number, needs in enumerate(shape)
    ]
    return compile_all(look("t"), flow("w", steps))["w"]


def looked_for_everywhere(shape: Shape, settled: dict[str, dict[str, str]]) -> set[str]:
    done = {name for name, state in settled.items() if state["status"] != "failed"}
    return {
        f"s{number}"
        for number, needs in enumerate(shape)
        if f"s{number}" not in done and all(f"s{need}" in done for need in needs)
    }


@given(shapes(), st.data())
def test_what_may_go_on_is_found_however_steps_settle(shape: Shape, data: st.DataObject) -> None:
    levels = Levels(workflow(shape))
    settled: dict[str, dict[str, str]] = {}
    while True:
        ready = [step.id for step in levels.ready(settled)]
        assert set(ready) == looked_for_everywhere(shape, settled)
        assert levels.over() == (not ready)
        if not ready:
            return
        for name in data.draw(st.lists(st.sampled_from(ready), min_size=1)):
            first = data.draw(st.booleans()) and name not in settled
            settled[name] = {"status": "failed" if first else "done"}


@given(shapes())
def test_what_settles_while_it_is_looked_at_makes_the_rest_ready_at_once(shape: Shape) -> None:
    levels = Levels(workflow(shape))
    settled: dict[str, dict[str, str]] = {}
    for step in levels.ready(settled):
        settled[step.id] = {"status": "done"}
    assert len(settled) == len(shape)
    assert levels.over()
