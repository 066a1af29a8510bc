"""How fast this processor is at the moment, beside what is measured on it.

A processor that is shared with strangers takes half as long again from one second to the next,
and counts that as our time. So a bar in absolute time is judged by a ratio: what was measured,
divided by the time of a yardstick (always the same piece of plain Python) right beside it. Times
the yardstick's fastest time in the same run, that is what the work takes where nobody is in the
way; it is never given as less than it was seen to take. A slow machine is not excused: its
yardstick is never faster than the machine.
"""

import json
import re
import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

_WORD = re.compile(r"([a-z]+)-(\d+)")


class Beside(NamedTuple):
    """What was measured, in any unit of time, and the yardstick's seconds beside it."""

    taken: float
    yardstick: float


def yardstick() -> float:
    """Seconds of this thread for the yardstick: some six milliseconds on a quiet machine."""
    begun = time.thread_time()
    found: dict[tuple[str, int], list[Any]] = {}
    for number in range(2_000):
        name = f"step-{number}"
        word, digits = _WORD.match(name).groups()  # type: ignore[union-attr]
        kept = {"name": name, "number": number, "of": [name, number]}
        found.setdefault((word, int(digits) % 50), []).append(kept)
    json.loads(json.dumps(list(found.values())))
    return time.thread_time() - begun


def undisturbed(found: Sequence[Beside]) -> float:
    """The time of what was measured where the yardstick is fastest: the middle of the ratios.

    >>> undisturbed([Beside(30, 3), Beside(10, 1), Beside(26, 2)])
    10.0
    """
    fastest = min(each.yardstick for each in found)
    middle = statistics.median(each.taken / each.yardstick for each in found)
    return max(middle * fastest, min(each.taken for each in found))
