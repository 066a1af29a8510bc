"""The ranker's weights out of examples, as the JSON that is shipped.

Examples are queries and what they meant, in catalogues of several sizes. The weights of features
are those under which what was meant comes first. How sure an answer is, is learned from answers
of weights that have not seen its query; one answer in four is of a query that has none. Nothing
of a query's text goes into the result, and the same examples give the same bytes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from math import log
from typing import Any

from engine.app.evaluation import UNANSWERABLE, Query, Sample, full_name, others, samples
from engine.core.discovery import rank
from engine.core.discovery.features import FEATURES
from engine.core.discovery.fit import Choice, Line, Verdict, preferences, threshold, verdicts
from engine.core.discovery.rank import SETS, SURE, chance
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.store.search import PLAIN, Pool, Ranking, in_memory

PRECISE = 0.965
"""The share of right answers from which on a confidence is 0.8, in catalogues of every size: more
than the 0.95 promised, since the queries to come are others."""
_HARDEST = 9
"""Candidates that were not meant, of each query: those that were turned down, and those that its
words fit best."""
_INVENTED = 0.015
"""The share of queries without an answer that may get a confidence of 0.8, in catalogues of every
size: half of the 0.03 promised, since what half of the examples allows is up to twice as much of
the other half."""
_PENALTY = 0.01
"""Of the weights of features: with more or less of it, fewer of the queries that weights have not
seen are answered rightly."""
_LEAST_SURE, _MOST_SURE = 0.5, 0.995
_LOST = 0.04
"""The share of right answers that may lie below the floor."""
_FAINT = 0.02
"""The share of right answers whose score may lie below the least that counts."""
_AS_GOOD = 1.5
"""Whoever is this many times less likely to be meant than the first, or nearer, is as good."""
_DIGITS = 4
_TEXT = FEATURES.index("text")


@value
class Example:
    """A query's candidates with what was meant among them, and with that left out.

    `rejected` are the numbers of candidates that were offered once and turned down.
    """

    query: Query
    size: int
    pool: Pool
    meant: list[bool]
    without: Pool
    rejected: frozenset[int] = frozenset()

    def in_words(self) -> "Example":
        """The same for search by words alone."""
        pool, without = self.pool.in_words(), self.without.in_words()
        return replace(self, pool=pool, meant=self.meant[: pool.by_words], without=without)


def examples(
    infos: Sequence[WorkflowInfo],
    queries: Sequence[Query],
    sizes: Iterable[int],
    ranking: Ranking = PLAIN,
) -> list[Example]:
    """What the index brings for every query, in catalogues of every size."""
    found: list[Example] = []
    for size in sizes:
        for sample in samples(infos, queries, size):
            found.extend(_examples(sample, min(size, len(infos)), ranking))
    return found


def _examples(sample: Sample, size: int, ranking: Ranking) -> Iterable[Example]:
    index = in_memory(sample.infos, ranking)
    for query in sample.queries:
        pool = index.pool(query.text)
        gold, rejected = (
            frozenset(at for at, info in enumerate(sample.infos) if full_name(info) in names)
            for names in (query.gold, query.rejected)
        )
        meant = [each.number in gold for each in pool.candidates]
        without = index.pool(query.text, others(sample, query))
        yield Example(query, size, pool, meant, without, rejected)


def fitted(found: Sequence[Example]) -> dict[str, Any]:
    """A set of weights as JSON; all examples are of one kind."""
    features = SETS[found[0].pool.kind]
    folds = [[each for each in found if _fold(each) == fold] for fold in (0, 1)]
    weights = preferences(_choices(found), _PENALTY)
    known = [
        _unseen(fold, preferences(_choices(other), _PENALTY, weights))
        for fold, other in zip(folds, reversed(folds), strict=True)
    ]
    lines = [verdicts([each.verdict for each in other]) for other in reversed(known)]
    told = [_raw(line, each) for line, fold in zip(lines, known, strict=True) for each in fold]
    sure = verdicts([each.verdict for each in chain.from_iterable(known)])
    seen = verdicts(list(chain.from_iterable(_seen(each, weights) for each in found)))
    return {
        "weights": _named(features, weights),
        "slope": round(seen.weights[0], _DIGITS),
        "offset": round(seen.bias, _DIGITS),
        "signs": _named(rank.signs_of(features), sure.weights),
        "bias": round(sure.bias, _DIGITS),
        "least": round(_least(seen, chain.from_iterable(known)), _DIGITS),
        **_levels(told),
    }


def _unseen(fold: Iterable[Example], weights: Sequence[float]) -> list["Judged"]:
    return [judged for each in fold for judged in _verdicts(each, weights)]


def _raw(line: Line, each: "Judged") -> tuple[float, "Judged"]:
    return chance(rank.score(line.weights, each.verdict.row) + line.bias), each


def _least(seen: Line, known: Iterable["Judged"]) -> float:
    """The score as it is shown that nearly all first hits have that are right."""
    heads = (each.verdict.row[0] for each in known if each.verdict.right)
    shown = sorted(chance(seen.weights[0] * head + seen.bias) for head in heads)
    return shown[int(len(shown) * _FAINT)] if shown else 0.0


def _fold(example: Example) -> int:
    return sum(example.query.id.encode()) % 2


def _choices(found: Iterable[Example]) -> list[Choice]:
    return [_choice(each) for each in found]


def _choice(example: Example) -> Choice:
    both = sorted(
        zip(example.pool.candidates, example.meant, strict=True),
        key=lambda two: (
            two[0].number not in example.rejected,
            -two[0].row[_TEXT],
            two[0].name,
        ),
    )
    meant = [candidate for candidate, right in both if right]
    hardest = [candidate for candidate, right in both if not right][:_HARDEST]
    rows = [candidate.row for candidate in (*meant, *hardest)]
    return Choice(rows, [*(True for _ in meant), *(False for _ in hardest)])


@value
class Judged:
    """A verdict on an answer in a catalogue of a size, and whether there was one to be found."""

    verdict: Verdict
    size: int
    answerable: bool


def _verdicts(example: Example, weights: Sequence[float]) -> Iterable[Judged]:
    """What would have been answered, with and without what was meant."""
    gold = {
        each.number
        for each, right in zip(example.pool.candidates, example.meant, strict=True)
        if right
    }
    if example.pool.candidates:
        yield Judged(_verdict(example.pool, weights, gold, 1 - UNANSWERABLE), example.size, True)
    if example.without.candidates:
        verdict = _verdict(example.without, weights, set(), UNANSWERABLE)
        yield Judged(verdict, example.size, False)


def _verdict(pool: Pool, weights: Sequence[float], gold: set[int], weight: float) -> Verdict:
    rows = [each.row for each in pool.candidates]
    order, scores = rank.ordered(weights, [each.name for each in pool.candidates], rows)
    told = rank.signs(pool.asked, pool.documents, scores, SETS[pool.kind], rows[order[0]])
    return Verdict(told, pool.candidates[order[0]].number in gold, weight)


def _seen(example: Example, weights: Sequence[float]) -> Iterable[Verdict]:
    """Whether each of the first candidates was meant, by its score alone."""
    for candidate, right in zip(example.pool.candidates, example.meant, strict=True):
        yield Verdict([rank.score(weights, candidate.row)], right)


def _named(names: Sequence[str], numbers: Sequence[float]) -> dict[str, float]:
    return {name: round(number, _DIGITS) for name, number in zip(names, numbers, strict=True)}


def _levels(judged: Iterable[tuple[float, Judged]]) -> dict[str, Any]:
    """Which raw chance is a confidence of 0.8, below which nothing fits, and what is as good.

    The raw chances come from weights and signs that have not seen the query.
    """
    by_size: dict[int, list[tuple[float, Judged]]] = {}
    for raw, each in judged:
        by_size.setdefault(each.size, []).append((raw, each))
    levels = {size: round(_level(told), _DIGITS) for size, told in sorted(by_size.items())}
    right = sorted(
        rank.judged(levels[size], raw)
        for size, told in by_size.items()
        for raw, each in told
        if each.verdict.right
    )
    floor = right[int(len(right) * _LOST)] if right else 0.0
    return {
        "levels": [[size, level] for size, level in levels.items()],
        "near": round(log(_AS_GOOD), _DIGITS),
        "floor": round(min(floor, SURE), _DIGITS),
    }


def _level(told: Sequence[tuple[float, Judged]]) -> float:
    """The raw chance from which on enough is right, and little is said where nothing is."""
    precise = threshold([(raw, j.verdict.right, j.verdict.weight) for raw, j in told], PRECISE)
    idle = sorted(raw for raw, judged in told if not judged.answerable)
    least = idle[int(len(idle) * (1 - _INVENTED))] if idle else 0.0
    return min(_MOST_SURE, max(_LEAST_SURE, precise, least))


def text_of(sets: dict[str, Any]) -> str:
    """Sets of weights by their names as the text of the file."""
    return json.dumps(sets, indent=1, sort_keys=True) + "\n"
