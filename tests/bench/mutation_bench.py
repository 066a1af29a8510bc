"""Mutations: a durable intent, the call, a durable result; ten such steps to a run, 64 abreast.

A mutation needs a grant to begin, and who gives grants is not built yet. So what is measured is
the way that it will go, step by step, with the real planner, decider and store, and a grant made
up here; looking the grant up is all that is missing. Beside it plain Python keeps the same facts
(`plain.py`), in turns, since a machine that others use is now fast and now slow. Run as
`python -m tests.bench.mutation_bench`; it prints one JSON value.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from engine.app.engine import FEATURES
from engine.core import events as ev
from engine.core.log import NEW, Append, Entry, Write
from engine.core.model import Effect, Workflow
from engine.core.plan import Planner
from engine.core.run import Begin, Report, Run, Succeed, decide, evolve
from engine.store import Store, open_store
from tests.bench.bars import judged
from tests.bench.plain import Plain
from tests.bench.workload import SECONDS, chain, closed_loop, noop, print_report
from tests.core.worlds import Shelf, compile_all, task

ABREAST, STEPS, ROUNDS, NOW = 64, 10, 10, 10**15


def workflow() -> Workflow:
    """Ten steps that change something outside."""
    send = task("send", type="python", python={"function": "send"})
    return compile_all(send, chain("writes", STEPS, "send"))["writes"]


async def one_run(store: Store, flow: Workflow, shelf: Shelf) -> None:
    """A run from its start to its end, each fact durable before the next."""
    started = ev.RunStarted(
        os.urandom(16).hex(), "default", flow.name, "1.0.0", flow.digest, "workflow", {}, True
    )
    run, version = evolve(Run(), started), 1
    lease = Write("due_put", {"tenant": "default", "lane": 0, "at": NOW, "owner": 7})
    done = await store.append_soon(asked(NEW, 0, [started], lease))
    (stream,) = done.streams
    planner = Planner(run, flow, shelf)
    while not (decision := planner.advance(NOW)).idle:
        assert not decision.events
        (call,) = decision.calls
        await noted(store, run, stream, version, Begin(call.path, Effect.MUTATION, "bench"))
        result = Succeed(call.path, await noop(call.input), "default/send", NOW)
        await noted(store, run, stream, version + 1, result)
        version += 2
    await store.append_soon(asked(stream, version, decision.events, Write("due_drop", {})))


async def noted(store: Store, run: Run, stream: int, version: int, report: Report) -> None:
    """What follows from a report, durable."""
    (event,) = decide(run, report)
    evolve(run, event)
    await store.append_soon(asked(stream, version, [event]))


def asked(stream: int, version: int, events: Any, *also: Write) -> Append:
    """What a drive asks the store for."""
    return Append((Entry(stream, version, tuple(events), also),), NOW, "worker:7")


async def measured(folder: Path) -> list[dict[str, float]]:
    """Steps a second of the floor and of ours, in turns."""
    flow = workflow()
    shelf, found, plain = Shelf({flow.name: flow}), [], Plain(folder / "plain.db")
    async with open_store(folder / "bench.db", FEATURES, os.urandom, NOW) as store:
        for abreast in (8, *[ABREAST] * ROUNDS):
            floor = await closed_loop(lambda: plain.run(STEPS), abreast, SECONDS / 6)
            cpu = time.process_time()
            ours = await closed_loop(lambda: one_run(store, flow, shelf), abreast, SECONDS / 6)
            cpu = time.process_time() - cpu
            found.append({
                "per_second": ours.per_second * STEPS, "plain": floor.per_second * STEPS,
                "cpu_us_a_step": round(cpu / (ours.count * STEPS) * 1e6, 1),
            })  # fmt: skip
    await plain.close()
    return found[1:]


def report() -> dict[str, Any]:
    """The middle of the ratios, and the rates for information."""
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measured(Path(name)))
    ratio = statistics.median(each["per_second"] / each["plain"] for each in found)
    middle = {name: statistics.median(each[name] for each in found) for name in found[0]}
    best = max(each["per_second"] for each in found)
    how = "planner, decider and store with a made-up grant"
    bar = judged("mutation_steps", round(ratio, 3), how=how, best_per_second=best, **middle)
    return {"rounds": found, "bars": {"mutation_steps": bar}}


if __name__ == "__main__":
    print_report(report)
