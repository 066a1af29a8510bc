"""How long a search takes over catalogues of a thousand, ten thousand and a hundred thousand.

A catalogue is made by perturbing real tools where HANDRAIL_DATA names the folder that has them,
else by perturbing workflows that are made up: names and words change from copy to copy, so that
common words become very common. It lies in a file, as a large catalogue does. The time is that of
the thread, beside a yardstick (see pace.py); once by words alone, once with the vectors of the
extra `semantic`. Run as `python -m tests.bench.search_bench`; it prints one JSON value.
"""

import gzip
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.app.evaluation import item
from engine.core.views import WorkflowInfo
from engine.shell.encoders import ranking_of
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import Papers
from engine.store.search import PLAIN, Ranking
from tests.bench import catalogue
from tests.bench.bars import judged
from tests.bench.pace import Beside, undisturbed, yardstick

WORKFLOWS = int(os.environ.get("HANDRAIL_BENCH_WORKFLOWS", "100000"))
_QUERIES = 200
_SIZES = {1_000: "search_1000", 10_000: "search_10000", 100_000: "search_100000"}


def originals() -> tuple[str, list[WorkflowInfo], list[str]]:
    """What is perturbed: where it is from, the workflows, and what is asked."""
    folder = os.environ.get("HANDRAIL_DATA")
    if not folder:
        infos = [item(line) for line in catalogue.tools(2_000)]
        return "made up; HANDRAIL_DATA is not set", infos, [info.description for info in infos]
    data = Path(folder) / "discovery"
    with gzip.open(data / "catalog.jsonl.gz", "rt", encoding="utf-8") as lines:
        infos = [item(json.loads(line)) for line in lines]
    text = (data / "dev_search.jsonl").read_text(encoding="utf-8")
    return "real tools", infos, [json.loads(line)["query"] for line in text.splitlines()]


def perturbed(infos: Sequence[WorkflowInfo], count: int, seed: int = 1) -> Iterator[WorkflowInfo]:
    """So many workflows: the originals first, then copies with other names and words."""
    chance = random.Random(seed)
    words = sorted({word for info in infos for word in info.description.split()})
    for number in range(count):
        info = infos[number % len(infos)]
        if number >= len(infos):
            said = info.description.split()
            for at in chance.sample(range(len(said)), len(said) // 5):
                said[at] = chance.choice(words)
            name = f"{info.name}_{chance.choice(words).strip('.,').lower()}_{number}"
            info = replace(info, name=name, description=" ".join(said))
        yield info


def written(path: Path, infos: Iterator[WorkflowInfo], ranking: Ranking) -> None:
    """A catalogue in a file, as if its documents had been read."""
    papers = Papers(path, "bench", ranking)
    papers.begin()
    for number, info in enumerate(infos, 1):
        digest = f"{number:064x}"
        key = (info.namespace, f"{info.name}-{number}", "1.0.0")
        papers.put_workflow(Standing(number, *key, digest, "read", False), info_text(info), ())
        papers.show(number, digest, 0)
    papers.show_all(())
    papers.commit()
    papers.close()


def searched(path: Path, queries: Sequence[str], ranking: Ranking) -> list[Beside]:
    """The time of each query, by words that nobody has asked for before."""
    papers = Papers(path, "bench", ranking)
    papers.lists.search("warm", 5)
    found = []
    for query in queries:
        before = yardstick()
        begun = time.thread_time()
        papers.lists.search(query, 5)
        taken = time.thread_time() - begun
        found.append(Beside(taken * 1_000, (before + yardstick()) / 2))
    papers.close()
    return found


def p95(found: Sequence[Beside]) -> float:
    """What 95 of 100 queries take at most where nobody is in the way, in ms."""
    fastest = min(each.yardstick for each in found)
    return statistics.quantiles([each.taken / each.yardstick * fastest for each in found], n=20)[18]


def report(folder: Path, workflows: int = WORKFLOWS) -> dict[str, Any]:
    """Every size up to `workflows`; the vectors lie in the same file, beside the words."""
    source, infos, queries = originals()
    asked = random.Random(2).sample(queries, min(_QUERIES, len(queries)))
    found: dict[str, Any] = {"catalogue": source, "sizes": {}, "bars": {}}
    meaning = ranking_of("")
    for size, bar in _SIZES.items():
        path = folder / str(size)
        written(path, perturbed(infos, min(size, workflows)), meaning)
        how = "measured" if size <= workflows else f"over {workflows} only"
        kinds = {"": PLAIN} | ({"_meaning": meaning} if meaning.source else {})
        for kind, ranking in kinds.items():
            times = searched(path, asked, ranking)
            found["sizes"][f"{size}{kind}"] = {
                "p50_ms": round(undisturbed(times), 2),
                "mb": round(path.stat().st_size / 2**20, 1),
            }
            found["bars"][bar + kind] = judged(bar + kind, p95(times), how=how)
    return found


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(report(Path(name)), indent=1) + "\n")


if __name__ == "__main__":
    main()
