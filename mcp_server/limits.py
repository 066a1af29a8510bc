"""How much one caller may ask for: arithmetic over times that come in as arguments.

A caller is a key; what is kept of it is one number, the moment at which it will owe nothing any
more. Whoever owes nothing is forgotten, so the memory is bounded, and a debt is never forgiven to
make room: when too many callers owe something at once, those who come new share one account.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

SECOND = 1_000_000
MOST_CALLERS = 10_000
_OTHERS = "\0others"


def seconds_of(wait: int) -> int:
    """Microseconds to wait as the whole seconds of `Retry-After`; at least one.

    >>> seconds_of(0), seconds_of(1_000_001)
    (1, 2)
    """
    return max(1, -(-wait // SECOND))


@dataclass(slots=True)
class Rate:
    """At most `rate` a second in the long run, and `burst` at once. A rate of 0 is no limit."""

    rate: int
    burst: int
    most: int = MOST_CALLERS
    _free_at: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def wait(self, key: str, now: int) -> int:
        """Take one for `key`; 0, or after how many microseconds it can be had, and none taken.

        >>> rate = Rate(rate=1, burst=2)
        >>> [rate.wait("ann", 0), rate.wait("ann", 0), rate.wait("ann", 0), rate.wait("bob", 0)]
        [0, 0, 1000000, 0]
        """
        if not self.rate:
            return 0
        self._forget(now)
        if key not in self._free_at and len(self._free_at) >= self.most:
            key = _OTHERS
        step = SECOND // self.rate
        free_at = min(max(self._free_at.get(key, 0), now), now + self.burst * step)
        late = free_at - now - (self.burst - 1) * step
        if late > 0:
            return late
        self._free_at[key] = free_at + step
        self._free_at.move_to_end(key)
        return 0

    def _forget(self, now: int) -> None:
        """Forget from the longest untouched on who owes nothing; two for one that comes."""
        for _ in range(2):
            key = next(iter(self._free_at), None)
            if key is None or self._free_at[key] > now:
                return
            del self._free_at[key]

    def __len__(self) -> int:
        return len(self._free_at)


@dataclass(slots=True)
class AtOnce:
    """How many calls of each caller are under way."""

    most: int
    _under_way: dict[str, int] = field(default_factory=dict)

    def enter(self, key: str) -> bool:
        """Whether one more may begin; if so, `leave` has to follow."""
        if self._under_way.get(key, 0) >= self.most:
            return False
        self._under_way[key] = self._under_way.get(key, 0) + 1
        return True

    def leave(self, key: str) -> None:
        """One that began is over."""
        left = self._under_way[key] - 1
        if left:
            self._under_way[key] = left
        else:
            del self._under_way[key]

    def __len__(self) -> int:
        return len(self._under_way)
