"""Whatever the engine shows fits the published schema and the full one, and can be put in words."""

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Move, Refused
from engine.core.errors import Failure, Kind
from engine.core.views import OutcomeView, StepView
from mcp_server import prose, wire
from mcp_server.calls import Tool
from mcp_server.foreign import INLINE
from mcp_server.shapes import RUN_STATUS
from mcp_server.tools import TOOLSETS
from mcp_server.tools.execute import ended, not_complete, planned
from tests.server import views
from tests.server.approvals import approvals

pytestmark = pytest.mark.requirement("results-match-schemas")

TOOLS: dict[str, Tool] = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
FULL = {name: jsonschema_rs.validator_for(tool.gives) for name, tool in TOOLS.items()}
COMPACT = {name: jsonschema_rs.validator_for(tool.compact) for name, tool in TOOLS.items()}


def fits(name: str, facts: dict[str, Any]) -> None:
    FULL[name].validate(facts)
    COMPACT[name].validate(facts)
    json.loads(json.dumps(facts, allow_nan=False))
    assert None not in (facts.get(key, "") for key in facts if key not in DATA)


DATA = {"input", "output", "partialOutput", "result"}


@given(views.runs(), st.booleans())
def test_a_run_fits(view: Any, full: bool) -> None:
    facts = wire.run(view, full=full)
    fits("get_run", facts)
    assert view.id in prose.run(facts)


@given(views.runs())
def test_the_end_of_a_wait_fits(view: Any) -> None:
    answer = ended(view)
    fits("execute_workflow", answer.facts)
    assert answer.wrong == (
        view.status.startswith(("failed", "cancelled", "stale"))
        or view.status.split(":")[-1] in {"auth", "permission", "precondition", "budget"}
    )


@given(views.runs())
def test_a_run_in_brief_fits(view: Any) -> None:
    fits("cancel_run", wire.run_brief(view))
    fits("retry_run", wire.run_brief(view))
    assert prose.run(wire.run_brief(view))


@given(approvals, st.sampled_from(["", "http://localhost:8770/a/x"]))
def test_an_approval_fits_every_tool_that_may_answer_with_it(view: Any, link: str) -> None:
    facts = wire.approval(view, link, "It was not decided.")
    for name in ("execute_workflow", "cancel_run", "retry_run", "get_approval", "resolve_mutation"):
        fits(name, facts)
    words = prose.approval(facts)
    assert view.id in words
    assert view.code in words
    assert ("approveUrl" in facts) == (bool(link) and view.state == "pending")


@given(views.runs(), approvals)
def test_a_run_that_waits_for_a_person_fits(run: Any, view: Any) -> None:
    facts = wire.run(run) | wire.waiting_for(view)
    fits("get_run", facts)
    assert view.id in prose.run(facts)


def test_a_change_that_happened_and_whose_result_is_missing_is_told_as_that() -> None:
    failure = Failure(Kind.NETWORK, "unreadable", "not JSON", details={"applied": "yes"})
    known = wire.outcome(OutcomeView("unknown", "not JSON", (), failure=failure))
    assert known["reason"].startswith("The other system said that it happened")


@given(st.lists(views.rows, max_size=3), st.lists(views.groups, max_size=3))
def test_lists_of_runs_fit(rows: Any, groups: Any) -> None:
    facts: dict[str, Any] = {"status": "ok", "runs": [wire.run_row(row) for row in rows]}
    fits("list_runs", facts | {"nextCursor": "x"})
    fits("list_runs", {"status": "ok", "groups": [wire.group(each) for each in groups]})
    assert prose.runs(facts)
    assert prose.runs({"status": "ok", "groups": [wire.group(each) for each in groups]})


@given(st.lists(views.infos, max_size=3), st.lists(views.problems, max_size=3))
def test_lists_of_workflows_fit(infos: Any, problems: Any) -> None:
    facts: dict[str, Any] = {
        "status": "ok",
        "workflows": [wire.workflow(info) for info in infos],
        "total": len(infos),
    }
    fits("search_workflows", facts)
    facts["problems"] = [wire.problem(each) for each in problems]
    fits("list_workflows", facts)
    assert prose.workflows(facts, nothing="none")


@given(views.details, st.booleans())
def test_details_fit(view: Any, full: bool) -> None:
    facts = {"status": "ok", **wire.details(view, full=full)}
    fits("get_workflow_details", facts)
    assert prose.details(facts)


