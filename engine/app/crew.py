"""Who works on this database: the workers as people see them, and whether they are enough."""

import json
from collections.abc import Callable, Iterable, Sequence

from engine.app.settings import Settings
from engine.core.log import Row
from engine.core.views import Crew, WorkerView
from engine.shell.acts import Acts
from engine.shell.breakers import Breakers
from engine.shell.claims import Claims
from engine.shell.clock import Clock
from engine.shell.connectors.http import HttpConnector
from engine.shell.drive import Held
from engine.shell.keeping import Keeper
from engine.shell.library import Library
from engine.shell.news import News
from engine.shell.roll import Pace, Roll, silent
from engine.shell.worker import Worker
from engine.store import Store

PATIENCE = 5_000_000
"""Microseconds that a due run may wait before somebody is told that nobody takes it up."""


def worker_of(
    settings: Settings,
    store: Store,
    http: HttpConnector,
    library: Library,
    news: News,
    changed: Callable[[str], None],
    ended: Callable[[Held], None],
    keeper: Keeper,
) -> Worker | None:
    """The worker of this process, if it is to carry out runs."""
    if not settings.work:
        return None
    clock, tenant = settings.clock, settings.tenant
    roll = Roll(
        store,
        clock,
        tenant,
        settings.concurrency,
        settings.name,
        settings.release,
        settings.pace,
    )
    breakers = Breakers(store, clock, tenant)
    acts = Acts(settings.functions, http, settings.connectors, breakers)
    claims = Claims(store, clock, library, settings.most)
    return Worker(
        store, clock, acts, changed, ended, roll, claims, keeper,
        library=library, tenant=tenant, news=news,
    )  # fmt: skip


async def crew(store: Store, clock: Clock, pace: Pace) -> Crew:
    """The workers, the first that began first, with the runs that they hold by live leases."""
    now = clock.now()
    rows = sorted(await store.fetch("worker_list"), key=lambda row: (row["started_at"], row["id"]))
    alive = any(not silent(row, now, pace) for row in rows)
    workers = [_view(row, stale=silent(row, now, pace), alive=alive) for row in rows]
    working = sum(worker.state == "working" for worker in workers)
    since = await _waiting_since(store, now)
    return Crew(tuple(workers), working, since, _advice(workers, working, since, now))


def _view(row: Row, *, stale: bool, alive: bool) -> WorkerView:
    told = json.loads(row["versions"] or "{}")
    return WorkerView(
        name=row["name"],
        host=row["host"],
        pid=row["pid"],
        state="stale" if stale else row["state"],
        held=row["held"],
        capacity=row["capacity"],
        version=told.get("handrail", ""),
        python=told.get("python", ""),
        release=told.get("release", ""),
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        next_step=_next(row, stale=stale, alive=alive),
    )


def _next(row: Row, *, stale: bool, alive: bool) -> str:
    if stale and alive:
        return "silent for too long; the others take its runs over within moments"
    if stale:
        return "silent for too long; the next worker that starts takes its runs over"
    if row["state"] == "draining":
        return "takes nothing more up, and ends when its runs have come to a safe point"
    return ""


async def _waiting_since(store: Store, now: int) -> int | None:
    (row,) = await store.fetch("due_next")
    lanes = await store.fetch("due_lanes")
    return _oldest((row["at"], *(lane["at"] for lane in lanes)), now)


def _oldest(times: Iterable[int | None], now: int) -> int | None:
    return min((at for at in times if at is not None and at <= now), default=None)


def _advice(workers: Sequence[WorkerView], working: int, since: int | None, now: int) -> str:
    if working or since is None or now - since < PATIENCE:
        return ""
    gone = "all are draining or stale" if workers else "there is none"
    return f"Runs are due and no worker takes them up: {gone}. Start one: handrail worker"
