"""Limits: never more runs at a time than a workflow or the whole database allows, oldest first."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Effect, Engine, PythonTask
from engine.core import events as ev
from engine.core.log import NEW, Append, Entry, Write
from engine.shell.claims import Claims
from engine.shell.clock import TestClock
from engine.shell.library import Library
from engine.store import Claimed, Store
from tests.shell.documents import engine_over, flow, look, write
from tests.store.journals import AT, Sqlite, started

# -- the claim itself: any sequence of starts, claims, ends and deaths ---------------------------

LANES: Mapping[str, int] = {"free": 0, "one": 1, "two": 2}
WORKERS = (1, 2, 3)
MOST = 2


@dataclass(slots=True)
class Model:
    """What has to be true: who holds what, and what waits since when."""

    waiting: dict[int, tuple[int, int]] = field(default_factory=dict)
    leased: dict[int, tuple[int, int]] = field(default_factory=dict)

    def open(self, lane: int, caps: Mapping[int, int], most: int) -> bool:
        held = Counter(lane for _, lane in self.leased.values())
        return len(self.leased) < most and held[lane] < caps.get(lane, 0)

    def eligible(self, caps: Mapping[int, int], most: int) -> list[int]:
        """The runs that may be claimed next, the oldest first."""
        known = sorted((at, lane, run) for run, (at, lane) in self.waiting.items())
        return [run for _, lane, run in known if self.open(lane, caps, most)]

    def claimed(
        self, taken: list[Claimed], owner: int, room: int, caps: Mapping[int, int], most: int
    ) -> None:
        """Take the oldest that may be taken, as many as there is room for; the claim did so too."""
        wanted = set[int]()
        while len(wanted) < room and (runs := self.eligible(caps, most)):
            wanted.add(runs[0])
            self.leased[runs[0]] = (owner, self.waiting.pop(runs[0])[1])
        assert {claimed.run for claimed in taken} == wanted


@asynccontextmanager
async def published(store: Store) -> AsyncGenerator[Library]:
    """A library of one workflow without a limit and two with one."""
    for name, limit in LANES.items():
        spec = {"concurrency": limit} if limit else {}
        bundle = {"workflow": {"spec": spec}}
        digest = name.encode().hex().ljust(64, "0")
        version = ev.VersionPublished("default", name, "1.0.0", digest, "read", False, bundle)
        entry = Entry(NEW, 0, (version, ev.DefaultSet("1.0.0", pinned=False)))
        await store.append(Append((entry,), AT, "documents"))
    library = Library(store, "default", dict)
    await library.reread()
    yield library


moves = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from(sorted(LANES))),
        st.tuples(st.just("start"), st.sampled_from(sorted(LANES))),
        st.tuples(st.just("claim"), st.sampled_from(WORKERS), st.integers(1, 4)),
        st.tuples(st.just("rush"), st.sampled_from(WORKERS), st.integers(1, 4),
                  st.sampled_from(sorted(LANES))),
        st.tuples(st.just("end"), st.integers(0, 5)),
        st.tuples(st.just("sleep"), st.integers(0, 5)),
        st.tuples(st.just("die"), st.sampled_from(WORKERS)),
    ),
    min_size=12,
    max_size=30,
)  # fmt: skip


async def played(path: Path, wanted: list[tuple[Any, ...]], most: int) -> None:
    async with Sqlite(path).open() as store, published(store) as library:
        clock, model, times = TestClock(AT), Model(), itertools.count(AT - 10_000)
        claims = Claims(store, clock, library, most)
        caps = {library.lane("default", name): limit or 99 for name, limit in LANES.items()}
        for word, *rest in wanted:
            if word == "start":
                await start(store, model, library.lane("default", rest[0]), next(times))
            elif word == "claim":
                owner, room = rest
                taken = await claims.take(owner, room)
                model.claimed(taken, owner, room, caps, most or 99)
            elif word == "rush":  # by somebody who has looked before the others claimed
                owner, room, lane = rest[0], rest[1], library.lane("default", rest[2])
                place = {"owner": owner, "now": AT, "limit": room, "lane": lane, "most": most or 99}
                (rows,) = await store.write(Write("due_claim_within", place))
                model.claimed(
                    [Claimed(**row, lines=()) for row in rows],
                    owner,
                    room,
                    {lane: caps[lane]},
                    most or 99,
                )
            elif word == "die":
                await store.write(Write("due_free_all", {"owner": rest[0], "now": AT - 1}))
                dead = [run for run, (owner, _) in model.leased.items() if owner == rest[0]]
                for run in dead:
                    model.waiting[run] = (AT - 1, model.leased.pop(run)[1])
            elif model.leased:
                await left(store, model, sorted(model.leased)[rest[0] % len(model.leased)], word)
        at = await claims.next()
        assert (at is not None) == bool(model.eligible(caps, most or 99))


async def start(store: Store, model: Model, lane: int, at: int) -> None:
    put = Write("due_put", {"tenant": "default", "lane": lane, "at": at, "owner": 0})
    done = await store.append(Append((Entry(NEW, 0, (started(),), (put,)),), AT, "ann"))
    model.waiting[done.streams[0]] = (at, lane)


async def left(store: Store, model: Model, run: int, word: str) -> None:
    _, lane = model.leased.pop(run)
    if word == "end":
        await store.write(Write("due_drop", {"stream": run}))
        return
    place: dict[str, Any] = {
        "stream": run,
        "tenant": "default",
        "lane": lane,
        "at": AT - 2,
        "owner": 0,
    }
    await store.write(Write("due_put", place))
    model.waiting[run] = (AT - 2, lane)


@settings(max_examples=40)
@given(moves, st.sampled_from([0, MOST]))
def test_no_sequence_of_claims_exceeds_a_limit_or_passes_the_oldest_over(
    wanted: list[tuple[Any, ...]], most: int
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(played(Path(folder) / "h.db", wanted, most))


# -- engines: what users see ---------------------------------------------------------------------


class Shop:
    """The outside: how many are in it at a time, of each workflow and in all."""

    def __init__(self) -> None:
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.order: list[Any] = []
        self.came = asyncio.Condition()
        self.gate = asyncio.Semaphore(0)

    async def visit(self, given: Any) -> Any:
        who = given["who"]
        self.order.append(given["n"])
        self.inside.update((who, "all"))
        self.most |= self.inside
        async with self.came:
            self.came.notify_all()
        await self.gate.acquire()
        self.inside.subtract((who, "all"))
        async with self.came:
            self.came.notify_all()

    async def settled(self, left: int, few: int, everybody: int) -> None:
        """Return when so many have left and so `few` are inside again, or everybody has come."""

        def again() -> bool:
            out = len(self.order) - self.inside["all"]
            return out == left and (self.inside["few"] == few or len(self.order) == everybody)

        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(again)

    async def filled(self, **wanted: int) -> None:
        """Return when so many are inside."""
        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: all(self.inside[w] >= n for w, n in wanted.items()))

    def functions(self) -> dict[str, PythonTask]:
        return {"look": PythonTask(self.visit, Effect.READ)}


def limited(name: str, limit: int | None) -> dict[str, Any]:
    number = {"n": {"type": "integer", "default": 0, "description": "A number."}}
    step = {"id": "a", "taskRef": "t", "input": {"who": name, "n": "{{input.n}}"}}
    return flow(name, [step], input=number, **({"concurrency": limit} if limit else {}))


async def ended(engine: Engine, runs: list[str]) -> None:
    for run in runs:
        assert (await engine.wait(run, 5)).status == "completed"


async def test_a_limit_holds_for_two_processes_and_holds_up_nobody_else(tmp_path: Path) -> None:
    shop = Shop()
    write(tmp_path / "documents", look("t"), limited("few", 2), limited("many", None))
    async with AsyncExitStack() as stack:
        engines = [
            await stack.enter_async_context(engine_over(tmp_path, shop.functions()))
            for _ in range(2)
        ]
        runs = [(await engine.start("few", {"n": n})).id for n in range(4) for engine in engines]
        runs += [(await engine.start("many", {})).id for engine in engines]
        await shop.filled(few=2, many=2)
        assert shop.most["few"] == 2
        for left in range(len(runs)):
            shop.gate.release()
            await shop.settled(left + 1, few=2, everybody=len(runs))
        await ended(engines[0], runs)
        assert shop.most["few"] == 2
        order = [n for n in shop.order if n]
        assert order == sorted(order), "the oldest goes first"


async def test_a_limit_on_all_runs_holds_for_two_processes(tmp_path: Path) -> None:
    shop = Shop()
    write(tmp_path / "documents", look("t"), limited("w", None))
    async with AsyncExitStack() as stack:
        engines = [
            await stack.enter_async_context(engine_over(tmp_path, shop.functions(), most=3))
            for _ in range(2)
        ]
        runs = [(await engine.start("w", {})).id for _ in range(4) for engine in engines]
        await shop.filled(all=3)
        for _ in runs:
            shop.gate.release()
        await ended(engines[1], runs)
        assert shop.most["all"] == 3


async def test_a_changed_limit_reaches_the_runs_that_wait(tmp_path: Path) -> None:
    shop = Shop()
    documents = tmp_path / "documents"
    write(documents, look("t"), limited("w", 1))
    async with engine_over(tmp_path, shop.functions()) as engine:
        runs = [(await engine.start("w", {})).id for _ in range(4)]
        await shop.filled(w=1)
        write(documents, look("t"), limited("w", 3))
        await engine.refresh()
        await shop.filled(w=3)
        for _ in runs:
            shop.gate.release()
        await ended(engine, runs)
        assert shop.most["w"] == 3


async def test_runs_that_waited_before_there_was_a_limit_are_counted(tmp_path: Path) -> None:
    shop = Shop()
    documents = tmp_path / "documents"
    write(documents, look("t"), limited("w", None))
    async with engine_over(tmp_path, shop.functions(), work=False) as asks:
        runs = [(await asks.start("w", {})).id for _ in range(4)]
        write(documents, look("t"), limited("w", 1))
        await asks.refresh()
        async with engine_over(tmp_path, shop.functions()) as works:
            await shop.filled(w=1)
            for _ in runs:
                shop.gate.release()
            await ended(works, runs)
    assert shop.most["w"] == 1


async def test_a_run_that_sleeps_holds_no_place(tmp_path: Path) -> None:
    shop = Shop()
    rest = {"rest": "{{input.rest}}"}
    nap = {"id": "z", "type": "sleep", "sleep": {"duration": "{{input.rest}}"}, "input": rest}
    visit = {"id": "a", "taskRef": "t", "input": {"who": "w", "n": 0}, "dependsOn": ["z"]}
    inputs = {"rest": {"type": "string", "required": True, "description": "How long."}}
    write(tmp_path / "documents", look("t"), flow("w", [nap, visit], input=inputs, concurrency=1))
    async with engine_over(tmp_path, shop.functions()) as engine:
        await engine.start("w", {"rest": "1h"})
        run = await engine.start("w", {"rest": "1ms"})
        await shop.filled(w=1)
        shop.gate.release()
        await ended(engine, [run.id])
