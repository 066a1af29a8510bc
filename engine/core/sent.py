"""Folding what was allowed and sent into a run: how each event of the ledger changes what is known.

`ledger.py` decides which events these are. Folding never refuses: what happened, happened.
"""

from typing import Any

from engine.core import events as ev
from engine.core.grants import templates_of
from engine.core.state import Granted, Run, Sending, StepState, settle


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
    if path not in run.grants:
        for held in map(run.grants.get, templates_of(path)):
            if held is not None:
                held.paths.add(path)
                break


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


def forget_doubt(run: Run, path: str) -> None:
    """It is proven that none of the sends of a step did anything."""
    sending = run.sends.get(path)
    if sending is not None:
        sending.doubt = False


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


def _carried(run: Run, event: ev.SendsCarried) -> None:
    run.sends[event.path] = Sending(epoch=event.epoch, first_at=event.first_at)


FOLD: dict[type[Any], Any] = {
    ev.MutationsGranted: _granted,
    ev.GrantVoided: _voided,
    ev.StepInFlight: _in_flight,
    ev.StepUnknown: _unknown,
    ev.StepLookedUp: _looked_up,
    ev.StepIndeterminate: _indeterminate,
    ev.StepResolved: _resolved,
    ev.SendsCarried: _carried,
}
