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
        if self.closing:
            self._close()
            return self.out
        if self.run.status is not Status.ACTIVE:
            self.emit(ev.RunResumed())
        if self.run.deadline is None or now < self.run.deadline:
            self._look()
        elif self.run.unresolved.isdisjoint(busy):
            # What is under way is given up, but for what changes something: it ends by then too.
            late = Failure(Kind.TIMEOUT, "deadline", "the run did not end before its deadline")
            self._end(Broken("", late))
        return self.out

    def park(self, approval: str, wake_at: int | None) -> Decision:
        """Rest until a person has decided, or until `wake_at`, when something else is due."""
        self.out = Decision(wake_at=wake_at)
        self._rest(Status.APPROVAL, approval)
        return self.out

    def deny(self, failure: Failure) -> Decision:
        """End: what the run would do next may not be done."""
        self.out = Decision(idle=True)
        self.emit(ev.RunFailed(Status.FAILED_DENIED.value, "", failure))
        return self.out

    # -- the run as a whole ------------------------------------------------------------

    def _look(self) -> None:
        verdict = self.walk(self.root)
        broken = isinstance(verdict, Broken)
        if isinstance(verdict, Broken) and self.drained(""):
            self._end(verdict)
        elif verdict and not broken:
            self._complete()
        elif not (self.out.calls or self.out.looks or self.busy or self.out.proposals):
            self._pause()

    def _close(self) -> None:
        """Look into what a run has sent that is over; nothing else is done for it any more."""
        self.walk(self.root)
        self.out.idle = not (self.out.looks or self.busy)

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
        if wake_at is None and not self.run.unresolved:
            lost = Failure(Kind.INTERNAL, "stuck", "the planner found nothing to do")
            self._end(Broken("", lost))
            return
        self._rest(Status.TIMER if wake_at in self.run.timers.values() else Status.RETRY)

    def _rest(self, status: Status, approval: str = "") -> None:
        """Pause; what nobody knows the fate of counts more than anything else (SEMANTICS 2)."""
        wake_at = self.out.wake_at
        if self.run.unresolved:
            status = Status.RECONCILIATION
        self.emit(ev.RunPaused(status.value, wake_at, approval=approval))
        if self.run.deadline is not None:
            times = (wake_at, self.run.deadline)
            self.out.wake_at = min(at for at in times if at is not None)
        self.out.idle = True
