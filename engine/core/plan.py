"""What a run should do next: definition and state in, events and calls out.

The planner walks the steps of a run's workflow in topological order. What can be decided
without the outside (conditions, switches, transforms, opening loops and sub-workflows) it
decides on the spot and folds into the run; what needs the outside it returns as calls. It
starts nothing, waits for nothing and reads no clock.

Rules: a skipped step does not stop those that depend on it (its output is null); once a step
has failed for good nothing new is begun in its scope, what is under way may finish, then the
scope fails; a failed scope or loop is a failed step of the scope around it, where a fallback
may still save it.
"""

from collections.abc import Collection

from engine.core import events as ev
from engine.core.asks import Broken, Decision
from engine.core.errors import Failure, Kind, StepError
from engine.core.status import OUTCOMES, TERMINAL, Status
from engine.core.walk import Walker


class Planner(Walker):
    """Plans one run. It owns `run` and folds what it decides into it."""

    def advance(self, now: int, busy: Collection[str] = ()) -> Decision:
        """What to do at `now` while the calls at the paths `busy` are under way."""
        self.now, self.busy, self.out = now, busy, Decision()
        if self.run.status is not Status.ACTIVE:
            self.emit(ev.RunResumed())
        if self.run.deadline is not None and now >= self.run.deadline:
            late = Failure(Kind.TIMEOUT, "deadline", "the run did not end before its deadline")
            self._end(Broken("", late))
        else:
            self._look()
        return self.out

    # -- the run as a whole ------------------------------------------------------------

    def _look(self) -> None:
        verdict = self.walk(self.root)
        if isinstance(verdict, Broken):
            if not self.drained(""):
                return
            self._end(verdict)
        elif verdict:
            self._complete()
        elif not self.out.calls and not self.busy:
            self._pause()

    def _complete(self) -> None:
        try:
            output = self.output(self.root)
        except StepError as error:
            self._end(Broken("", error.failure))
            return
        self.emit(ev.RunCompleted(output))
        self.out.idle = True

    def _end(self, broken: Broken) -> None:
        status = OUTCOMES[broken.failure.kind]
        if status in TERMINAL:
            self.emit(ev.RunFailed(status.value, broken.path, broken.failure))
        else:
            self.emit(ev.RunPaused(status.value, None, broken.path, broken.failure))
        self.out.calls.clear()
        self.out.idle, self.out.wake_at = True, None

    def _pause(self) -> None:
        wake_at = self.out.wake_at
        if wake_at is None:
            lost = Failure(Kind.INTERNAL, "stuck", "the planner found nothing to do")
            self._end(Broken("", lost))
            return
        timer = wake_at in self.run.timers.values()
        status = Status.TIMER if timer else Status.RETRY
        self.emit(ev.RunPaused(status.value, wake_at))
        if self.run.deadline is not None:
            self.out.wake_at = min(wake_at, self.run.deadline)
        self.out.idle = True
