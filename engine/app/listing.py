"""Reading runs: one, a page of them, the ways they failed."""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Collection, Mapping
from itertools import takewhile
from typing import Any

from engine.core import uid
from engine.core.errors import Move, Refused
from engine.core.history import view
from engine.core.log import Recorded
from engine.core.run import Run, fold
from engine.core.status import MOVES, TERMINAL, Status, whose_move
from engine.core.views import FailureGroup, RunFilter, RunPage, RunRow, RunView
from engine.core.words import listed
from engine.shell.drive import Held
from engine.shell.library import Library
from engine.shell.worker import Worker
from engine.store import Store

FAR = 2**62
"""After every run and every time."""

KEPT = 256
"""How many ended runs are kept in memory as they were last shown."""

_SLOTS = 10
_RESTING = frozenset({Move.PERSON, Move.OUTSIDE, Move.NONE})


class Lists:
    """Readers of one tenant's runs."""

    def __init__(self, store: Store, library: Library, worker: Worker | None, tenant: str) -> None:
        self._store, self._library = store, library
        self._worker, self._tenant = worker, tenant
        self._ended: OrderedDict[str, Held] = OrderedDict()

    async def row(self, run_id: str) -> Mapping[str, Any]:
        """A run's row by its public id; raises Refused `unknown_run`."""
        if uid.valid(run_id):
            rows = await self._store.fetch("run_by_uid", tenant=self._tenant, uid=run_id)
            if rows:
                return rows[0]
        raise Refused(
            "unknown_run",
            f"there is no run {run_id[:60]!r}",
            "Ids come from execute_workflow and list_runs.",
        )

    async def rests(self, shown: RunView, now: int) -> bool:
        """Whether a run stays as it is until somebody acts: a person may just have decided."""
        if shown.whose_move is not Move.PERSON or shown.status in TERMINAL:
            return shown.whose_move in _RESTING
        return not await self._store.fetch("due_stirs", tenant=self._tenant, uid=shown.id, now=now)

    async def run(self, run_id: str) -> RunView:
        """One run with its steps; raises Refused `unknown_run`."""
        drive = self._worker.holds(run_id) if self._worker else None
        if drive is not None:
            return await self._view(drive.held.recorded, drive.busy)
        held = self._ended.get(run_id)
        if held is not None:
            held.shown = held.shown or await self._view(held.recorded, frozenset(), held.run)
            return held.shown
        row = await self.row(run_id)
        recorded = await self._store.read(row["id"], tenant=self._tenant)
        if row["ended_at"] is not None:
            run = fold(entry.event for entry in recorded)
            self.ended(Held(row["id"], run, self._tenant, recorded))
        return await self._view(recorded, frozenset())

    async def as_of(self, run_id: str, at: int) -> RunView:
        """One run as it was at a time; raises Refused `unknown_run`, `not_yet`."""
        row = await self.row(run_id)
        history = await self._store.read(row["id"], tenant=self._tenant)
        # The order of a history is that of its versions: a clock that was set back leaves no gap.
        recorded = list(takewhile(lambda entry: entry.at <= at, history))
        if not recorded:
            raise Refused(
                "not_yet",
                f"the run {run_id} did not exist at that time",
                "Ask for a time after its start.",
                details={"createdAt": history[0].at},
            )
        return await self._view(recorded, frozenset())

    async def started(self, run_id: str) -> RunView:
        """A run that has just been started, without the steps it has not reached."""
        drive = self._worker.holds(run_id) if self._worker else None
        if drive is not None:
            return view(drive.held.recorded, None)  # its drive may know more than is durable
        held = self._ended.get(run_id)
        if held is None:
            return await self.run(run_id)
        shown = view(held.recorded, None, run=held.run)
        if held.run.status is Status.COMPLETED:
            held.shown = shown  # there is no step that it has not reached
        return shown

    async def _view(
        self, recorded: list[Recorded], busy: Collection[str], run: Run | None = None
    ) -> RunView:
        started = recorded[0].event
        try:
            workflow = await self._library.learn(started.digest)
        except (KeyError, ValueError):
            workflow = None  # nothing is known of it any more but what the run tells
        retry_of = await self.uid(started.retry_of) if started.retry_of else ""
        return view(recorded, workflow, busy, retry_of, run)

    async def uid(self, stream: int) -> str:
        """The public id of a run."""
        (row,) = await self._store.fetch("run_by_id", tenant=self._tenant, id=stream)
        return str(row["uid"])

    def ended(self, held: Held) -> None:
        """Keep the history of a run that has just ended here, for those who ask next."""
        if held.run.over and not held.run.unresolved:
            self._remember(held)

    def forget(self, run_id: str) -> None:
        """The run has changed after its end: it was retried."""
        self._ended.pop(run_id, None)

    def forget_all(self) -> None:
        """Another process wrote: an ended run may have been retried there."""
        self._ended.clear()

    def _remember(self, held: Held) -> None:
        self._ended[held.run.uid] = held
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)

    # -- lists -----------------------------------------------------------------------------

    async def runs(self, wanted: RunFilter, limit: int, cursor: str) -> RunPage:
        """A page, newest first; raises Refused `invalid_cursor` or `unknown_status`."""
        statuses = wanted_statuses(wanted)
        namespace, _, workflow = wanted.workflow.rpartition("/")
        name = "run_list" + ("_workflow" if workflow else "") + _suffix(statuses)
        params: dict[str, Any] = {
            "tenant": self._tenant,
            "before": read_cursor(cursor) if cursor else FAR,
            "namespace": namespace,
            "version": wanted.version,
            "kind": wanted.kind,
            "open": int(wanted.whose_move == "person"),
            "since": wanted.since or 0,
            "until": wanted.until or FAR,
            "limit": limit + 1,
        }
        params |= {"workflow": workflow} if workflow else {}
        params |= slots(statuses) if statuses else {}
        rows = await self._store.fetch(name, **params)
        more = len(rows) > limit
        shown = tuple(run_row(row) for row in rows[:limit])
        return RunPage(shown, write_cursor(rows[limit - 1]["id"]) if more else "")

    async def failures(self, wanted: RunFilter, limit: int) -> tuple[FailureGroup, ...]:
        """Failed runs grouped by workflow, step, kind and code; the largest group first."""
        namespace, _, workflow = wanted.workflow.rpartition("/")
        rows = await self._store.fetch(
            "failure_groups",
            tenant=self._tenant,
            namespace=namespace,
            workflow=workflow,
            version=wanted.version,
            since=wanted.since or 0,
            until=wanted.until or FAR,
            limit=limit,
        )
        return tuple([await self._group(row) for row in rows])

    async def _group(self, row: Mapping[str, Any]) -> FailureGroup:
        return FailureGroup(
            workflow=f"{row['namespace']}/{row['workflow']}",
            step=row["failed_step"],
            kind=row["failure_kind"],
            code=row["failure_code"],
            count=row["runs"],
            last_at=row["last_at"],
            last_run=await self.uid(row["last_run"]),
        )


