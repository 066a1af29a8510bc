"""What is known of a change that was sent: who allowed it, how often it left, what came back."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from mcp_server.cli.paint.marks import line
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.core.views import OutcomeView, RunView, StepView

VERDICTS = "happened|did-not-happen|skip"
UNDECIDED = frozenset({"unknown", "indeterminate"})


def outcome(step: "StepView", now: int) -> Iterable[Text]:
    """Lines on a step's outcome; nothing for a step that sent nothing."""
    found = step.outcome
    if found is None:
        return
    yield line(_sent(found, now), style="dim")
    if found.state in UNDECIDED:
        yield line(_doubt(found), style="yellow")
    if found.lookups:
        said = ", ".join(look.verdict for look in found.lookups)
        yield line(f"the other system was asked {count(len(found.lookups), 'time')}: {said}",
                   style="dim")  # fmt: skip
    if found.verdict:
        yield line(f"{found.by} says: {found.verdict.replace('_', ' ')}", style="dim")
    for incident in found.incidents:
        yield line(f"contradicted later: {incident}", style="red")


def _doubt(found: "OutcomeView") -> str:
    if found.failure is not None and found.failure.details.get("applied") == "yes":
        return f"it happened, and only its result is missing: {found.reason}"
    return f"nobody knows whether it happened: {found.reason}"


def _sent(found: "OutcomeView", now: int) -> str:
    times = "sent" if len(found.sends) == 1 else f"sent {count(len(found.sends), 'time')}, last"
    by = f", allowed by {found.grant}" if found.grant else ""
    return f"{times} {age(now, found.sent_at)}{by}"


def ways_out(run: "RunView") -> Iterable[str]:
    """What a person may type about a run that waits for them."""
    if run.status == "paused:approval" and run.approval:
        yield f"handrail approve {run.approval}"
    elif run.status == "paused:reconciliation":
        for step in run.steps:
            if step.outcome is not None and step.outcome.state == "indeterminate":
                yield f"handrail resolve {run.id} {step.path} {VERDICTS}"
    else:
        yield f"handrail retry {run.id}"
