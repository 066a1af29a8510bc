"""One run driven over a real store by the real drive, taken up again as often as a test wants.

Time is the test's: it jumps to what is due. The keeper is the test's too: a person who answers at
once, or not.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.app.engine import FEATURES
from engine.core import events as ev
from engine.core.approval.plan import Operation, operation_digest
from engine.core.errors import Failure, Kind, Stale
from engine.core.history import view
from engine.core.log import NEW, Append, Entry, Write
from engine.core.model import Effect, Workflow
from engine.core.plan import Planner
from engine.core.run import Run, fold
from engine.core.views import RunView
from engine.shell.acts import Acts, PythonTask
from engine.shell.breakers import Breakers
from engine.shell.clock import TestClock
from engine.shell.connectors.http import HttpConnector
from engine.shell.drive import Drive, Held, driving
from engine.shell.keeping import Denied, Granted, Outcome, Parked, Permit
from engine.shell.late import Late
from engine.store import Store, open_sqlite
from tests.core.worlds import Shelf
from tests.shell.till import Till


@dataclass
class Person:
    """A keeper with somebody behind it: `says` is what happens to the next questions."""

    says: list[str] = field(default_factory=list)
    asked: list[tuple[tuple[Operation, ...], tuple[str, ...]]] = field(default_factory=list)
    finished: list[tuple[str, Outcome]] = field(default_factory=list)

    async def ask(
        self, held: Held, proposals: tuple[Operation, ...], later: tuple[str, ...], now: int
    ) -> Permit:
        self.asked.append((proposals, later))
        word = self.says.pop(0) if self.says else "yes"
        number = len(self.asked)
        if word == "wait":
            return Parked(f"apr_{number}")
        if word == "no":
            return Denied(Failure(Kind.PERMISSION, "denied", "ann said no"))
        ops = {op.id: operation_digest(op) for op in proposals}
        templates = {op.id: op.count for op in proposals if "[*]" in op.id}
        return Granted(f"apr_{number}", ops, (), templates)

    async def finish(
        self, held: Held, outcomes: Mapping[str, Outcome], now: int
    ) -> tuple[Entry, ...]:
        self.finished += outcomes.items()
        return ()

    async def secret(self) -> bytes:
        return b"s" * 32

    @property
    def ids(self) -> list[list[str]]:
        """The ids of the operations that were asked for, question by question."""
        return [[op.id for op in ops] for ops, _ in self.asked]


@dataclass
class World:
    """A store with one run in it."""

    store: Store
    workflows: Mapping[str, Workflow]
    acts: Acts
    clock: TestClock
    person: Person
    stream: int = 0

    async def start(self, name: str, given: Any = None, **more: Any) -> None:
        """Put a run into the journal."""
        flow = self.workflows[name]
        started = ev.RunStarted(
            "u", "default", name, "1.0.0", flow.digest, "workflow", given or {}, False, **more
        )
        lease = Write("due_put", {"tenant": "default", "lane": 0, "at": 0, "owner": 7})
        entry = Entry(NEW, 0, (started,), (lease,))
        done = await self.store.append(Append((entry,), self.clock.now(), "ann"))
        self.stream = done.streams[0]

    async def taken_up(self) -> Drive:
        """The run in hand, as a worker would have it that knows nothing but its history."""
        history = await self.store.read(self.stream)
        run = fold(line.event for line in history)
        held = Held(self.stream, run, "default", history)
        planner = Planner(run, self.workflows[run.workflow], Shelf(self.workflows))
        late = Late(self.store, self.clock, lambda _: None)
        return driving(
            held, planner, self.acts, self.store, self.clock, "worker:7",
            lambda _: None, self.person, late,
        )  # fmt: skip

    async def go(self, rounds: int = 40) -> Run:
        """Drive the run, time jumping to what is due, until nothing is due any more."""
        for _ in range(rounds):
            drive = await self.taken_up()
            try:
                at = await drive.go()
            except Stale:
                continue
            if at is None:
                return await self.run()
            self.clock.time = max(self.clock.time, at)
        raise AssertionError("the run does not come to rest")

    async def tell(self, *events: Any) -> None:
        """Write events into the run's stream, whoever holds it."""
        history = await self.store.read(self.stream)
        entry = Entry(self.stream, history[-1].version, events)
        await self.store.append(Append((entry,), self.clock.now(), "ann"))

    async def run(self) -> Run:
        """The run as its history tells it."""
        return fold([line.event for line in await self.store.read(self.stream)])

    async def events(self, *kinds: type[Any]) -> list[Any]:
        """What happened to the run, of some kinds."""
        told = [line.event for line in await self.store.read(self.stream)]
        return [event for event in told if isinstance(event, kinds or (object,))]

    async def view(self) -> RunView:
        """The run as a reader sees it."""
        history = await self.store.read(self.stream)
        return view(history, None)

    async def due(self) -> int | None:
        """When somebody is to look at it."""
        (row,) = await self.store.fetch("due_next")
        at: int | None = row["at"]
        return at


@asynccontextmanager
async def world(
    tmp_path: Path,
    workflows: Mapping[str, Workflow],
    till: Till | None = None,
    functions: Mapping[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[World]:
    """A store, and everything that a drive needs; `more` is for the store."""
    clock = TestClock()
    allowed = {("127.0.0.1", till.server.port)} if till is not None else set()
    http = HttpConnector(allowed)
    known = {name: PythonTask(f, Effect.MUTATION) for name, f in (functions or {}).items()}
    path = tmp_path / "h.db"
    async with open_sqlite(path, FEATURES, clock.bytes, clock.now(), **more) as store:
        acts = Acts(known, http, {}, Breakers(store, clock, "default"))
        try:
            yield World(store, workflows, acts, clock, Person())
        finally:
            await http.close()
