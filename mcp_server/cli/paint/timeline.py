"""One run as a person reads it: where it stands, every step and attempt, what to do next.

Times of steps count from the run's creation. A step with one good attempt is one line; every
other attempt gets its own.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from mcp_server.cli.paint.marks import (
    aligned,
    indented,
    json_block,
    line,
    mark,
    status_text,
    titled,
)
from mcp_server.cli.paint.nesting import Line, lines
from mcp_server.cli.paint.outcomes import outcome, ways_out
from mcp_server.cli.paint.runs import workflow_name
from mcp_server.words import age, count, duration, moment

if TYPE_CHECKING:
    from engine.core.errors import Failure
    from engine.core.views import AttemptView, RunView, StepView

_MOVES = {"person": "Your move: ", "caller": "Your move: ", "outside": "Another system's move: "}


def run_timeline(run: "RunView", now: int, *, everything: bool = False) -> RenderableType:
    """The whole page about a run. `everything` also shows the input and every loop item."""
    parts: list[RenderableType] = [_head(run, now), Text("")]
    parts.append(indented(_steps(run, now, everything)))
    if everything or not run.steps:
        parts.append(titled("Input", json_block(run.input)))
    if run.failure is not None:
        parts.append(titled("Failed", *_failure(run)))
    if run.output not in (None, {}, []):
        name = "Output" if run.status == "completed" else "Output so far"
        parts.append(titled(name, json_block(run.output, 100_000 if everything else 4_000)))
    parts += _next(run, now)
    return Group(*parts)


def _head(run: "RunView", now: int) -> RenderableType:
    name = line(workflow_name(run.namespace, run.workflow), " ", run.version, style="bold")
    first = line(mark(run.status), " ", name, "  ", status_text(run.status), " ", _took(run, now))
    when = f"{age(now, run.created_at)} ({moment(run.created_at)})"
    head: list[RenderableType] = [first, _dim(f"  {run.id}"), _dim("  ", when, " by ", run.actor)]
    if run.reused:
        head.append(_dim("  started earlier under the same key"))
    if run.retry_of:
        head.append(_dim("  retry of ", run.retry_of))
    if run.retried_by:
        head.append(_dim("  retried by ", run.retried_by))
    if run.deadline is not None and run.ended_at is None:
        head.append(_dim(f"  must end {age(now, run.deadline)}"))
    return Group(*head)


def _dim(*parts: str) -> Text:
    return line(*parts, style="dim")


def _took(run: "RunView", now: int) -> str:
    if run.ended_at is None:
        return f"for {duration(max(now - run.created_at, 0))}"
    took = duration(run.ended_at - run.created_at)
    return f"in {took}" if run.status == "completed" else f"after {took}"


def _steps(run: "RunView", now: int, everything: bool) -> RenderableType:
    if not run.steps:
        return Text("No step has begun.", "dim")
    tree = list(lines(run.steps, everything=everything))
    parts: list[RenderableType] = []
    for row, entry in zip(aligned([_row(e, run, now) for e in tree]), tree, strict=True):
        parts.append(row)
        if entry.step is not None:
            shift = 4 + 2 * entry.depth
            parts += _attempts(entry.step, run, shift)
            parts += [indented(said, shift) for said in outcome(entry.step, now)]
    return Group(*parts)


def _row(entry: Line, run: "RunView", now: int) -> list[Text]:
    indent, step = "  " * entry.depth, entry.step
    if step is None:
        more = f"{indent}… {count(entry.left_out, 'more item')} done; --all shows them"
        return [Text(more, "dim"), *[Text()] * 4]
    begun, took = _times(step, run.created_at, now)
    tries = f"{len(step.attempts)} attempts" if len(step.attempts) > 1 else ""
    remark = line("; ".join(part for part in (tries, step.note) if part), style="dim")
    head = line(indent, mark(step.status), " ", entry.name)
    return [head, line(step.target, style="dim"), line(begun, style="dim"), Text(took), remark]


def _times(step: "StepView", zero: int, now: int) -> tuple[str, str]:
    begun = [a.started_at for a in step.attempts if a.started_at is not None]
    if not begun:
        return "", ""
    end = now if step.status == "running" else step.attempts[-1].ended_at
    return f"+{duration(max(begun[0] - zero, 0))}", duration(max(end - begun[0], 0))


def _attempts(step: "StepView", run: "RunView", shift: int) -> Iterable[RenderableType]:
    """What is to be said about attempts; one good attempt needs no words."""
    if len(step.attempts) == 1 and step.attempts[0].failure is None:
        return
    for attempt in step.attempts:
        # The failure that ended the run has a section of its own, in full.
        short = step.path == run.failed_step and attempt is step.attempts[-1]
        sign = mark("failed" if attempt.failure else "done")
        said = line(sign, f" attempt {attempt.attempt}", _reason(attempt, short), style="dim")
        yield indented(said, shift)


def _reason(attempt: "AttemptView", short: bool) -> str:
    start = attempt.started_at
    took = "" if start is None else f", {duration(max(attempt.ended_at - start, 0))}"
    failure = attempt.failure
    if failure is None:
        return took
    said = f"{failure.code} ({failure.kind})" if short else summary(failure)
    if attempt.again_at is None:
        return f"{took}: {said}"
    later = duration(max(attempt.again_at - attempt.ended_at, 0))
    return f"{took}: {said}; again {later} later"


def summary(failure: "Failure") -> str:
    """A failure on one line: code, kind, message."""
    return f"{failure.code} ({failure.kind}): {failure.message}"


def _failure(run: "RunView") -> Iterable[RenderableType]:
    failure = run.failure
    if failure is None:
        return
    where = f"{run.failed_step}: " if run.failed_step else ""
    yield line(where, summary(failure), style="red")
    if failure.hint:
        yield line(failure.hint)
    if failure.cause:
        yield _dim("caused by ", " <- ".join(failure.cause))


def _next(run: "RunView", now: int) -> Iterable[RenderableType]:
    if not run.next_step or run.retried_by:
        return
    who = _MOVES.get(str(run.whose_move), "")
    when = f" ({age(now, run.wake_at)})" if run.wake_at is not None else ""
    yield Text("")
    yield line(Text(who, "bold"), run.next_step, when)
    if str(run.whose_move) == "person":
        for way in ways_out(run):
            yield indented(line(way, style="cyan"))