@given(st.lists(views.tasks, max_size=3))
def test_tasks_fit(tasks: Any) -> None:
    facts = {"status": "ok", "tasks": [wire.task(task) for task in tasks], "total": 3}
    fits("list_tasks", facts)
    assert prose.tasks(facts)


@given(st.lists(views.versions, max_size=3))
def test_versions_fit(versions: Any) -> None:
    shown = [wire.version(each) for each in versions]
    fits(
        "manage_versions",
        {"status": "ok", "workflow": "a", "versions": shown, "nextStep": "x"},
    )
    assert all(prose.version(each) for each in shown)


@given(views.dry_runs)
def test_plans_fit(view: Any) -> None:
    answer = planned(view)
    fits("execute_workflow", answer.facts)
    assert answer.words


@pytest.mark.requirement("validation-failure")
@given(
    st.lists(views.fields, min_size=1, max_size=3).map(tuple),
    st.lists(views.invalids, max_size=3).map(tuple),
)
def test_what_is_missing_fits_and_is_asked_for(missing: Any, invalid: Any) -> None:
    refused = Refused("invalid_input", "no", details={"missing": missing, "invalid": invalid})
    answer = not_complete("a", refused)
    fits("execute_workflow", answer.facts)
    assert answer.wrong
    assert len(answer.facts["missingInputs"]) == len(missing)
    assert answer.facts["suggestedPrompt"].startswith("To run a I still need ")


def test_another_refusal_of_a_start_stays_a_refusal() -> None:
    with pytest.raises(Refused, match="busy"):
        not_complete("a", Refused("database_locked", "busy"))


@given(views.TEXT, views.TEXT, st.lists(views.TEXT, max_size=2), st.sampled_from(Move))
def test_a_refusal_fits_every_tool(message: str, hint: str, near: list[str], move: Move) -> None:
    facts = wire.refused(Refused("x", message, hint, move=move, details={"suggestions": near}))
    for name in TOOLS:
        fits(name, facts)
    assert prose.refused(facts)


def test_the_published_statuses_are_those_of_the_engine() -> None:
    from engine.core.status import Status

    assert RUN_STATUS["enum"] == [status.value for status in Status]


def test_a_large_output_is_left_out_and_can_be_read_elsewhere() -> None:
    view = _run(output={"text": "x" * (INLINE + 1)})
    facts = wire.run(view)
    assert "output" not in facts
    assert facts["outputOmitted"]["resource"] == f"run://{view.id}"
    assert "read run://" in prose.run(facts)
    assert "output" in wire.run(view, full=True, whole=True)
    assert ended(view).more == (f"run://{view.id}",)


def test_long_inputs_and_step_outputs_share_one_room() -> None:
    quarter = "x" * (INLINE // 4)
    steps = tuple(StepView(f"s{n}", "t", "done", (), output=quarter) for n in range(3))
    view = replace(_run(output=1), input={"a": quarter}, steps=steps)
    facts = wire.run(view, full=True)
    fits("get_run", facts)
    assert "outputOmitted" not in facts["tasks"][0]
    assert facts["tasks"][2]["outputOmitted"]["resource"] == f"run://{view.id}"
    assert len(json.dumps(facts)) < INLINE * 1.1
    assert wire.run(view, full=True, whole=True)["tasks"][2]["output"] == quarter


def test_times_are_utc_and_durations_milliseconds() -> None:
    facts = wire.run(_run(output=1))
    assert facts["createdAt"] == "1970-01-01T00:00:01.000Z"
    assert facts["durationMs"] == 1500


def test_text_of_others_cannot_act_as_markup() -> None:
    view = _run(output={"say": "![x](http://evil.example/?d=1) <img src=x> \u202e```"})
    words = prose.run(wire.run(view))
    assert "![" not in words
    assert "](" not in words
    assert "<img" not in words
    assert "\u202e" not in words
    assert words.count("```") == 2


def _run(output: Any) -> Any:
    from engine.core.views import RunView

    return RunView(
        "018bcfe5-6800-7000-8000-000000000000", "default", "a", "1.0.0", "workflow", "completed",
        Move.NONE, "", 1_000_000, 1_000_000, 2_500_000, None, None, "me", {}, output, (),
    )  # fmt: skip
