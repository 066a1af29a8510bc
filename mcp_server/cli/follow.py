"""Waiting for a run, and saying meanwhile what happens.

On a terminal a few lines are drawn over and over; elsewhere each change is one plain line.
Everything goes to stderr: stdout belongs to the result. Leaving early never hurts a run.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from mcp_server.cli.session import Session
from mcp_server.words import count, duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.app.engine import Engine
    from engine.core.views import RunView, StepView

TICK = 0.25
"""Seconds between two looks at a run on a terminal."""

BEAT = 1.0
"""Seconds between two looks where only changes are said."""

MOST_LINES = 8
_RESTING = frozenset({"person", "outside", "none"})
_SETTLED = frozenset({"done", "skipped", "failed", "cancelled"})

Tell = Callable[["RunView"], None]


def settled(run: "RunView") -> bool:
    """Whether waiting longer would not help: it ended, or somebody else must act first."""
    return str(run.whose_move) in _RESTING


async def follow(session: Session, engine: "Engine", run_id: str, seconds: float) -> "RunView":
    """Wait up to `seconds` for the run and return how it stands then."""
    screen = session.screen
    run = await engine.wait(run_id, min(TICK, seconds))
    if not (settled(run) or seconds <= TICK):
        if screen.lively and not screen.json:
            run = await _drawn(session, engine, run_id, seconds - TICK)
        else:
            run = await _told(session, engine, run_id, seconds - TICK)
    return run


async def _watch(
    look: Callable[[float], Awaitable["RunView"]], pause: float, seconds: float, tell: Tell
) -> "RunView":
    left = seconds
    while True:
        run = await look(min(pause, left))
        left -= pause
        tell(run)
        if settled(run) or left <= 0:
            return run


async def _told(session: Session, engine: "Engine", run_id: str, seconds: float) -> "RunView":
    said: set[str] = set()

    def tell(run: "RunView") -> None:
        for news in news_of(run, said):
            session.screen.note(news)

    return await _watch(lambda pause: engine.wait(run_id, pause), BEAT, seconds, tell)


def news_of(run: "RunView", said: set[str]) -> list[str]:
    """What has changed since the last look; `said` remembers it for the next one."""
    news = [f"run {run.id} is {run.status}", *(f"{s.path}: {_state(s)}" for s in run.steps)]
    fresh = [text for text in news if text not in said and not text.endswith(": waiting")]
    said.update(fresh)
    return fresh


def _state(step: "StepView") -> str:
    last = step.attempts[-1].failure if step.attempts else None
    if step.status in ("waiting", "running") and last is not None:
        return f"{step.status}, attempt {len(step.attempts)} failed with {last.code}"
    return f"{step.status}, {step.note}" if step.note and step.status != "done" else step.status


def _begun(step: "StepView") -> bool:
    return step.status == "running" or bool(step.attempts or step.note)


async def _drawn(session: Session, engine: "Engine", run_id: str, seconds: float) -> "RunView":
    import sys

    from rich.live import Live

    console = session.screen.console(sys.stderr)
    with Live(console=console, refresh_per_second=8, transient=True) as live:

        def tell(run: "RunView") -> None:
            live.update(progress(run, session.now(), console.width))

        return await _watch(lambda pause: engine.wait(run_id, pause), TICK, seconds, tell)


def progress(run: "RunView", now: int, width: int) -> "RenderableType":
    """A few lines on how far a run is, none wider than the terminal."""
    from rich.console import Group

    from mcp_server.cli.paint.marks import line, mark

    over, all_ = sum(step.status in _SETTLED for step in run.steps), len(run.steps)
    took = duration(max(now - run.created_at, 0) // 100_000 * 100_000)
    head = f" {run.workflow} {run.version}  {run.status}  {over} of {count(all_, 'step')}, {took}"
    lines = [line(mark(run.status), head)]
    busy = [step for step in run.steps if step.status not in _SETTLED and _begun(step)]
    lines += [line("  ", mark(step.status), f" {step.path}  {_state(step)}") for step in busy]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [line(f"  … and {len(lines) - MOST_LINES} more", style="dim")]
    for text in lines:
        text.truncate(width, overflow="ellipsis")
    return Group(*lines)


def note_of_waiting(run: "RunView") -> str:
    """What to say when a run is left before its end."""
    return (
        f"The run is kept; a server that runs goes on with it, or: handrail show {run.id} --follow"
    )
