"""What a person sees: readable at any width, and never driven by foreign text."""

import dataclasses
import io
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from rich.console import Console, RenderableType

from engine.core.model import Example
from mcp_server.cli.paint import plan, reports, runs, timeline, workers, workflows
from mcp_server.cli.paint.welcome import welcome
from tests.cli import samples
from tests.cli.samples import NOW

HOSTILE = "\x1b[2J\u202eevil\u200b\r\n\x9b[bold red]x[/]:smile:"

Paint = Callable[[Any, int], RenderableType]
PAGES: Mapping[str, tuple[Any, Paint]] = {
    "completed": (samples.COMPLETED, lambda v, _: timeline.run_timeline(v, NOW)),
    "broken": (samples.BROKEN, lambda v, _: timeline.run_timeline(v, NOW, everything=True)),
    "under way": (samples.UNDER_WAY, lambda v, _: timeline.run_timeline(v, NOW)),
    "runs": (samples.PAGE, lambda v, width: runs.run_page(v, NOW, width)),
    "groups": (samples.GROUPS, lambda v, _: runs.failure_groups(v, NOW)),
    "workflows": (
        (samples.INFO, samples.REFUND, samples.GREETING),
        lambda v, width: workflows.workflow_list(v, width),
    ),
    "workflow": (samples.DETAILS, lambda v, _: workflows.workflow_page(v)),
    "plan": (samples.PLAN, lambda v, _: plan.dry_run(v)),
    "bad plan": (samples.BAD_PLAN, lambda v, _: plan.dry_run(v)),
    "problems": (samples.PROBLEMS, lambda v, _: reports.checked(v, 3, 9, failed=True)),
    "versions": (samples.VERSIONS, lambda v, _: reports.version_list(v, NOW)),
    "workers": (samples.CREW, lambda v, width: workers.worker_list(v, NOW, width)),
    "doctor": (samples.CHECKS, lambda v, _: reports.health_list(v)),
}


