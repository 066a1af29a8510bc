"""The mutation ledger of a run: what was allowed, what was sent, and what became of it.

`begin` is the one place where a step may become in flight, whichever way the command came in: it
needs a grant that holds the very operation that is about to be sent (SEMANTICS 5). What was sent
and not answered is `unknown`, never failed, and is not begun again; what a person said of it is
never changed by what is learned later (TRUST 3.2). Nothing here knows time, sockets or stores.
"""

import hmac
from base64 import b32encode
from dataclasses import replace
from typing import Any

from engine.core import events as ev
from engine.core.errors import Failure, Kind, Move, Refused
from engine.core.grants import full, templates_of
from engine.core.model import Effect
from engine.core.retry import RetryPolicy
from engine.core.state import SETTLED, UNRESOLVED, Run, Sending, StepState
from engine.core.value import value

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
class Found:
    """A worker asked the other system about a send: `yes` with the `output`, `no`, or `unknown`.

    `proven` says that a `no` counts: it came late enough, and the other system is sure.
    """

    path: str
    send: int
    verdict: str
    output: Any
    target: str
    policy: RetryPolicy
    at: int
    proven: bool = False
    failure: Failure | None = None


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
    if held is None or report.of not in (report.path, *templates_of(report.path)):
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


def found(run: Run, report: Found) -> tuple[ev.RunEvent, ...]:
    """What follows from a look-up: it happened, it did not (asked twice), or nobody knows yet."""
    path, step = report.path, opened(run, report.path)
    _fence(run, path, report.send)
    at, proven = report.at, report.proven
    told = ev.StepLookedUp(path, report.send, report.verdict, at, proven, report.failure)
    told = replace(told, proven=proven or report.verdict == "yes")
    if report.verdict == "yes":
        target, began = report.target, run.sends[path].sent_at
        output, attempt = report.output, step.attempt
        return told, ev.StepSucceeded(path, output, attempt, target, began, "lookup")
    noes = run.sends[path].noes + (report.verdict == "no" and proven)
    return (told, _absent(run, report, step)) if noes >= PROOF else (told,)


PROOF = 2
"""How many times the other system has to say that nothing happened, at different times."""

ATTEMPTS = 3
"""Attempts at what is proven not to have happened, where the task asks for fewer."""


def _absent(run: Run, report: Found, step: StepState) -> ev.StepFailed:
    """It is proven that nothing happened: as safe to begin again as if it had never left."""
    failure = Failure(
        Kind.TRANSIENT,
        "not_applied",
        "the other system says that it did not happen",
        details={"applied": "no"},
    )
    path, at, began = report.path, report.at, run.sends[report.path].sent_at
    wait = report.policy.delay(step.attempt, failure, 0.5, at - (step.first_at or began))
    if wait is None and step.attempt < ATTEMPTS:
        wait = 0
    again_at = None if wait is None else at + wait
    return ev.StepFailed(path, step.attempt, report.target, failure, began, again_at)


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


def key(secret: bytes, tenant: str, root: str, path: str, epoch: int) -> str:
    """The idempotency key of a mutation: the same for every send of every retry of it.

    `root` is the public id of the first run of its chain; a new `epoch` begins when a person says
    that it did not happen. It tells nothing about what is sent (TRUST 3.2).
    """
    lineage = "\0".join((tenant, root, path, str(epoch))).encode()
    text = b32encode(hmac.digest(secret, lineage, "sha256")).decode()
    return f"hr1_{text[:40]}"


def late(run: Run, report: Succeed | Fail, epoch: int) -> tuple[ev.RunEvent, ...]:
    """What follows from the outcome of a send that somebody else may have given up.

    It is recorded if nothing else is known of that send, whatever became of the run; where it
    contradicts what is known, that is an incident, and nothing changes.
    """
    step, sending = run.steps.get(report.path), run.sends.get(report.path)
    if step is None or sending is None:
        return ()
    if step.status in UNRESOLVED and (sending.send, sending.epoch) == (report.send, epoch):
        return _late_success(run, report) if isinstance(report, Succeed) else _late_no(run, report)
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


def _late_success(run: Run, report: Succeed) -> tuple[ev.RunEvent, ...]:
    told = ev.StepLookedUp(report.path, report.send, "yes", report.started_at, True)
    return told, *succeed(run, replace(report, source="late"))


def _late_no(run: Run, report: Fail) -> tuple[ev.RunEvent, ...]:
    if proves(run, report.path, report.failure):
        told = ev.StepLookedUp(report.path, report.send, "no", report.now, True, report.failure)
        return told, *fail(run, report)
    known = run.steps[report.path].status in {"unknown", "indeterminate"}
    return () if known else fail(run, report)


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
