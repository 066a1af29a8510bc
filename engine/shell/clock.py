"""The only module that looks at the world's clock and throws the world's dice."""

import os
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

PIECE, AT_ONCE = 16, 256
"""Bytes that are kept for one who asks, and for how many.

Each time the system is asked, Python's lock goes to another thread, and the way back takes
longer than the answer.
"""

_drawn: deque[bytes] = deque()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)  # or both would give the same


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
        """From the operating system's generator, which is asked for many small ones at a time."""
        if count > PIECE:
            return os.urandom(count)
        try:
            return _drawn.popleft()[:count]
        except IndexError:
            many = os.urandom(PIECE * AT_ONCE)
            _drawn.extend(many[at : at + PIECE] for at in range(0, len(many), PIECE))
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
