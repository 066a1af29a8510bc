"""What became of all that one grant allowed: one word, worked out from the steps it covered."""

from collections.abc import Iterator, Mapping
from typing import Literal

from engine.core.state import UNRESOLVED, Run

Outcome = Literal["ok", "partial", "drifted", "indeterminate", "failed"]


def outcomes(run: Run) -> Mapping[str, Outcome]:
    """By grant, what became of what it allowed, now that the run goes no further."""
    found: dict[str, list[str]] = {}
    for name, held in run.grants.items():
        paths = held.paths if held.most else {name}
        found.setdefault(held.grant, []).extend(_statuses(run, paths))
    return {grant: _word(statuses, run.status == "completed") for grant, statuses in found.items()}


def _statuses(run: Run, paths: set[str]) -> Iterator[str]:
    for path in paths:
        state = run.steps.get(path)
        yield "waiting" if state is None else state.status


def _word(statuses: list[str], whole: bool) -> Outcome:
    if any(status in UNRESOLVED for status in statuses):
        return "indeterminate"
    failed = any(status == "failed" for status in statuses)
    if whole and not failed:
        return "ok"
    done = any(status == "done" for status in statuses)
    if done and not failed and all(status in {"done", "skipped"} for status in statuses):
        return "ok"
    return "partial" if done else "failed"
