"""The only module that looks at the world's clock and throws the world's dice."""

import os
import random
import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Time and chance."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        ...

    def chance(self) -> float:
        """A number in [0, 1)."""
        ...

    def bytes(self, count: int) -> bytes:
        """Unpredictable bytes, for ids and salts."""
        ...


class WorldClock:
    """The real ones."""

    def now(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1000

    def chance(self) -> float:
        """A number in [0, 1)."""
        return random.random()  # noqa: TID251, S311 - the one place; jitter is not a secret

    def bytes(self, count: int) -> bytes:
        """From the operating system's generator."""
        return os.urandom(count)


@dataclass(slots=True)
class TestClock:
    """Time that moves when a test says so, and dice that are known."""

    time: int = 1_000_000_000_000_000
    dice: list[float] = field(default_factory=lambda: [0.5])
    seed: int = 7
    _random: random.Random | None = None
    __test__ = False

    def now(self) -> int:
        """Microseconds since the epoch."""
        return self.time

    def chance(self) -> float:
        """The next number on the list; the last one repeats."""
        return self.dice.pop(0) if len(self.dice) > 1 else self.dice[0]

    def bytes(self, count: int) -> bytes:
        """A sequence that the seed fixes."""
        if self._random is None:
            self._random = random.Random(self.seed)  # noqa: S311 - a test's dice
        return self._random.randbytes(count)
