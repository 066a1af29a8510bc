"""A long journal walked by several processes at once; each reads the database by itself.

This process walks stretches too, from the end on, so that nothing waits while the others start.
Whatever goes wrong (no process can be started, one dies, a stretch is not sound), nothing is
told: the walk in one process answers then, as it does for a short journal.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
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


def spread(scan: Scan, tasks: Sequence[Task], others: int) -> list[Stretch]:
    """All stretches in order, walked by this process and so many `others`; none on any trouble.

    The main module of the program must bear to be imported again, as `multiprocessing` says.
    """
    try:
        pool = ProcessPoolExecutor(min(others, MOST), mp_context=get_context("spawn"))
        with pool:
            return _shared(pool, scan, tasks, min(others, MOST) * AHEAD)
    except (BrokenExecutor, OSError, Refused) as error:
        _LOG.info("the journal is walked by one process: %s", type(error).__name__)
        return []


def _shared(pool: Executor, scan: Scan, tasks: Sequence[Task], most: int) -> list[Stretch]:
    """At most so many are asked for at a time: what is asked for cannot be taken back safely."""
    left, asked = deque(tasks), set[Future[Stretch | None]]()
    found: list[Stretch | None] = []
    while left or asked:
        while left and len(asked) < most:
            asked.add(pool.submit(walk, scan, left.popleft()))
        if left:
            found.append(walk(scan, left.pop()))
        done, asked = wait(asked, timeout=0 if left else None)
        found += [each.result() for each in done]
        if None in found:
            return []
    return sorted((each for each in found if each), key=lambda each: each.after)
