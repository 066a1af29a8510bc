"""Validate and plan a workflow of 500 steps: from the document's values to the first calls.

Time of this thread only, beside a yardstick (`pace.py`). Cold is a document whose texts were never
seen before in the process; warm is the same document again. Run as
`python -m tests.bench.plan_bench`; it prints one JSON value.
"""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from engine.core import events as ev
from engine.core.definition import RawDocument, parse_documents
from engine.core.plan import Planner
from engine.core.run import Run, evolve
from tests.bench.bars import judged
from tests.bench.pace import Beside, undisturbed, yardstick
from tests.bench.workload import print_report
from tests.core.worlds import FUNCTIONS, Shelf, flow, look, task

STEPS = 500
REPEATS = 40


def documents(salt: str, steps: int = STEPS) -> list[RawDocument]:
    """A workflow of `steps` steps with its tasks; no text of it is in one of another salt."""
    tasks = [_step(salt, number) for number in range(steps)]
    last = f"{salt}-{steps - 1}"
    fields = {name: {"type": "string", "description": "D."} for name in ("id", "region")}
    fields["total"] = {"type": "number", "description": "D."}
    whole = flow("wide", tasks, input=fields, output={"end": f"{{{{tasks.{last}.output.total}}}}"})
    schema = {"type": "object", "properties": {"total": {"type": "number"}, "ref": {}}}
    score = task("score", type="python", python={"function": "look"}, inputSchema=schema)
    return [RawDocument("b.yaml", n, d) for n, d in enumerate([look("fetch"), score, whole])]


def _step(salt: str, n: int) -> dict[str, Any]:
    name, before = f"{salt}-{n}", f"{salt}-{max(0, n - 1)}"
    far = f"{salt}-{n // 2}"
    if n < 10:
        return {"id": name, "taskRef": "fetch", "input": {"id": "{{input.id}}", "n": n}}
    given: dict[str, Any]
    match n % 5:
        case 0:
            given = {"id": f"{{{{tasks.{before}.output.id}}}}", "limit": 10, "kind": "plain"}
        case 1:
            given = {"text": f"order {{{{tasks.{far}.output.ref}}}} of {{{{input.region}}}} ({n})"}
        case 2:
            return {
                "id": name,
                "taskRef": "score",
                "input": {"total": f"{{{{tasks.{before}.output.total}}}}", "ref": name},
                "condition": f"tasks.{far}.output.total > {n}",
            }
        case 3:
            given = {"sum": f"{{{{tasks.{before}.output.total}}}}", "tags": ["a", name]}
        case _:
            given = {"address": {"city": f"{{{{tasks.{far}.output.address.city}}}}", "n": n}}
    return {"id": name, "taskRef": "fetch", "input": given, "dependsOn": [before]}


def validated(raw: list[RawDocument]) -> Any:
    """The workflow, once its documents have been checked."""
    catalogue = parse_documents(raw, FUNCTIONS)
    assert not catalogue.errors, catalogue.errors[:3]
    return catalogue.workflows[("default", "wide")]


def planned(workflow: Any) -> None:
    """What a new run of it would do first."""
    given = {"id": "7", "region": "eu", "total": 3}
    started = ev.RunStarted(
        "u", "default", "wide", "1.0.0", workflow.digest, "workflow", given, True
    )
    run = evolve(Run(), started)
    decision = Planner(run, workflow, Shelf({"wide": workflow})).advance(1_000)
    assert decision.calls


def measure(repeats: int = REPEATS) -> dict[str, list[Beside]]:
    """Milliseconds of this thread: both parts together, cold and warm, and planning alone."""
    taken: dict[str, list[Beside]] = {"cold": [], "warm": [], "plan": []}
    for number in range(repeats):
        raw = documents(f"s{number}x")
        gc.collect()
        taken["cold"].append(_timed(_both, raw))
        taken["warm"].append(_timed(_both, raw))
        workflow = validated(raw)
        taken["plan"].append(_timed(planned, workflow))
    return taken


def _both(raw: list[RawDocument]) -> None:
    planned(validated(raw))


def _timed(work: Callable[[Any], Any], value: Any) -> Beside:
    before = yardstick()
    begun = time.thread_time()
    work(value)
    taken = (time.thread_time() - begun) * 1_000
    return Beside(taken, (before + yardstick()) / 2)


def report(repeats: int = REPEATS) -> dict[str, Any]:
    """What it takes where nobody is in the way, and what was seen."""
    found = measure(repeats)
    taken = {name: [each.taken for each in both] for name, both in found.items()}
    figures = {name: round(undisturbed(each), 2) for name, each in found.items()}
    seen = {
        name: {"fastest": round(min(each), 2), "p50": round(statistics.median(each), 2)}
        for name, each in taken.items()
    }
    bar = judged("validate_and_plan_500", figures["cold"], seen_ms=seen["cold"])
    bars = {"validate_and_plan_500": bar}
    return {"bench": "plan", "steps": STEPS, "ms": figures, "seen_ms": seen, "bars": bars}


if __name__ == "__main__":
    print_report(report)
