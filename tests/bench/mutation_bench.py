"""Mutations: a durable intent, the call, a durable result; ten such steps to a run, 64 abreast.

A mutation needs a grant to begin, and who gives grants is not built yet. So what is measured is
the way that it will go, step by step, with the real planner, decider and store, and a grant made
up here; looking the grant up is all that is missing. Run as
`python -m tests.bench.mutation_bench`; it prints one JSON value.
"""

import asyncio
import os
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
from tests.bench.workload import SECONDS, chain, closed_loop, noop, print_report
from tests.core.worlds import Shelf, compile_all, task

ABREAST, STEPS, ROUNDS, NOW = 64, 10, 3, 10**15


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


async def measured(path: Path) -> list[dict[str, float]]:
    """Steps a second, by the clock and by the processor's time, a few times over."""
    flow = workflow()
    shelf, found = Shelf({flow.name: flow}), []
    async with open_store(path, FEATURES, os.urandom, NOW) as store:
        await closed_loop(lambda: one_run(store, flow, shelf), 8, SECONDS / 6)
        for _ in range(ROUNDS):
            cpu = time.process_time()
            rate = await closed_loop(lambda: one_run(store, flow, shelf), ABREAST, SECONDS / 2)
            cpu = time.process_time() - cpu
            steps = rate.count * STEPS
            spent = round(cpu / steps * 1e6, 1)
            found.append({"per_second": rate.per_second * STEPS, "cpu_us_a_step": spent})
    return found


def report() -> dict[str, Any]:
    """The best of a few: it is a rate by the clock, on a machine that others use too."""
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measured(Path(name) / "bench.db"))
    best = max(found, key=lambda each: each["per_second"])
    how = "planner, decider and store with a made-up grant; best of three"
    return {"rounds": found, "bars": {"mutation_steps": judged(
        "mutation_steps", best["per_second"], how=how, cpu_us_a_step=best["cpu_us_a_step"]
    )}}  # fmt: skip


if __name__ == "__main__":
    print_report(report)
