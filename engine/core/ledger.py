"""The mutation ledger of a run: what was allowed, what was sent, and what became of it.

`begin` is the one place where a step may become in flight, whichever way the command came in: it
needs a grant that holds the very operation that is about to be sent (SEMANTICS 5). What was sent
and not answered is `unknown`, never failed, and is not begun again; what a person said of it is
never changed by what is learned later (TRUST 3.2). Nothing here knows time, sockets or stores.
"""

import re
from typing import Any

from engine.core import events as ev
from engine.core.errors import Failure, Move, Refused
from engine.core.model import Effect
from engine.core.retry import RetryPolicy
from engine.core.state import SETTLED, UNRESOLVED, Granted, Run, Sending, StepState, settle
from engine.core.value import value

_INDEX = re.compile(r"\[[0-9]+\]")


def template_of(path: str) -> str:
    """The template that a step inside a forEach belongs to; its own path where there is none.

    >>> template_of("loop[3]/charge")
    'loop[*]/charge'
    """
    return _INDEX.sub("[*]", path) if "[" in path else path


# -- what a worker or a person reports ---------------------------------------------------------


@value
class Begin:
    """A worker wants to start an attempt of a step. Only a mutation leaves a trace.

    `of` is the id under which the operation was granted, `approved` the digest that it has there
    when it is worked out anew, `digest` that of the operation itself (the same, but for templates).
    """

    path: str
    effect: Effect
    of: str = ""
    approved: str = ""
    digest: str = ""
    key: str = ""
    at: int = 0


@value
class Resend:
    """A worker wants to send again what nobody knows of: the same operation, the same key."""

    path: str
    digest: str
    key: str
    at: int


@value
class Succeed:
    """A worker reports an output. `send` is that of a mutation, 0 of anything else."""

    path: str
    output: Any
    target: str
    started_at: int
    source: str = ""
    send: int = 0


@value
class Fail:
    """A worker reports a failure; `chance` in [0, 1) is the jitter's."""

    path: str
    failure: Failure
    policy: RetryPolicy
    target: str
    started_at: int
    now: int
    chance: float
    send: int = 0


@value
class Resolve:
    """A person says what became of a mutation; `approval` is where that was allowed."""

    path: str
    verdict: str
    output: Any
    by: str
    at: int
    approval: str = ""


VERDICTS = frozenset({"happened", "did_not_happen", "skip"})


# -- deciding ----------------------------------------------------------------------------------


def begin(run: Run, report: Begin) -> tuple[ev.RunEvent, ...]:
    """What follows when a step is to begin. Raises Refused for a mutation that may not.

    `needs_approval`: nothing allows it. `drifted`: what was allowed is something else.
    `mutation_unresolved`: it was sent already, and nobody knows what became of that.
    """
    step = opened(run, report.path)
    if report.effect is not Effect.MUTATION:
        return ()
    if step.status in UNRESOLVED:
        raise unresolved(report.path, step.status)
    held = run.grants.get(report.of)
    if held is None or report.of not in {report.path, template_of(report.path)}:
        raise _ungranted(report.path)
    if not report.approved or held.digest != report.approved:
        raise _drifted(report.path)
    if full(held, report.path):
        raise _ungranted(report.path)
    return (_flight(run, report, step.attempt + 1, held.grant),)


def resend(run: Run, report: Resend) -> tuple[ev.RunEvent, ...]:
    """What follows when an unknown send is to be repeated; raises Refused when it is another."""
    step, sending = opened(run, report.path), run.sends.get(report.path)
    if sending is None or step.status != "unknown":
        raise Refused("not_unknown", f"step {report.path!r} is {step.status}, not unknown")
    if (sending.digest, sending.key) != (report.digest, report.key):
        raise _drifted(report.path)
    return (_flight(run, report, step.attempt, sending.grant),)


def _flight(run: Run, report: Begin | Resend, attempt: int, grant: str) -> ev.StepInFlight:
    sending = run.sends.get(report.path)
    send = 1 if sending is None else sending.send + 1
    return ev.StepInFlight(report.path, attempt, grant, report.digest, report.key, send, report.at)


