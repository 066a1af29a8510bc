"""Weights out of examples: which of several was chosen, and whether an answer was right.

Plain arithmetic in one order, so that the same examples give the same numbers. Both fits are
Newton's method on a convex loss with a small penalty; features are brought to one scale first.
"""

from collections.abc import Sequence
from itertools import chain
from math import exp, log, sqrt
from operator import mul

from engine.core.value import value

Row = Sequence[float]
_MOST_STEPS = 25
_ENOUGH = 1e-6
_FAINT = 3e-3
"""A weight that is left out of the curvature, which only says how far to step."""
_NOTHING = 1e-9


@value
class Choice:
    """One query: the features of each candidate, which of them were meant, and for how many
    queries it stands."""

    rows: Sequence[Row]
    meant: Sequence[bool]
    weight: float = 1.0


@value
class Verdict:
    """One answer: its signs, whether it was right, and for how many answers it stands."""

    row: Row
    right: bool
    weight: float = 1.0


@value
class Line:
    """A weight for each number, and a bias."""

    weights: list[float]
    bias: float


def _dot(one: Row, two: Row) -> float:
    return float(sum(map(mul, one, two)))


# -- one scale ---------------------------------------------------------------------------------


def _scale(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    columns = list(zip(*rows, strict=True))
    means = [sum(column) / len(column) for column in columns]
    spreads = [
        sqrt(sum((x - mean) ** 2 for x in column) / len(column))
        for column, mean in zip(columns, means, strict=True)
    ]
    return means, [spread if spread > _ENOUGH else 1.0 for spread in spreads]


def _scaled(row: Row, means: Row, spreads: Row) -> list[float]:
    return [(x - mean) / spread for x, mean, spread in zip(row, means, spreads, strict=True)]


# -- which of several --------------------------------------------------------------------------


def preferences(
    choices: Sequence[Choice], penalty: float = 0.002, start: Row | None = None
) -> list[float]:
    """The weights under which what was meant is most likely chosen among its candidates.

    Weights to `start` from save steps; they lead to the same place.
    """
    useful = [choice for choice in choices if any(choice.meant) and not all(choice.meant)]
    means, spreads = _scale(list(chain.from_iterable(choice.rows for choice in useful)))
    scaled = [
        Choice([_scaled(row, means, spreads) for row in choice.rows], choice.meant, choice.weight)
        for choice in useful
    ]
    weights = [w * spread for w, spread in zip(start or [0.0] * len(means), spreads, strict=True)]
    for _ in range(_MOST_STEPS):
        loss, slope, curve = _of_choices(scaled, weights, penalty)
        step = _solved(curve, slope)
        weights = _stepped(scaled, weights, step, loss, penalty)
        if _dot(step, slope) < _ENOUGH:
            break
    return [weight / spread for weight, spread in zip(weights, spreads, strict=True)]


def _of_choices(
    choices: Sequence[Choice], weights: list[float], penalty: float
) -> tuple[float, list[float], list[list[float]]]:
    """Loss, slope and curvature."""
    size, count = len(weights), _count(choices)
    slope = [0.0] * size
    curve = [[0.0] * (at + 1) for at in range(size)]
    loss = 0.0
    for choice in choices:
        chances, meant, cost = _chances(choice, weights)
        times = choice.weight
        loss += times * cost
        mean, good = _mean(choice.rows, chances, size), _mean(choice.rows, meant, size)
        slope = [s + times * m - times * g for s, m, g in zip(slope, mean, good, strict=True)]
        for row, chance in zip(choice.rows, chances, strict=True):
            _add(curve, [x - m for x, m in zip(row, mean, strict=True)], times * chance)
    return _penalised(loss / count, slope, curve, weights, count, penalty)


def _count(choices: Sequence[Choice]) -> float:
    return sum(choice.weight for choice in choices)


def _chances(choice: Choice, weights: list[float]) -> tuple[list[float], list[float], float]:
    """The chance of each candidate, that of each among those meant, and the loss."""
    scores = [_dot(row, weights) for row in choice.rows]
    top = max(scores)
    heights = [exp(score - top) for score in scores]
    total = sum(heights)
    right = [height if meant else 0.0 for height, meant in zip(heights, choice.meant, strict=True)]
    good = sum(right) or 1e-300
    return [h / total for h in heights], [r / good for r in right], log(total) - log(good)


def _mean(rows: Sequence[Row], chances: Sequence[float], size: int) -> list[float]:
    mean = [0.0] * size
    for row, chance in zip(rows, chances, strict=True):
        if chance > _NOTHING:
            mean = [m + chance * x for m, x in zip(mean, row, strict=True)]
    return mean


def _add(curve: list[list[float]], row: list[float], weight: float) -> None:
    if weight > _FAINT:
        for at, line in enumerate(curve):
            factor = weight * row[at]
            curve[at] = [c + factor * x for c, x in zip(line, row, strict=False)]


def _penalised(
    loss: float,
    slope: list[float],
    curve: list[list[float]],
    weights: list[float],
    count: float,
    penalty: float,
) -> tuple[float, list[float], list[list[float]]]:
    slope = [s / count + 2 * penalty * w for s, w in zip(slope, weights, strict=True)]
    curve = [[c / count for c in line] for line in curve]
    for at, line in enumerate(curve):
        line[at] += 2 * penalty + _ENOUGH
    return loss + penalty * _dot(weights, weights), slope, curve


def _stepped(
    choices: Sequence[Choice], weights: list[float], step: list[float], loss: float, penalty: float
) -> list[float]:
    """Newton's step, halved until it makes things better."""
    part = 1.0
    while part > 1e-4:
        tried = [w - part * s for w, s in zip(weights, step, strict=True)]
        cost = sum(c.weight * _chances(c, tried)[2] for c in choices) / _count(choices)
        if cost + penalty * _dot(tried, tried) <= loss:
            return tried
        part /= 2
    return weights


# -- whether it was right ----------------------------------------------------------------------


def verdicts(known: Sequence[Verdict], penalty: float = 0.001) -> Line:
    """The line whose chance fits best to what was right and what was not."""
    means, spreads = _scale([each.row for each in known])
    rows = [[*_scaled(each.row, means, spreads), 1.0] for each in known]
    total = sum(each.weight for each in known)
    weights = [0.0] * (len(means) + 1)
    for _ in range(_MOST_STEPS):
        slope, curve = _of_verdicts(rows, known, weights)
        _, slope, curve = _penalised(0.0, slope, curve, weights, total, penalty)
        step = _solved(curve, slope)
        weights = [w - s for w, s in zip(weights, step, strict=True)]
        if _dot(step, slope) < _ENOUGH:
            break
    back = [w / spread for w, spread in zip(weights, spreads, strict=False)]
    return Line(back, weights[-1] - _dot(back, means))


def _of_verdicts(
    rows: list[list[float]], known: Sequence[Verdict], weights: list[float]
) -> tuple[list[float], list[list[float]]]:
    slope = [0.0] * len(weights)
    curve = [[0.0] * (at + 1) for at in range(len(weights))]
    for row, each in zip(rows, known, strict=True):
        odds = max(-30.0, min(30.0, _dot(row, weights)))
        chance = 1 / (1 + exp(-odds))
        error = each.weight * (chance - each.right)
        slope = [s + error * x for s, x in zip(slope, row, strict=True)]
        _add(curve, row, each.weight * chance * (1 - chance))
    return slope, curve


def _solved(curve: list[list[float]], slope: list[float]) -> list[float]:
    """The step that levels the slope: Cholesky's way of solving a symmetric system."""
    size = len(slope)
    lower: list[list[float]] = []
    for i in range(size):
        line: list[float] = []
        for j in range(i):
            line.append((curve[i][j] - _dot(line, lower[j])) / lower[j][j])
        line.append(sqrt(max(curve[i][i] - _dot(line, line), 1e-12)))
        lower.append(line)
    half: list[float] = []
    for i in range(size):
        half.append((slope[i] - _dot(half, lower[i])) / lower[i][i])
    step = [0.0] * size
    for i in reversed(range(size)):
        below = sum(lower[k][i] * step[k] for k in range(i + 1, size))
        step[i] = (half[i] - below) / lower[i][i]
    return step


# -- what a chance is worth --------------------------------------------------------------------


def threshold(chances: Sequence[tuple[float, bool, float]], precise: float) -> float:
    """The lowest chance from which on at least the share `precise` was right; 1 when there is none.

    Each item is a raw chance, whether the answer was right, and for how many it stands.

    >>> threshold([(0.9, True, 1.0), (0.7, True, 1.0), (0.5, False, 1.0)], 0.95)
    0.7
    """
    lowest, right, all_of_them = 1.0, 0.0, 0.0
    for chance, was_right, weight in sorted(chances, reverse=True):
        all_of_them += weight
        right += weight * was_right
        if right >= precise * all_of_them:
            lowest = chance
    return lowest
