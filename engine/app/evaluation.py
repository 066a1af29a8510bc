"""How good discovery is on examples: catalogues of several sizes, queries, what was meant.

A catalogue is sampled with what was meant inside. Every query is asked twice: with what was meant,
and, as a query that has no answer, with it left out; one in four counts as such. The samples
follow from names alone, so that everybody measures the same. Nothing is read or written here.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from engine.core.discovery.rank import SURE
from engine.core.found import Found
from engine.core.model import Effect
from engine.core.schema import fields
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.store.search import PLAIN, Ranking, in_memory

SIZES = (20, 50, 100, 500, 1_000)
UNANSWERABLE = 0.25
"""The share of queries that nothing in the catalogue answers."""
_FIRST = 5


@value
class Query:
    """What somebody asked, and the full names of what would have been right.

    `rejected` are those that were offered and turned down.
    """

    id: str
    text: str
    gold: frozenset[str]
    rejected: frozenset[str] = frozenset()


@value
class Sample:
    """A catalogue and queries whose answers are in it."""

    infos: tuple[WorkflowInfo, ...]
    queries: tuple[Query, ...]


@value
class Figures:
    """What was measured; shares of 1.

    `hit_at_1`: the first hit was right; `recall_at_5`: one of the first five was. Of answers with
    a confidence of 0.8: `precision` is the share that was right, `coverage` the share of all
    queries that got one, `accepted_unanswerable` the same of those that have no answer; `told`
    is the share of these that were told that nothing fits, `told_wrongly` of the others.
    """

    queries: int
    hit_at_1: float
    recall_at_5: float
    precision: float
    coverage: float
    accepted_unanswerable: float
    told: float
    told_wrongly: float


def item(line: Mapping[str, Any]) -> WorkflowInfo:
    """A catalogue entry as JSON: name, description, input_schema, tags, categories.

    What stands before the first slash of a name is its namespace.
    """
    space, slash, name = str(line["name"]).partition("/")
    kinds = (str(kind).rpartition(".")[2] for kind in line.get("node_types", ()))
    return WorkflowInfo(
        namespace=space if slash else "default",
        name=name if slash else space,
        version="1.0.0",
        description=str(line.get("description", "")),
        effect=Effect.READ,
        pending=False,
        deprecated=False,
        categories=tuple(line.get("categories", ())),
        tags=(*line.get("tags", ()), *kinds),
        inputs=fields(line.get("input_schema") or {}),
        steps=1,
    )


def query(line: Mapping[str, Any]) -> Query:
    """A query as JSON: id, query, gold (full names)."""
    gold = (name if "/" in name else f"default/{name}" for name in line["gold"])
    return Query(str(line["id"]), str(line["query"]), frozenset(gold))


def for_test(query: Query) -> bool:
    """Whether a query is kept for measuring: every other one, by its id."""
    return _mark(query.id) % 2 == 1


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def full_name(info: WorkflowInfo) -> str:
    """Namespace and name."""
    return f"{info.namespace}/{info.name}"


def samples(infos: Sequence[WorkflowInfo], queries: Iterable[Query], size: int) -> Iterator[Sample]:
    """Catalogues of `size`, each with queries whose answers are inside, at most a quarter of it."""
    by_name = {full_name(info): info for info in infos}
    mixed = sorted(by_name, key=lambda name: _mark(f"{size} {name}"))
    asked = sorted(queries, key=lambda query: _mark(f"{size} {query.id}"))
    group: list[Query] = []
    gold: set[str] = set()
    for each in asked:
        if group and len(gold | each.gold) > max(size // 4, 1):
            yield _sample(by_name, mixed, group, gold, size)
            group, gold = [], set()
        group.append(each)
        gold |= each.gold & by_name.keys()
    if group:
        yield _sample(by_name, mixed, group, gold, size)


def _sample(
    by_name: Mapping[str, WorkflowInfo],
    mixed: Sequence[str],
    group: Iterable[Query],
    gold: Collection[str],
    size: int,
) -> Sample:
    queries = tuple(group)
    start = _mark(queries[0].id) % len(mixed)
    others = (name for name in (*mixed[start:], *mixed[:start]) if name not in gold)
    names = [*gold, *islice(others, max(0, size - len(gold)))]
    return Sample(tuple(by_name[name] for name in sorted(names)), queries)


@value
class Outcome:
    """What became of one query: the answer, and the one it got when its own was left out."""

    query: Query
    found: Found
    without: Found


def outcomes(sample: Sample, ranking: Ranking = PLAIN) -> Iterator[Outcome]:
    """Every query of a sample, asked with and without its answers in the catalogue."""
    index = in_memory(sample.infos, ranking)
    for query in sample.queries:
        yield Outcome(
            query,
            index.search(query.text, _FIRST),
            index.search(query.text, _FIRST, others(sample, query)),
        )


def others(sample: Sample, query: Query) -> set[int]:
    """The places of what a query did not mean."""
    return {at for at, info in enumerate(sample.infos) if full_name(info) not in query.gold}


def measured(
    infos: Sequence[WorkflowInfo],
    queries: Iterable[Query],
    size: int,
    ranking: Ranking = PLAIN,
) -> Figures:
    """The figures of discovery in catalogues of one size."""
    every = [
        outcome for sample in samples(infos, queries, size) for outcome in outcomes(sample, ranking)
    ]
    return figures(every)


def figures(every: Sequence[Outcome]) -> Figures:
    """The figures of some outcomes; 0 where nothing was asked, precision 1 where none was sure."""
    many = len(every) or 1
    firsts = [_right(each, 1) for each in every]
    sure = [each.found.confidence >= SURE for each in every]
    right = sum(map(all, zip(firsts, sure, strict=True))) * (1 - UNANSWERABLE)
    wrongly = sum(each.without.confidence >= SURE for each in every)
    taken = sum(sure) * (1 - UNANSWERABLE) + wrongly * UNANSWERABLE
    return Figures(
        queries=len(every),
        hit_at_1=sum(firsts) / many,
        recall_at_5=sum(_right(each, _FIRST) for each in every) / many,
        precision=right / taken if taken else 1.0,
        coverage=taken / many,
        accepted_unanswerable=wrongly / many,
        told=sum(not each.without.good for each in every) / many,
        told_wrongly=sum(not each.found.good for each in every) / many,
    )


def _right(outcome: Outcome, first: int) -> bool:
    hits = outcome.found.hits[:first]
    return any(full_name(hit.info) in outcome.query.gold for hit in hits)