def succeed(run: Run, report: Succeed) -> tuple[ev.RunEvent, ...]:
    """What follows from an output."""
    path, step = report.path, opened(run, report.path)
    sent = step.status in UNRESOLVED
    if sent:
        _fence(run, path, report.send)
    attempt = step.attempt if sent else step.attempt + 1
    at = report.started_at
    return (ev.StepSucceeded(path, report.output, attempt, report.target, at, report.source),)


def fail(run: Run, report: Fail) -> tuple[ev.RunEvent, ...]:
    """What follows from a failure: of what was sent, only one that proves it is a failure."""
    path, step = report.path, opened(run, report.path)
    sent = step.status in UNRESOLVED
    if sent:
        _fence(run, path, report.send)
        if not proves(run, path, report.failure):
            reason, failure = report.failure.code, report.failure
            return (ev.StepUnknown(path, report.send, reason, report.now, failure),)
    attempt = step.attempt if sent else step.attempt + 1
    elapsed = report.now - (step.first_at or report.started_at)
    wait = report.policy.delay(attempt, report.failure, report.chance, elapsed)
    again_at = None if wait is None else report.now + wait
    target, began = report.target, report.started_at
    return (ev.StepFailed(path, attempt, target, report.failure, began, again_at),)


def proves(run: Run, path: str, failure: Failure) -> bool:
    """Whether a failure proves that nothing was changed, by this send or by one before it."""
    if failure.details.get("applied") != "no":
        return False
    return not run.sends[path].doubt


def resolve(run: Run, report: Resolve) -> tuple[ev.RunEvent, ...]:
    """What follows from a person's word. Raises Refused `unknown_step`, `not_unresolved`."""
    step, sending = run.steps.get(report.path), run.sends.get(report.path)
    if report.verdict not in VERDICTS:
        raise Refused("unknown_verdict", f"{report.verdict[:40]!r} is no verdict")
    if step is None or sending is None:
        raise Refused("unknown_step", f"the run sent nothing at {report.path[:80]!r}")
    if step.status not in {"unknown", "indeterminate"}:
        raise Refused("not_unresolved", f"step {report.path!r} is {step.status}")
    epoch = sending.epoch + (report.verdict == "did_not_happen")
    path, output = report.path, report.output
    by, at, approval = report.by, report.at, report.approval
    return (ev.StepResolved(path, report.verdict, output, by, epoch, at, approval),)


def late(run: Run, report: Succeed | Fail, epoch: int) -> tuple[ev.RunEvent, ...]:
    """What follows from the outcome of a send that somebody else may have given up.

    It is recorded if nothing else is known of that send, whatever became of the run; where it
    contradicts what is known, that is an incident, and nothing changes.
    """
    step, sending = run.steps.get(report.path), run.sends.get(report.path)
    if step is None or sending is None:
        return ()
    if step.status in UNRESOLVED and (sending.send, sending.epoch) == (report.send, epoch):
        return succeed(run, report) if isinstance(report, Succeed) else _late_failure(run, report)
    found = "happened" if isinstance(report, Succeed) else "did_not_happen"
    if found != "happened" and report.failure.details.get("applied") != "no":  # type: ignore[union-attr]
        return ()
    said = _said(step, sending, epoch)
    if not said or said == found:
        return ()
    if found == "did_not_happen" and sending.send != report.send:
        return ()
    at = report.now if isinstance(report, Fail) else report.started_at
    return (ev.TruthConflicted(report.path, report.send, said, found, at),)


def _late_failure(run: Run, report: Fail) -> tuple[ev.RunEvent, ...]:
    known = run.steps[report.path].status in {"unknown", "indeterminate"}
    if known and not proves(run, report.path, report.failure):
        return ()  # it says no more than is known
    return fail(run, report)


def _said(step: StepState, sending: Sending, epoch: int) -> str:
    """What is known to have become of a send of `epoch`; empty while that is open."""
    if sending.epoch > epoch:
        return "did_not_happen"
    if sending.word:
        return sending.word
    return {"done": "happened", "failed": "did_not_happen"}.get(step.status, "")


def _fence(run: Run, path: str, send: int) -> None:
    known = run.sends.get(path)
    if known is None or known.send != send:
        raise Refused("old_send", f"send {send} of step {path!r} is not the last one")


# -- what others ask -----------------------------------------------------------------------------


def opened(run: Run, path: str) -> StepState:
    """A step that may still change; raises Refused `step_settled`."""
    step = run.steps.get(path)
    if step is None:
        return _FRESH
    if step.status in SETTLED:
        raise Refused("step_settled", f"step {path!r} is already {step.status}")
    return step