def seen(renderable: RenderableType, width: int = 80) -> str:
    """What stands on a terminal of that width, without colours."""
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, emoji=False)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def hostile(value: Any) -> Any:
    """The same value with hostile words added wherever it holds text that others wrote."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: hostile(getattr(value, f.name)) for f in dataclasses.fields(value)}
        kept = {name: getattr(value, name) for name in ("status", "severity", "would", "state")
                if hasattr(value, name)}  # fmt: skip
        return replace(value, **{**fields, **kept})
    if isinstance(value, Mapping):
        return {hostile(key): hostile(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(hostile(item) for item in value)
    return value + HOSTILE if isinstance(value, str) and not isinstance(value, Enum) else value


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [20, 80, 140, 10_000])
def test_foreign_text_never_drives_the_terminal(name: str, width: int) -> None:
    value, paint = PAGES[name]
    shown = seen(paint(hostile(value), width), width)
    wrong = [c for c in shown if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [30, 80, 140])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    value, paint = PAGES[name]
    lines = seen(paint(value, width), width).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("name", ["runs", "versions", "groups"])
def test_a_pipe_gets_one_line_for_each_thing(name: str) -> None:
    value, paint = PAGES[name]
    shown = seen(paint(value, 10_000), 10_000)
    for word in {"runs": [samples.ID], "versions": ["1.1.0"], "groups": ["http_404"]}[name]:
        assert sum(word in line for line in shown.splitlines()) in (1, 2)


def test_a_timeline_tells_each_failed_attempt_and_when_it_was_tried_again() -> None:
    shown = seen(timeline.run_timeline(samples.COMPLETED, NOW), 140)
    assert "✓ demo/user-profile 1.2.0  completed in 395 ms" in shown
    assert "✓ get-orders  demo/get-orders  +40 ms  351 ms  3 attempts" in shown
    assert "✗ attempt 1, 12 ms: http_503 (transient)" in shown
    assert "again 100 ms later" in shown
    assert "- notify      demo/notify                      its condition was false" in shown


def test_a_failed_run_says_what_failed_whose_move_it_is_and_the_command() -> None:
    shown = seen(timeline.run_timeline(samples.BROKEN, NOW))
    assert "get-order: http_404 (permanent): there is no order 17" in shown
    assert "Check the order's number." in shown
    assert "Your move: Find out why it failed; retry when it is solved." in shown
    assert f"handrail retry {samples.OTHER}" in shown
    assert "Output so far" in shown


def test_a_retried_run_names_its_successor_and_asks_for_nothing() -> None:
    shown = seen(timeline.run_timeline(replace(samples.BROKEN, retried_by=samples.ID), NOW))
    assert f"retried by {samples.ID}" in shown
    assert "Your move" not in shown


def test_a_long_loop_shows_its_beginning_and_whatever_went_wrong() -> None:
    loop = replace(samples.DONE, path="each", note="500 items")
    steps = [replace(samples.DONE, path=f"each[{number}]") for number in reversed(range(499))]
    bad = replace(samples.FAILED, path="each[499]")
    run = replace(samples.COMPLETED, steps=(loop, *steps, bad, samples.SKIPPED))
    shown = seen(timeline.run_timeline(run, NOW))
    assert "✓ [19]" in shown
    assert "[20]" not in shown
    assert "✗ [499]" in shown
    assert "… 479 more items done; --all shows them" in shown
    assert "✓ [498]" in seen(timeline.run_timeline(run, NOW, everything=True))


def test_what_belongs_to_a_step_stands_under_it_in_whatever_order_it_happened() -> None:
    paths = ["checkout", "other", "other~fallback", "checkout/pay", "checkout/pay[1]",
             "checkout/pay[0]", "checkout/pay[0]/inner"]  # fmt: skip
    steps = tuple(replace(samples.DONE, path=path) for path in paths)
    shown = seen(timeline.run_timeline(replace(samples.COMPLETED, steps=steps), NOW), 200)
    rows = [line.split("demo/get-user") for line in shown.splitlines()]
    names = [row[0].rstrip() for row in rows if len(row) > 1]
    assert names == [
        "  ✓ checkout",
        "    ✓ pay",
        "      ✓ [0]",
        "        ✓ inner",
        "      ✓ [1]",
        "  ✓ other",
        "    ✓ fallback",
    ]


def test_a_long_output_is_cut_and_says_so() -> None:
    shown = seen(timeline.run_timeline(replace(samples.COMPLETED, output="x" * 9_000), NOW))
    assert "more characters; --json prints them all" in shown


def test_a_command_that_can_be_copied_quotes_foreign_words() -> None:
    example = Example("x", "", {"userId": "$(rm -rf ~); '"})
    shown = workflows.command_line(replace(samples.DETAILS, examples=(example,)))
    assert shown == "handrail run demo/user-profile 'userId=$(rm -rf ~); '\"'\"''"


def test_a_command_without_an_example_leaves_a_gap_for_each_need() -> None:
    shown = workflows.command_line(replace(samples.DETAILS, examples=()))
    assert shown == "handrail run demo/user-profile userId=…"


def test_a_server_that_serves_nothing_says_what_it_lacks() -> None:
    url = "http://127.0.0.1:8765/mcp"
    shown = seen(welcome(url, (), "bin/handrail", '{"a": 1}', "mcp dev x"))
    assert "no workflows yet: give it a folder with --workflows DIR" in shown
    assert "\n  bin/handrail connect claude-desktop\n" in shown
    assert "user 3" not in shown
    assert "user 3" in seen(welcome(url, ("the demo",), "handrail", "{}", "x"))


def test_what_is_special_about_a_run_stands_in_its_head() -> None:
    special = replace(samples.UNDER_WAY, deadline=NOW + 60_000_000, reused=True, retry_of="r0")
    shown = seen(timeline.run_timeline(special, NOW))
    for words in ("started earlier under the same key", "retry of r0", "must end in 1 min"):
        assert words in shown


def test_nobody_at_work_is_said_and_what_to_do_about_it() -> None:
    alone = replace(samples.CREW, workers=(), working=0)
    assert seen(workers.worker_list(alone, NOW, 80)).startswith("No worker.\nRuns are due")


def test_a_problem_begins_with_its_place_like_a_compilers() -> None:
    shown = seen(reports.checked(samples.PROBLEMS, 3, 9, failed=True), 140)
    assert "orders/refund.yaml:12: error: there is no task 'get-usr'  [unknown_task]" in shown
    assert "did you mean 'get-user'?" in shown
    assert shown.endswith("2 errors and 1 warning; 3 workflows and 9 tasks can be used.")


def test_nothing_to_show_is_said_in_words() -> None:
    empty = replace(samples.PAGE, rows=())
    assert seen(runs.run_page(empty, NOW, 80)) == "No runs match."
    assert seen(runs.failure_groups((), NOW)) == "No failed runs match."
    assert seen(workflows.workflow_list((), 80)) == "No workflow fits."
    assert seen(reports.version_list((), NOW)) == "It has no version yet."
    assert seen(reports.checked((), 1, 1, failed=False)).startswith("No problems")


def test_more_pages_are_offered_with_their_cursor() -> None:
    shown = seen(runs.run_page(replace(samples.PAGE, cursor="abc"), NOW, 140))
    assert "3 runs and more: --cursor abc" in shown
