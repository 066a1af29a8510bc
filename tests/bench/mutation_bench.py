"""Mutations: a durable intent, the call, a durable result; ten such steps to a run, 64 abreast.

The engine as it is, with a rule of a policy file that grants. Beside it plain Python keeps the same
facts (`plain.py`), in turns, since a machine that others use is now fast and now slow. Run as
`python -m tests.bench.mutation_bench`; it prints one JSON value.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from engine import Engine, PythonTask, Settings, open_engine
from tests.bench.bars import judged
from tests.bench.plain import Plain
from tests.bench.workload import SECONDS, chain, closed_loop, noop, print_report
from tests.core.worlds import task

ABREAST, STEPS, ROUNDS = 64, 10, 10
POLICY = """
rules:
  - {id: bench, when: {workflow: [default/writes]}, then: {auto: true, budget: 100000/m}}
"""


def settings(folder: Path) -> Settings:
    """Ten steps that change something outside, and a rule that lets them."""
    documents = folder / "documents"
    documents.mkdir()
    send = task("send", type="python", python={"function": "send"})
    text = yaml.safe_dump_all([send, chain("writes", STEPS, "send")], sort_keys=False)
    (documents / "all.yaml").write_text(text)
    (folder / "policy.yaml").write_text(POLICY)
    return Settings(
        str(folder / "bench.db"),
        (documents,),
        functions={"send": PythonTask(noop)},
        concurrency=ABREAST,
        policy=folder / "policy.yaml",
    )


async def one_run(engine: Engine) -> None:
    """A run from its start to its end, each fact durable before the next."""
    run = await engine.start("writes", {})
    ended = await engine.wait(run.id, 60)
    assert ended.status == "completed", ended


async def measured(folder: Path) -> list[dict[str, float]]:
    """Steps a second of the floor and of ours, in turns."""
    found, plain = [], Plain(folder / "plain.db")
    async with open_engine(settings(folder)) as engine:
        await one_run(engine)
        for abreast in (8, *[ABREAST] * ROUNDS):
            floor = await closed_loop(lambda: plain.run(STEPS), abreast, SECONDS / 6)
            cpu = time.process_time()
            ours = await closed_loop(lambda: one_run(engine), abreast, SECONDS / 6)
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
    how = "the engine whole, granted by a rule"
    bar = judged("mutation_steps", round(ratio, 3), how=how, best_per_second=best, **middle)
    return {"rounds": found, "bars": {"mutation_steps": bar}}


if __name__ == "__main__":
    print_report(report)
