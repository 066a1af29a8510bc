"""Operations with chance, from a seed: the same seed gives the same result, for ever.

The generator is SplitMix64 (Steele, Lea, Flood 2014), written out because a recorded seed must
mean the same on every version of Python.
"""

from collections.abc import Callable
from typing import Any

from engine.core.transforms import checks
from engine.core.transforms.options import Options
from engine.core.transforms.work import Operate, Work, rows_of

_MASK = 2**64 - 1


class Dice:
    """Numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, bound: int) -> int:
        """A number from 0 to `bound` - 1; the bias is below 2^-32 for any array in memory."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) % bound


def drawn(seed: int, rows: list[Any], count: int) -> list[Any]:
    """`count` of the rows in random order, each at most once (Fisher and Yates)."""
    dice, left = Dice(seed), rows[:]
    count = min(count, len(left))
    for at in range(count):
        other = at + dice.below(len(left) - at)
        left[at], left[other] = left[other], left[at]
    return left[:count]


def random_one(options: Options) -> Operate:
    """One element, or null when there is none."""
    seed = _seed(options)

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        return rows[Dice(seed(work)).below(len(rows))] if rows else None

    return run


def random_n(options: Options) -> Operate:
    """`count` different elements in random order, fewer when there are fewer."""
    seed, count = _seed(options), options.given(checks.whole("count", 0), "count")

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        work.spend(len(rows))
        return drawn(seed(work), rows, count(work))

    return run


def shuffle(options: Options) -> Operate:
    """All elements in random order."""
    seed = _seed(options)

    def run(work: Work, value: Any) -> Any:
        rows = rows_of(value)
        work.spend(len(rows))
        return drawn(seed(work), rows, len(rows))

    return run


def _seed(options: Options) -> Callable[[Work], int]:
    if options.has("seed"):
        return options.given(checks.whole("seed"), "seed")
    options.needs_seed = True
    # Two operations of one pipeline must not draw the same numbers.
    place = int.from_bytes(options.path.encode()) * 0x9E3779B97F4A7C15
    return lambda work: work.seed + place
