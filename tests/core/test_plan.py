"""Planning: given a workflow and what happened so far, what is done next and how it ends."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import events as ev
from engine.core.errors import Failure, Kind, Refused, StepError
from engine.core.model import Effect
from engine.core.run import Begin, Cancel, Succeed, decide, evolve, split
from tests.core.worlds import World, compile_all, fails, flow, look, task

FLAKY = Failure(Kind.TRANSIENT, "http_503", "unavailable")
GONE = Failure(Kind.PERMANENT, "http_404", "not there")


def echo(path: str, value: Any) -> Any:
    return {"path": path, "got": value}


@pytest.mark.requirement("dependencies")
def test_steps_run_in_the_order_that_their_data_asks_for() -> None:
    steps = [
        {"id": "b", "taskRef": "t", "input": {"x": "{{tasks.a.output.path}}"}},
        {"id": "a", "taskRef": "t", "input": {"x": "{{input.n}}"}},
    ]
    world = World(
        compile_all(look("t"), flow("w", steps, output={"last": "{{tasks.b.output.got.x}}"})),
        "w",
        {"n": 1},
    ).go(echo)
    assert world.calls == ["a", "b"]
    assert world.run.status == "completed"
    assert world.run.output == {"last": "a"}


@pytest.mark.requirement("parallel")
def test_independent_steps_are_called_together() -> None:
    steps = [{"id": name, "taskRef": "t"} for name in "abc"]
    workflows = compile_all(look("t"), flow("w", steps))
    decision = World(workflows, "w", {}).planner.advance(0)
    assert [call.path for call in decision.calls] == ["a", "b", "c"]


@pytest.mark.requirement("conditions")
def test_a_false_condition_skips_the_step_and_not_those_after_it() -> None:
    steps = [
        {"id": "a", "taskRef": "t", "condition": {"if": "{{input.go}} == true"}},
        {"id": "b", "taskRef": "t", "input": {"a": "{{tasks.a.output}}"}},
    ]
    world = World(compile_all(look("t"), flow("w", steps)), "w", {"go": False}).go(echo)
    assert world.calls == ["b"]
    assert world.run.steps["a"].status == "skipped"
    assert world.run.steps["b"].output["got"] == {"a": None}


@pytest.mark.requirement("switch")
@pytest.mark.parametrize(("tier", "called"), [("gold", "g"), ("none", "d")])
def test_a_switch_takes_the_case_whose_text_is_equal(tier: str, called: str) -> None:
    switch = {
        "value": "{{input.tier}}",
        "cases": [{"match": "gold", "taskRef": "g"}, {"match": "silver", "taskRef": "s"}],
        "default": {"taskRef": "d"},
    }
    workflows = compile_all(
        look("g"), look("s"), look("d"), flow("w", [{"id": "r", "switch": switch}])
    )
    world = World(workflows, "w", {"tier": tier}).go(echo)
    (done,) = [event for event in world.events if isinstance(event, ev.StepSucceeded)]
    assert done.target == f"default/{called}"


def test_a_switch_without_a_fitting_case_is_skipped() -> None:
    switch = {"value": "x", "cases": [{"match": "y", "taskRef": "t"}]}
    workflows = compile_all(look("t"), flow("w", [{"id": "r", "switch": switch}]))
    assert World(workflows, "w", {}).go(echo).run.steps["r"].status == "skipped"


def test_a_flaky_step_is_tried_again_when_its_time_comes() -> None:
    retry = {"policy": "fixed", "maxAttempts": 3, "initialDelay": "1s", "jitter": 0}
    workflows = compile_all(look("t", retry=retry), flow("w", [{"id": "a", "taskRef": "t"}]))
    world = World(workflows, "w", {}).go(_fails_times(2))
    assert world.run.status == "completed"
    assert world.run.steps["a"].attempt == 3
    pauses = [event for event in world.events if isinstance(event, ev.RunPaused)]
    assert [pause.status for pause in pauses] == ["paused:retry"] * 2


@pytest.mark.requirement("partial-failure")
def test_retries_end_and_the_run_is_exhausted_with_what_was_done_so_far() -> None:
    steps: list[Any] = [
        {"id": "a", "taskRef": "t"},
        {"id": "b", "taskRef": "u", "dependsOn": ["a"]},
    ]
    workflows = compile_all(look("t"), look("u"), flow("w", steps))

    def answer(path: str, value: Any) -> Any:
        return echo(path, value) if path == "a" else fails(FLAKY)(path, value)

    world = World(workflows, "w", {}).go(answer)
    assert (world.run.status, world.run.failed_step) == ("failed:exhausted", "b")
    assert world.run.tasks[""]["a"]["output"]["path"] == "a"
    assert world.calls.count("b") == 4


@pytest.mark.requirement("status-and-phase")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.AUTH, "paused:auth"),
        (Kind.LOGIC, "failed:logic"),
        (Kind.INTERNAL, "failed:internal"),
        (Kind.PERMANENT, "failed:exhausted"),
    ],
)
def test_a_kind_of_failure_leads_to_a_status(kind: Kind, status: str) -> None:
    workflows = compile_all(look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    world = World(workflows, "w", {}).go(fails(Failure(kind, "x", "y")))
    assert world.run.status == status


@pytest.mark.requirement("partial-failure")
def test_nothing_new_is_begun_once_a_step_has_failed_for_good() -> None:
    steps = [{"id": "a", "taskRef": "t"}, {"id": "b", "taskRef": "t"}]
    workflows = compile_all(look("t"), flow("w", steps))
    world = World(workflows, "w", {})
    world.planner.advance(0)
    for event in decide(world.run, _failed("a", GONE)):
        world.events.append(event)
        from engine.core.run import evolve

        evolve(world.run, event)
    waiting = world.planner.advance(1, {"b"})
    assert (waiting.calls, waiting.idle) == ([], False)
    assert world.planner.advance(2).idle
    assert world.run.status == "failed:exhausted"


@pytest.mark.requirement("fallback")
def test_a_fallback_stands_in_for_a_failed_step() -> None:
    steps: list[Any] = [
        {"id": "a", "taskRef": "t", "fallback": {"taskRef": "u", "input": {"why": "down"}}},
        {"id": "b", "taskRef": "u", "input": {"x": "{{tasks.a.output.got.why}}"}},
    ]
    workflows = compile_all(look("t"), look("u"), flow("w", steps))

    def answer(path: str, value: Any) -> Any:
        return fails(GONE)(path, value) if path == "a" else echo(path, value)

    world = World(workflows, "w", {}).go(answer)
    assert world.calls == ["a", "a~fallback", "b"]
    assert world.run.steps["b"].output["got"] == {"x": "down"}
    assert world.refolded() == world.run


@pytest.mark.requirement("for-each")
def test_a_loop_calls_once_for_each_item_and_keeps_their_order() -> None:
    each = {"items": "{{input.ids}}", "itemVar": "id", "parallel": True, "maxConcurrency": 2}
    steps = [{"id": "l", "taskRef": "t", "forEach": each, "input": {"id": "{{forEach.id}}"}}]
    workflows = compile_all(look("t"), flow("w", steps, output={"l": "{{tasks.l.output}}"}))
    world = World(workflows, "w", {"ids": [7, 8, 9]})
    first = world.planner.advance(0)
    assert [call.path for call in first.calls] == ["l[0]", "l[1]"]
    world = World(workflows, "w", {"ids": [7, 8, 9]}).go(echo)
    loop = world.run.output["l"]
    assert [result["got"]["id"] for result in loop["results"]] == [7, 8, 9]
    assert (loop["itemCount"], loop["successCount"], loop["failureCount"]) == (3, 3, 0)


def test_a_loop_over_nothing_is_done_at_once() -> None:
    steps = [{"id": "l", "taskRef": "t", "forEach": {"items": "{{input.ids}}"}}]
    world = World(compile_all(look("t"), flow("w", steps)), "w", {"ids": []}).go(echo)
    assert world.run.steps["l"].output["results"] == []


def test_a_failed_item_fails_the_loop_and_names_itself() -> None:
    steps = [{"id": "l", "taskRef": "t", "forEach": {"items": "{{input.ids}}"}}]
    workflows = compile_all(look("t"), flow("w", steps))

    def answer(path: str, value: Any) -> Any:
        return fails(GONE)(path, value) if path == "l[1]" else echo(path, value)

    world = World(workflows, "w", {"ids": [1, 2, 3]}).go(answer)
    assert world.run.failed_step == "l"
    assert world.run.failure is not None
    assert world.run.failure.message.startswith("l[1]: ")
    assert "l[2]" not in world.calls


@pytest.mark.parametrize(
    ("items", "code"), [("no list", "not_a_list"), (list(range(10_001)), "too_many_items")]
)
def test_a_loop_refuses_what_it_cannot_count(items: Any, code: str) -> None:
    steps = [{"id": "l", "taskRef": "t", "forEach": {"items": "{{input.ids}}"}}]
    world = World(compile_all(look("t"), flow("w", steps)), "w", {"ids": items}).go(echo)
    assert world.run.status == "failed:logic"
    assert world.run.failure is not None
    assert world.run.failure.code == code


@pytest.mark.requirement("sub-workflows")
def test_a_sub_workflow_is_steps_under_its_path() -> None:
    inner = flow(
        "inner",
        [{"id": "x", "taskRef": "t", "input": {"n": "{{input.n}}"}}],
        input={"n": {"type": "integer", "required": True, "description": "A number."}},
        output={"n": "{{tasks.x.output.got.n}}"},
    )
    outer = flow("outer", [{"id": "s", "workflowRef": "inner", "input": {"n": "{{input.n}}"}}])
    world = World(compile_all(look("t"), inner, outer), "outer", {"n": 5}).go(echo)
    assert world.calls == ["s/x"]
    assert world.run.output == {"s": {"n": 5}}
    assert world.refolded() == world.run


def test_a_sub_workflow_with_a_wrong_input_fails_its_step() -> None:
    inner = flow(
        "inner",
        [{"id": "x", "taskRef": "t"}],
        input={"n": {"type": "integer", "required": True, "description": "A number."}},
    )
    outer = flow("outer", [{"id": "s", "workflowRef": "inner", "input": {"n": "{{input.n}}"}}])
    world = World(compile_all(look("t"), inner, outer), "outer", {"n": "five"}).go(echo)
    assert world.run.failure is not None
    assert (world.run.failed_step, world.run.failure.code) == ("s", "invalid_input")


def test_a_sleep_pauses_the_run_until_its_time() -> None:
    steps: list[Any] = [
        {"id": "z", "taskRef": "nap"},
        {"id": "a", "taskRef": "t", "dependsOn": ["z"]},
    ]
    nap = task("nap", type="sleep", sleep={"duration": "2s"})
    world = World(compile_all(look("t"), nap, flow("w", steps)), "w", {})
    paused = world.planner.advance(0)
    assert (paused.idle, paused.wake_at, world.run.status) == (True, 2_000_000, "paused:timer")
    world.events += paused.events
    assert world.go(echo).run.status == "completed"


def test_a_deadline_ends_the_run_whatever_it_waits_for() -> None:
    nap = task("nap", type="sleep", sleep={"duration": "2h"})
    workflows = compile_all(nap, flow("w", [{"id": "z", "taskRef": "nap"}]))
    world = World(workflows, "w", {}, deadline=5_000).go(echo)
    assert world.run.status == "failed:exhausted"
    assert world.run.failure is not None
    assert world.run.failure.code == "deadline"


def test_a_mutation_is_never_begun_without_a_grant() -> None:
    send = task("send", type="python", python={"function": "send"})
    workflows = compile_all(send, flow("w", [{"id": "s", "taskRef": "send"}]))
    world = World(workflows, "w", {})
    with pytest.raises(Refused) as refused:
        decide(world.run, Begin("s", Effect.MUTATION, "s", "d", "d"))
    assert refused.value.code == "needs_approval"
    evolve(world.run, ev.MutationsGranted("apr_1", {"s": "d"}))
    (begun,) = decide(world.run, Begin("s", Effect.MUTATION, "s", "d", "d", "k", 5))
    assert begun == ev.StepInFlight("s", 1, "apr_1", "d", "k", 1, 5)


def test_a_read_needs_no_grant_and_leaves_no_trace() -> None:
    workflows = compile_all(look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    assert decide(World(workflows, "w", {}).run, Begin("a", Effect.READ)) == ()


def test_an_ended_run_takes_no_more_reports() -> None:
    workflows = compile_all(look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    run = World(workflows, "w", {}).go(echo).run
    for report in (Cancel("late"), Succeed("a", 1, "t", 0)):
        with pytest.raises(Refused, match="completed"):
            decide(run, report)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ("", "a", None)),
        ("a[3]", ("", "a", 3)),
        ("s/a", ("s/", "a", None)),
        ("s[2]/a[0]", ("s[2]/", "a", 0)),
        ("a[1]~fallback", ("", "a[1]~fallback", None)),
    ],
)
def test_a_path_names_scope_step_and_item(path: str, parts: tuple[str, str, int | None]) -> None:
    assert split(path) == parts


def _fails_times(times: int) -> Any:
    left = [times]

    def answer(path: str, value: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise StepError(FLAKY)
        return echo(path, value)

    return answer


def _failed(path: str, failure: Failure) -> Any:
    from engine.core.retry import NEVER
    from engine.core.run import Fail

    return Fail(path, failure, NEVER, "default/t", 0, 0, 0.5)


# -- properties ------------------------------------------------------------------------


@st.composite
def flows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Workflows of up to six steps with random edges, conditions, loops and fallbacks."""
    steps = []
    for number in range(draw(st.integers(1, 6))):
        step: dict[str, Any] = {"id": f"s{number}", "taskRef": "t"}
        if number and draw(st.booleans()):
            step["dependsOn"] = [f"s{draw(st.integers(0, number - 1))}"]
        match draw(st.sampled_from(["", "if", "each", "fallback", "sub"])):
            case "if":
                step["condition"] = {"if": draw(st.sampled_from(["true", "false"]))}
            case "each":
                step["forEach"] = {"items": "{{input.items}}", "parallel": True}
            case "fallback":
                step["fallback"] = {"taskRef": "u"}
            case "sub":
                step = {**step, "workflowRef": "inner"}
                del step["taskRef"]
        steps.append(step)
    return steps