_FRESH = StepState()


def grant_for(run: Run, path: str) -> str:
    """The id of the operation that allows a step to be begun; empty when nothing does."""
    if path in run.grants:
        return path
    template = template_of(path)
    held = run.grants.get(template)
    return "" if held is None or full(held, path) else template


def full(held: Granted, path: str) -> bool:
    """Whether a template has been used as often as was allowed."""
    return bool(held.most) and path not in held.paths and len(held.paths) >= held.most


def unresolved(path: str, status: str) -> Refused:
    """The refusal of whatever would repeat or forget a mutation that nobody knows the fate of."""
    return Refused(
        "mutation_unresolved",
        f"step {path!r} was sent and its outcome is {status.replace('_', ' ')}",
        "Find out whether it happened and say so; it is never repeated by guessing.",
        move=Move.PERSON,
        details={"step": path, "status": status},
    )


def _ungranted(path: str) -> Refused:
    return Refused(
        "needs_approval",
        f"step {path!r} would change a system outside, and nobody has allowed it",
        "A person has to approve it first.",
        move=Move.PERSON,
    )


def _drifted(path: str) -> Refused:
    return Refused(
        "drifted",
        f"what step {path!r} would send now is not what was allowed",
        "A new plan shows what it would do now.",
        move=Move.PERSON,
    )


# -- folding -----------------------------------------------------------------------------------


def _granted(run: Run, event: ev.MutationsGranted) -> None:
    for name, digest in event.ops.items():
        run.grants[name] = Granted(event.grant, digest, event.templates.get(name, 0))


def _voided(run: Run, event: ev.GrantVoided) -> None:
    run.grants = {name: held for name, held in run.grants.items() if held.grant != event.grant}


def _in_flight(run: Run, event: ev.StepInFlight) -> None:
    path = event.path
    step = run.steps.get(path)
    if step is None:
        step = run.steps[path] = StepState()
    sending = run.sends.get(path)
    if sending is None:
        sending = run.sends[path] = Sending()
    sending.doubt = sending.doubt or step.status == "unknown"
    step.status, step.attempt = "in_flight", event.attempt
    sending.grant, sending.digest, sending.key = event.grant, event.digest, event.key
    sending.send, sending.tries, sending.sent_at = event.send, sending.tries + 1, event.at
    sending.first_at = sending.first_at or event.at
    run.unresolved.add(path)
    if path not in run.grants and (held := run.grants.get(template_of(path))) is not None:
        held.paths.add(path)


def _unknown(run: Run, event: ev.StepUnknown) -> None:
    step, sending = run.steps[event.path], run.sends[event.path]
    step.status, step.failure = "unknown", event.failure
    step.again_at = 0
    sending.reason, sending.since = event.reason, event.at
    sending.looks = sending.noes = 0
    run.unresolved.add(event.path)


def _looked_up(run: Run, event: ev.StepLookedUp) -> None:
    sending = run.sends[event.path]
    sending.looks, sending.since = sending.looks + 1, event.at
    sending.noes += event.verdict == "no" and event.proven


def _indeterminate(run: Run, event: ev.StepIndeterminate) -> None:
    run.steps[event.path].status = "indeterminate"
    run.sends[event.path].reason = event.reason
    run.unresolved.add(event.path)


def _resolved(run: Run, event: ev.StepResolved) -> None:
    sending = run.sends.setdefault(event.path, Sending())
    sending.epoch = event.epoch
    if event.verdict == "happened":
        settle(run, event.path, "done", event.output)
    elif event.verdict == "skip":
        settle(run, event.path, "skipped", None)
    else:
        step = run.steps.setdefault(event.path, StepState())
        step.status, step.again_at = "waiting", 0
        sending.tries = sending.first_at = 0
        sending.key, sending.doubt = "", False
        run.unresolved.discard(event.path)
        return
    sending.word = event.verdict


FOLD: dict[type[Any], Any] = {
    ev.MutationsGranted: _granted,
    ev.GrantVoided: _voided,
    ev.StepInFlight: _in_flight,
    ev.StepUnknown: _unknown,
    ev.StepLookedUp: _looked_up,
    ev.StepIndeterminate: _indeterminate,
    ev.StepResolved: _resolved,
}
