"""An event loop without a clock, a socket or a thread, in which several processes live.

Time stands still while anything is ready and then jumps to the next timer. Whatever is scheduled
belongs to the process in whose context it was scheduled (`PROCESS`), or to the world around them
all. Within a process things run in asyncio's own order; which process goes on next is the
seed's choice. A process that is stopped (SIGSTOP) keeps what is ready and finds its timers late
when it goes on; one that was killed never runs again.

It knows nothing of engines and databases.
"""

import asyncio
import contextlib
import contextvars
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

PROCESS: contextvars.ContextVar["Process"] = contextvars.ContextVar("process")

SPINS = 50_000
"""How much may run at one moment of time before it counts as a loop without an end."""

LONGEST = 7_200.0
"""Seconds after which a world has to have come to its end."""

INLINE = 0.0005
"""Seconds that work on a thread takes at most."""


class Spinning(AssertionError):
    """Something goes on for ever without time passing, or everything waits and nothing comes."""


class Process:
    """What the loop knows of a process: what is ready, and whether it may run."""

    def __init__(self, name: str, loop: "VirtualLoop") -> None:
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.stopped = self.killed = False
        self.context = contextvars.Context()
        self.context.run(PROCESS.set, self)
        self.tasks: list[asyncio.Task[Any]] = []
        self._loop = loop
        loop.processes.append(self)
        loop.living.append(self)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.killed = True
        self.ready.clear()
        if self in self._loop.living:
            self._loop.living.remove(self)


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop; `chance` chooses among processes that could go on."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.processes: list[Process] = []
        self.living: list[Process] = []
        self.chance = chance
        self.world = Process("world", self)
        self.wrong: list[str] = []
        self.set_exception_handler(self._complain)
        self._moment = 0.0
        self._turns = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()

    def time(self) -> float:
        """Seconds since the world began."""
        return self._moment

    # -- scheduling ------------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Put a callback behind everything that is ready in its process."""
        handle = asyncio.Handle(callback, args, self, context)
        self._put(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a time of this loop."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Run a callback after some seconds."""
        return self.call_at(self._moment + delay, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Any:
        """A task. Those of a process are kept, or a killed one would be closed before its time."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        (context or contextvars.copy_context()).get(PROCESS, self.world).tasks.append(task)
        return task

    def spawn(self, process: Process, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin something in a process."""
        task: asyncio.Task[Any] = self.create_task(coro, context=process.context.copy())
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Carry it out here and now; its result comes a little later."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:
            self.call_later(self.chance.random() * INLINE, _fail, future, error)
        else:
            self.call_later(self.chance.random() * INLINE, _resolve, future, result)
        return future

    # -- running ---------------------------------------------------------------------------

    def _put(self, handle: Any) -> None:
        process = handle._context.get(PROCESS, self.world)
        if not process.killed:
            process.ready.append(handle)

    def _run_once(self) -> None:
        able = [p for p in self.living if p.ready and not p.stopped]
        if not able:
            self._jump()
            return
        process = able[0] if len(able) == 1 else able[int(self.chance.random() * len(able))]
        handle: Any = process.ready.popleft()
        self._turns += 1
        if self._turns > SPINS:
            raise Spinning(f"{process.name} spins at {self._moment:.6f}: {handle!r}")
        if not handle._cancelled:
            handle._run()

    def _jump(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Spinning("everything waits, and nothing will come")
        self._moment = max(self._moment, self._timers[0][0])
        self._turns = 0
        if self._moment > LONGEST:
            raise Spinning(f"the world goes on and on: {self._timers[0][2]!r}")
        while self._timers and self._timers[0][0] <= self._moment:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self._put(timer)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: a cancelled timer is passed over when its time comes."""

    def _process_events(self, event_list: Any) -> None:
        """Nothing: there are no files."""

    def _write_to_self(self) -> None:
        """Nothing: nobody else wakes this loop."""

    def _complain(self, _: Any, context: dict[str, Any]) -> None:
        self.wrong.append(f"{context.get('message')}: {context.get('exception')!r}")

    # -- ending ----------------------------------------------------------------------------

    def bury(self) -> None:
        """Close every coroutine that is still waiting, and the loop."""
        for task in (task for process in self.processes for task in process.tasks):
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro())
        self.close()


def _close(coro: Any) -> None:
    with contextlib.suppress(RuntimeError, ValueError):  # it wants to wait even now
        coro.close()


def _resolve(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