@settings(max_examples=60)
@given(flows(), st.lists(st.sampled_from(["ok", "flaky", "gone"]), max_size=30))
def test_whatever_happens_the_run_ends_and_its_history_tells_the_same(
    steps: list[dict[str, Any]], luck: list[str]
) -> None:
    inner = flow("inner", [{"id": "x", "taskRef": "t"}, {"id": "y", "taskRef": "u"}])
    workflows = compile_all(look("t"), look("u"), inner, flow("w", steps))
    dice = iter(luck)

    def answer(path: str, value: Any) -> Any:
        match next(dice, "ok"):
            case "flaky":
                raise StepError(FLAKY)
            case "gone":
                raise StepError(GONE)
            case _:
                return path

    world = World(workflows, "w", {"items": [1, 2, 3]}).go(answer)
    assert world.run.over
    assert world.refolded() == world.run
    done = [e.path for e in world.events if isinstance(e, ev.StepSucceeded)]
    assert len(done) == len(set(done)), "a step was completed twice"


def test_an_output_that_doubles_with_every_step_is_stopped() -> None:
    documents = [flow("w0", [{"id": "a", "taskRef": "t"}], output={"x": "{{tasks.a.output}}"})]
    for level in range(1, 15):
        again = {"id": "a", "workflowRef": f"w{level - 1}"}
        output = {"x": "{{tasks.a.output}}", "y": "{{tasks.a.output}}"}
        documents.append(flow(f"w{level}", [again], output=output))
    world = World(compile_all(look("t"), *documents), "w14", {})
    world.go(lambda path, given: "x" * 1_000)
    assert world.run.failure is not None
    assert world.run.failure.code == "output_too_large"
