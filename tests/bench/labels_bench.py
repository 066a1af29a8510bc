"""Filtered lists with their counts over a catalogue of a hundred thousand labelled workflows.

The labels are those of the Debian archive where `HANDRAIL_DATA` points to the shared data, made up
to the number with a few labels changed, and otherwise invented with as uneven a use. Measured is
what a tool asks for, a page of twenty and how many fit in total, for filters as people write them:
by one that is kept from before, by one whose words are read for the first time, and by the first
after somebody has changed the catalogue. Run as `python -m tests.bench.labels_bench [WORKFLOWS]`.
"""

import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.core.labels.filter import EVERYTHING, Filter
from engine.core.model import Effect
from engine.core.views import WorkflowInfo
from engine.store.paper_lists import Lists
from engine.store.paper_marks import put_marks, workflow_marks
from engine.store.paper_rows import Standing, info_text, labels_of, labels_text
from engine.store.papers import Papers
from tests.bench.bars import judged

WORKFLOWS = int(os.environ.get("HANDRAIL_BENCH_WORKFLOWS", "100000"))
ASKED = 2_000
_FIRST = ("", "")


def labelled(count: int, chance: random.Random) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, tags and categories of so many workflows."""
    rows = list(_debian() or _invented(count, chance))
    every = [tag for _, tags, _ in rows for tag in tags]
    for number in range(count):
        name, tags, categories = rows[number % len(rows)]
        if number >= len(rows):
            name = f"{name}-{number}"
            tags = [tag for tag in tags if chance.random() > 0.2] + [chance.choice(every)]
        yield name, tags, categories


def _debian() -> list[tuple[str, list[str], list[str]]]:
    place = os.environ.get("HANDRAIL_DATA")
    if not place:
        return []
    with gzip.open(Path(place) / "graphs" / "labels_debian_full.jsonl.gz", "rt") as lines:
        rows = map(json.loads, lines)
        return [(row["workflow"], row["tags"], row["categories"]) for row in rows]


def _invented(count: int, chance: random.Random) -> Iterator[tuple[str, list[str], list[str]]]:
    tags = [f"area{number % 20}::word-{number}" for number in range(600)]
    weights = [1 / (rank + 1) for rank in range(len(tags))]
    for number in range(count):
        some = chance.choices(tags, weights, k=chance.randrange(9))
        yield f"flow-{number}", some, [f"section-{chance.randrange(40)}"]


def filled(place: Path, count: int) -> Papers:
    """Papers with so many labelled workflows, and nothing to search them by."""
    papers, chance = Papers(place, "bench"), random.Random(5)
    papers.begin()
    for number, (name, tags, categories) in enumerate(labelled(count, chance), 1):
        effect = chance.choice(list(Effect))
        info = WorkflowInfo(
            f"team-{number % 7}", name, "1.0.0", "", effect, False, False,
            tuple(categories), tuple(tags), (), 1,
        )  # fmt: skip
        digest = f"{number:064x}"
        standing = Standing(number, info.namespace, name, "", digest, effect.value, False)
        papers.put_workflow(standing, info_text(info), ())
        put_marks(papers.db, number, workflow_marks(info))
        papers.db.execute(
            "update workflows set shown = digest, hidden = 0, labels = ? where document = ?",
            (labels_text(labels_of(info)), number),
        )
    papers.commit()
    return papers


def filters(lists: Lists, chance: random.Random) -> Iterator[Filter]:
    """Filters as people write them: mostly of labels that stand together somewhere."""
    infos, _ = lists.page(EVERYTHING, _FIRST, -1)
    able = [info for info in infos if len(info.tags) > 1 and info.categories]
    for number in range(ASKED):
        one, other = chance.choice(able), chance.choice(able)
        two, tag = tuple(chance.sample(one.tags, 2)), chance.choice(one.tags)
        yield (
            Filter(all_tags=(tag,)),
            Filter(all_tags=two, categories=one.categories),
            Filter(any_tags=(*two, *other.tags)),
            Filter(categories=one.categories, exclude_tags=two),
            Filter(tag_pattern=f"{tag.partition('::')[0]}*", namespace=one.namespace),
            Filter(all_tags=(tag,), effect=one.effect.value),
            Filter(exclude_tags=(tag,)),
        )[number % 7]


def _asked(lists: Lists, wanted: Filter, after: tuple[str, str] = _FIRST) -> float:
    """Milliseconds of this thread that a page and its count take."""
    begun = time.thread_time()
    lists.page(wanted, after, 21)
    return (time.thread_time() - begun) * 1_000


def measure(place: Path, count: int) -> dict[str, list[float]]:
    """What each filter took: warm, behind a name in the middle, cold, and after a change."""
    papers, taken = filled(place, count), dict[str, list[float]]()
    wanted = list(filters(papers.lists, random.Random(7)))
    taken["first"] = [_asked(papers.lists, each) for each in wanted]
    taken["again"] = [_asked(papers.lists, each) for each in wanted]
    taken["middle"] = [_asked(papers.lists, each, ("team-3", "m")) for each in wanted]
    taken["after_a_change"] = []
    for number, each in enumerate(wanted[:60]):
        changed = [("workflow.tag", f"new-{number}"), ("workflow.effect", "read")]
        put_marks(papers.db, number + 1, changed)
        taken["after_a_change"].append(_asked(papers.lists, each))
    papers.close()
    return taken


def report(count: int = WORKFLOWS) -> dict[str, Any]:
    """The bar and what else was seen."""
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(Path(folder) / "catalogue", count)
    seen = {name: _seen(each) for name, each in taken.items()}
    every = sorted([*taken["first"], *taken["again"], *taken["middle"]])
    data = "debian" if os.environ.get("HANDRAIL_DATA") else "invented: HANDRAIL_DATA is not set"
    bar = judged("label_filter", every[len(every) * 95 // 100], workflows=count, labels=data)
    return {"bench": "labels", "seen_ms": seen, "bars": {"label_filter": bar}}


def _seen(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    places = {"p50": 50, "p95": 95, "p99": 99}
    found = {name: ordered[len(ordered) * part // 100] for name, part in places.items()}
    return {name: round(value, 3) for name, value in [*found.items(), ("most", ordered[-1])]}


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else WORKFLOWS
    sys.stdout.write(json.dumps(report(count), indent=1) + "\n")


if __name__ == "__main__":
    main()
