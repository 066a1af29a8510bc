"""Search measured on anybody's examples, and weights fitted to what they chose and turned down.

What is fitted is never measured on the same queries: every other one is kept apart, by its id.
A query whose right workflow the catalogue does not have is left out and counted; one that nothing
answers, by its own words, shows how often search is wrongly sure. Nothing is read or written here.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from engine.app import fitting
from engine.app.evaluation import (
    SIZES,
    UNANSWERABLE,
    Figures,
    Outcome,
    Query,
    figures,
    for_test,
    full_name,
    outcomes,
    samples,
)
from engine.core.discovery.rank import SURE, sets
from engine.core.errors import Refused
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.store.search import Ranking, in_memory

EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
"""Between these confidences lie the rows of the table of reliability."""

LEAST = 50
"""Queries that are needed to fit weights to."""


@value
class OfSize:
    """What was measured in catalogues of so many workflows."""

    workflows: int
    figures: Figures


@value
class Level:
    """Answers with a confidence from `low` up to `high`, and the share of them that was right.

    A quarter of the answers counts as given to queries that have none.
    """

    low: float
    high: float
    answers: float
    right: float


@value
class Strays:
    """Queries that nothing answers: how many, how many got a sure answer or were told so."""

    queries: int
    accepted: int
    told: int


@value
class SearchFigures:
    """All figures of search."""

    sizes: tuple[OfSize, ...]
    reliability: tuple[Level, ...]
    strays: Strays


@value
class Refitted:
    """Weights as the text of a file, and the figures of the queries that they have not seen."""

    fitted_to: int
    measured_on: int
    before: SearchFigures
    after: SearchFigures
    text: str


def queries_of(
    rows: Iterable[Mapping[str, Any]], infos: Iterable[WorkflowInfo]
) -> tuple[list[Query], int]:
    """The queries of checked lines, and how many were left out: their gold is not there."""
    known: dict[str, list[str]] = {}
    for info in infos:
        known.setdefault(info.name, []).append(full_name(info))
        known[full_name(info)] = [full_name(info)]
    made = [_query(row, known) for row in rows]
    kept = [each for each in made if each is not None]
    if not kept:
        hint = "Name the catalogue that the examples are about, with --catalogue or --workflows."
        raise Refused("bad_example", "the catalogue has nothing of what the examples mean", hint)
    return kept, len(made) - len(kept)


def _query(row: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> Query | None:
    gold = [known.get(name, ()) for name in row["gold"]]
    found = frozenset(names[0] for names in gold if len(names) == 1)
    if row["gold"] and not found:
        return None
    turned_down = (name for given in row.get("rejected", ()) for name in known.get(given, ()))
    return Query(row["id"], row["query"], found, frozenset(turned_down))


def sizes_for(workflows: int) -> tuple[int, ...]:
    """The sizes of samples that a catalogue allows, and its own."""
    return (*(size for size in SIZES if size < workflows), workflows)


def measure(
    infos: Sequence[WorkflowInfo], queries: Sequence[Query], sizes: Iterable[int], ranking: Ranking
) -> SearchFigures:
    """The figures in catalogues of every size."""
    answered = [query for query in queries if query.gold]
    measured: list[OfSize] = []
    every: list[Outcome] = []
    for size in sizes:
        whole = size >= len(infos)
        drawn = samples(infos, answered, 4 * len(infos) if whole else size)
        some = [outcome for sample in drawn for outcome in outcomes(sample, ranking)]
        measured.append(OfSize(min(size, len(infos)), figures(some)))
        every += some
    strays = [query for query in queries if not query.gold]
    return SearchFigures(tuple(measured), _reliability(every), _strays(infos, strays, ranking))


def _strays(infos: Sequence[WorkflowInfo], queries: Sequence[Query], ranking: Ranking) -> Strays:
    index = in_memory(infos if queries else (), ranking)
    found = [index.search(query.text, 1) for query in queries]
    accepted = sum(each.confidence >= SURE for each in found)
    return Strays(len(found), accepted, sum(not each.good for each in found))


def _reliability(every: Iterable[Outcome]) -> tuple[Level, ...]:
    told: list[tuple[float, bool, float]] = []
    for each in every:
        first = {full_name(hit.info) for hit in each.found.hits[:1]}
        told.append((each.found.confidence, bool(first & each.query.gold), 1 - UNANSWERABLE))
        told.append((each.without.confidence, False, UNANSWERABLE))
    return tuple(_level(low, high, told) for low, high in pairwise(EDGES))


def _level(low: float, high: float, told: Iterable[tuple[float, bool, float]]) -> Level:
    some = [
        (right, weight)
        for sure, right, weight in told
        if low <= sure < high or sure == high == EDGES[-1]
    ]
    count = sum(weight for _, weight in some)
    good = sum(weight for right, weight in some if right)
    return Level(low, high, count, good / count if count else 0.0)


def refit(
    infos: Sequence[WorkflowInfo],
    queries: Sequence[Query],
    sizes: Sequence[int],
    ranking: Ranking,
    shipped: Mapping[str, Any],
) -> Refitted:
    """Weights fitted to half of the queries, and what they do for the other half.

    `shipped` are the sets that stay where nothing could be fitted: without an encoder, the set
    that weighs meaning. Raises Refused `too_few_examples`.
    """
    fit = [query for query in queries if not for_test(query)]
    test = [query for query in queries if for_test(query)]
    drawn = [size if size < len(infos) else 4 * len(infos) for size in sizes]
    found = fitting.examples(infos, fit, drawn, ranking)
    useful = {each.query.id for each in found if any(each.meant)}
    if len(useful) < LEAST or not any(query.gold for query in test):
        raise Refused(
            "too_few_examples",
            f"{len(useful)} queries can be fitted to; it takes {LEAST} and others to measure on",
            "Bring more queries with `gold`; every other one is kept for measuring.",
        )
    fresh = {"lexical": fitting.fitted([each.in_words() for each in found])}
    if ranking.source is not None:
        fresh["semantic"] = fitting.fitted(found)
    document = {**shipped, **fresh}
    other = Ranking(ranking.source, sets(document))
    return Refitted(
        len(useful),
        len(test),
        measure(infos, test, sizes, ranking),
        measure(infos, test, sizes, other),
        fitting.text_of(document),
    )
