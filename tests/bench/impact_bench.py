"""The blast radius over the graph of the Debian archive: 63,666 workflows, 264,761 edges.

Where `HANDRAIL_DATA` points to the shared data, that graph and the one of n8n's public workflows;
otherwise one that is invented with as uneven a use. Measured is the processor's time of what the
tool does, a search of three steps and a page of a hundred with complete counts, from tasks chosen
by chance; beside it the whole answer, what a change of a document costs, and the memory of the
edges. Run as `python -m tests.bench.impact_bench`.
"""

import gzip
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.core.impact.adjacency import WORKFLOW, Adjacency, Key, ranked
from engine.core.impact.radius import radius
from engine.core.impact.spread import Spread, spread
from tests.bench.bars import judged
from tests.bench.pace import Beside, undisturbed, yardstick

STARTS = int(os.environ.get("HANDRAIL_BENCH_STARTS", "200"))
WORKFLOWS = int(os.environ.get("HANDRAIL_BENCH_WORKFLOWS", "63666"))
DEPTH, PAGE, WORST = 3, 100, 5


def graph(name: str) -> Adjacency:
    """The workflows of a graph with the tasks that they use."""
    rows = dict(_read(name) or _invented())
    tasks = sorted({task for used in rows.values() for task in used})
    numbers = {task: number for number, task in enumerate(tasks)}
    uses = (
        (len(tasks) + number, sorted({numbers[task] for task in rows[workflow]}))
        for number, workflow in enumerate(sorted(rows))
    )
    return ranked([tasks, sorted(rows), []], uses)


def _read(name: str) -> list[tuple[str, list[str]]]:
    place = os.environ.get("HANDRAIL_DATA")
    if not place:
        return []
    with gzip.open(Path(place) / "graphs" / f"graph_{name}.jsonl.gz", "rt") as lines:
        return [(row["workflow"], row["tasks"]) for row in map(json.loads, lines)]


def _invented() -> Iterator[tuple[str, list[str]]]:
    chance = random.Random(7)
    tasks = [f"task-{number}" for number in range(WORKFLOWS // 2)]
    for number in range(WORKFLOWS):
        common = [tasks[int(chance.paretovariate(0.3)) % 200] for _ in range(2)]
        yield f"flow-{number}", [*common, *chance.sample(tasks, 2)]


def timed(work: Callable[[], Any]) -> Beside:
    """Seconds of this thread for some work, beside the yardstick."""
    before = time.thread_time()
    work()
    return Beside(time.thread_time() - before, yardstick())


def asked(edges: Adjacency, start: int) -> Spread:
    """What the tool does; the search is given back."""
    found = spread(edges, start, DEPTH)
    radius(edges, found, DEPTH, limit=PAGE)
    return found


def searched(edges: Adjacency) -> dict[str, float]:
    """Middle and worst of many searches, in milliseconds of a processor that nobody shares."""
    chance = random.Random(3)
    starts = [chance.randrange(edges.stops[WORKFLOW]) for _ in range(STARTS)]
    each = {start: timed(lambda start=start: asked(edges, start)) for start in starts}  # type: ignore[misc]
    fastest = min(found.yardstick for found in each.values())
    paced = {start: one.taken / one.yardstick * fastest for start, one in each.items()}
    worst = sorted(paced, key=paced.__getitem__)[-WORST:]
    again = [[timed(lambda one=one: asked(edges, one)) for _ in range(5)] for one in worst]  # type: ignore[misc]
    return {
        "p50": sorted(paced.values())[len(paced) // 2] * 1e3,
        "max": max(map(undisturbed, again)) * 1e3,
    }


def report() -> dict[str, Any]:
    """Everything that is measured, with the bars."""
    edges = graph("debian")
    found = searched(edges)
    busiest = max(edges.hubs, key=edges.users.count)
    whole = spread(edges, busiest, DEPTH)
    one = edges.key(edges.stops[WORKFLOW])
    fresh, rewired = {Key(WORKFLOW, "new"): [edges.key(busiest)]}, {one: [edges.key(busiest)]}
    packed = (edges.uses, edges.users)
    return {
        "bars": {
            "impact_p50": judged("impact_p50", found["p50"]),
            "impact_max": judged("impact_max", found["max"]),
        },
        "graph": {
            "from": "debian" if os.environ.get("HANDRAIL_DATA") else "invented",
            "tasks": edges.stops[WORKFLOW],
            "workflows": edges.stops[WORKFLOW + 1] - edges.stops[WORKFLOW],
            "edges": len(edges.uses.numbers),
        },
        "whole_answer_ms": timed(lambda: radius(edges, whole, DEPTH)).taken * 1e3,
        "one_more_ms": timed(lambda: edges.changed(fresh)).taken * 1e3,
        "one_rewired_ms": timed(lambda: edges.changed(rewired)).taken * 1e3,
        "packed_mb": sum(_bytes(rows) for rows in packed) / 1e6,
        "known_beforehand_mb": sum(len(b.users) + len(b.parts) for b in edges.broad) / 1e6,
        "n8n": searched(graph("n8n")),
        "first": [edges.key(number).name for number in edges.hubs[:3]],
    }


def _bytes(rows: Any) -> int:
    return sys.getsizeof(rows.begins) + sys.getsizeof(rows.numbers)


if __name__ == "__main__":
    print(json.dumps(report(), indent=2))  # noqa: T201 - that is what it is for
