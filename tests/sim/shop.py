"""The world outside: functions that steps call, which see who calls them, and when.

They keep the laws that can be judged where a step is executed: the caller has the lease or had it
taken away, nobody else is at it whose lease is good, it was not done before, its turn has come,
and what it is given is what was recorded.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine import Effect, PythonTask
from engine.core.asks import Call
from engine.core.errors import Failure, Kind, StepError
from engine.shell.drive import Drive
from tests.sim.facts import Facts, Success
from tests.sim.flows import act
from tests.sim.loop import PROCESS

FLAKY = Failure(Kind.TRANSIENT, "flaky", "try again")
GONE = Failure(Kind.PERMANENT, "gone", "not there")


@dataclass(slots=True)
class Execution:
    """Somebody at work on a step."""

    token: int
    uid: str
    path: str
    worker: int
    process: Any
    streams: Mapping[str, int]
    output: Any = None
    over: bool = False

    @property
    def run(self) -> int:
        """The run's stream; 0 while the run is in no journal."""
        return self.streams.get(self.uid, 0)


class Shop:
    """Every execution of a step, in all processes."""

    def __init__(self, seed: int, facts: Facts, wrong: Callable[[str], None]) -> None:
        self._seed, self._facts, self._wrong = seed, facts, wrong
        self.executions: list[Execution] = []
        self._open: dict[tuple[str, str], list[Execution]] = {}
        self.pure = 0
        self.trace: Callable[..., None] = lambda *what: None

    def functions(self) -> dict[str, PythonTask]:
        """What an engine is given."""
        return {
            "look": PythonTask(self._look, Effect.READ),
            "add": PythonTask(self._add, Effect.PURE),
        }

    async def _add(self, given: Any) -> Any:
        self.pure += 1
        return {"token": f"pure {given['n']}"}

    async def _look(self, given: Any) -> Any:
        drive, call = driven()
        todo = act(self._seed, given["n"], call.path, call.attempt)
        one = self._enter(drive, call, given)
        try:
            if todo.seconds:
                await asyncio.sleep(todo.seconds)
            if todo.outcome == "ok":
                one.output = {"token": one.token}
        finally:
            one.over = True
            self._open[one.uid, one.path].remove(one)
        return self._ended(todo.outcome, one)

    def _ended(self, outcome: str, one: Execution) -> Any:
        if outcome == "transient":
            raise StepError(FLAKY)
        if outcome == "permanent":
            raise StepError(GONE)
        if outcome == "bug":
            raise ValueError("a bug of the user's")
        return one.output

    def leave(self, process: Any) -> None:
        """A process was killed, and what it was doing stopped."""
        for together in self._open.values():
            for one in list(together):
                if one.process is process:
                    one.over = True
                    together.remove(one)

    # -- laws ----------------------------------------------------------------------------------

    def _enter(self, drive: Drive, call: Call, given: Any) -> Execution:
        process: Any = PROCESS.get()
        uid, path, streams = drive.held.run.uid, call.path, self._facts.by_uid
        worker = int(drive.pen.actor.partition(":")[2])
        one = Execution(len(self.executions) + 1, uid, path, worker, process, streams)
        self.trace("execute", process.name, one.run, path, call.attempt)
        if one.run:
            self._may(one, drive.held.version)
            self._is_time(one, process.clock.latest)
            self._is_given(one, given)
        elif drive.birth is None:
            self._wrong(f"{path} of run {uid} is executed, but nobody is about to record the run")
        self.executions.append(one)
        self._open.setdefault((uid, path), []).append(one)
        return one

    def _may(self, one: Execution, known: int) -> None:
        facts, place = self._facts, f"{one.path} of run {one.run} in {one.process.name}"
        if facts.excused(one.worker, one.run):
            return
        if not facts.holds(one.worker, one.run):
            self._wrong(f"{place} is executed without a lease")
        done = facts.stories[one.run].steps.get(one.path)
        if done is not None and not self._unseen(one, done, known):
            self._wrong(f"{place} is executed although its success was recorded")
        for other in self._open.get((one.uid, one.path), ()):
            if not facts.excused(other.worker, other.run):
                self._wrong(f"{place} is executed while {other.process.name} is at it")

    def _unseen(self, one: Execution, done: Success, known: int) -> bool:
        """Whether it was recorded behind its back: by one from whom the run had been taken, or in a
        transaction that was carried out after its process had given it up."""
        former = int(done.actor.partition(":")[2])
        given_up = (one.run, done.version) in self._facts.given_up
        return done.version > known and (given_up or self._facts.excused(former, one.run))

    def _is_time(self, one: Execution, now: int) -> None:
        again = self._facts.stories[one.run].again.get(one.path, 0)
        if now < again and not self._facts.excused(one.worker, one.run):
            early = (again - now) / 1e6
            self._wrong(f"{one.path} of run {one.run} is tried again {early:.3f} s too early")

    def _is_given(self, one: Execution, given: Any) -> None:
        was, steps = given.get("was"), self._facts.stories[one.run].steps
        if not isinstance(was, int) or self._facts.excused(one.worker, one.run):
            return
        recorded = {s.output.get("token") for s in steps.values() if isinstance(s.output, dict)}
        if was not in recorded:
            self._wrong(f"{one.path} of run {one.run} was given {was}, which nobody recorded")


def driven() -> tuple[Drive, Call]:
    """Who calls the function that calls this: the drive of a run, and its call."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code is Drive._call.__code__:
            return frame.f_locals["self"], frame.f_locals["call"]
        frame = frame.f_back  # type: ignore[assignment]
    raise AssertionError("no drive calls this")