def wanted_statuses(wanted: RunFilter) -> list[str]:
    """The statuses that a filter allows; empty means any. Raises Refused `unknown_status`."""
    chosen = list(Status)
    if wanted.status:
        family = wanted.status + ":"
        chosen = [s for s in chosen if s == wanted.status or s.startswith(family)]
        if not chosen:
            families = sorted({status.partition(":")[0] for status in Status})
            raise Refused(
                "unknown_status",
                f"there is no status {wanted.status[:40]!r}",
                f"Use one of: {listed(families)}; or one of: {listed(Status, 20)}.",
            )
    if wanted.whose_move:
        chosen = [status for status in chosen if MOVES[status][0] == wanted.whose_move]
    return [] if len(chosen) == len(Status) else [status.value for status in chosen] or ["-"]


def _suffix(statuses: list[str]) -> str:
    if not statuses:
        return ""
    return "_among" if Status.COMPLETED.value in statuses else "_status"


def slots(statuses: list[str]) -> dict[str, str]:
    """Statuses in the places that the statements have for them."""
    padded = statuses + [statuses[-1]] * (_SLOTS - len(statuses))
    return {f"s{index}": status for index, status in enumerate(padded)}


def run_row(row: Mapping[str, Any]) -> RunRow:
    """A run as a list shows it."""
    return RunRow(
        id=row["uid"],
        namespace=row["namespace"],
        workflow=row["workflow"],
        version=row["version"],
        kind=row["kind"],
        status=row["status"],
        whose_move=whose_move(row["status"], row["wake_at"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        wake_at=row["wake_at"],
        failed_step=row["failed_step"] or "",
        failure_kind=row["failure_kind"] or "",
        failure_code=row["failure_code"] or "",
        retry_of=row["retry_of"],
    )


def write_cursor(position: int) -> str:
    """An opaque name for a place in a list.

    >>> read_cursor(write_cursor(12345))
    12345
    """
    return base64.urlsafe_b64encode(f"r1:{position}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """The place that a cursor names; raises Refused `invalid_cursor`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        tag, _, position = text.partition(":")
        sound = tag == "r1" and position.isascii() and position.isdecimal() and len(position) < 19
        if sound and write_cursor(int(position)) == cursor:
            return int(position)
    except (ValueError, binascii.Error):
        pass
    raise Refused(
        "invalid_cursor",
        "this cursor is not one that a list gave",
        "Leave the cursor out to begin again.",
    )
