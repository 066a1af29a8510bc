"""A long journal walked by several processes at once; each reads the database by itself.

This process walks stretches too, from the end on, so that nothing waits while the others start.
Whatever goes wrong (no process can be started, one dies, a stretch is not sound), nothing is
told: the walk in one process answers then, as it does for a short journal.
"""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context

from engine.core.chain import Line
from engine.core.errors import Refused
from engine.core.stretch import Stretch, Task, walked

_LOG = logging.getLogger("handrail.audit")

LEAST = 100_000
"""Events from which on other processes are worth their start."""

MOST = 8
"""Other processes at most."""

AHEAD = 2
"""Stretches that each of them is asked for ahead, so that it waits for nobody."""

Scan = Callable[[int], Iterator[Sequence[Line]]]
"""The journal behind a position page by page; another process can be given it."""


def walk(scan: Scan, task: Task) -> Stretch | None:
    """Walk along one stretch; raises StoreError."""
    return walked(scan(max(0, task.after - 1)), task)


_TROUBLE = (BrokenExecutor, OSError, Refused)


@contextmanager
def spread(
    scan: Scan, tasks: Sequence[Task], others: int
) -> Generator[Callable[[], list[Stretch]]]:
    """So many `others` begin at once; what is given walks along with them, and answers with all
    stretches in order, or none on any trouble.

    The main module of the program must bear to be imported again, as `multiprocessing` says.
    """
    most = min(others, MOST)
    with ProcessPoolExecutor(most, mp_context=get_context("spawn")) as pool:
        shared = _Shared(pool, scan, deque(tasks), most * AHEAD)
        with suppress(*_TROUBLE):  # whoever waits for them will be told
            shared.ask()
        yield shared.walked


@dataclass(slots=True)
class _Shared:
    """The stretches that are `left`, and those that others were asked for, at most so many at a
    time: what is asked for cannot be taken back safely."""

    _pool: Executor
    _scan: Scan
    _left: deque[Task]
    _most: int
    _asked: set[Future[Stretch | None]] = field(default_factory=set)

    def ask(self) -> None:
        """Keep the others busy."""
        while self._left and len(self._asked) < self._most:
            self._asked.add(self._pool.submit(walk, self._scan, self._left.popleft()))

    def walked(self) -> list[Stretch]:
        """All of them in order, or none."""
        try:
            found = self._found()
        except _TROUBLE as error:
            _LOG.info("the journal is walked by one process: %s", type(error).__name__)
            return []
        return sorted((each for each in found if each), key=lambda each: each.after)

    def _found(self) -> list[Stretch | None]:
        found: list[Stretch | None] = []
        while (self._left or self._asked) and None not in found:
            self.ask()
            if self._left:
                found.append(walk(self._scan, self._left.pop()))
            done, self._asked = wait(self._asked, timeout=0 if self._left else None)
            found += [each.result() for each in done]
        return [] if None in found else found
