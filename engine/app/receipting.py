"""Receipts to take away: what an approval allowed, who said so, and what came of it.

A receipt holds the plan's bytes and every event that speaks of the approval, with its place in
the journal, its salt and its hashes: who has the journal, or an export of it, finds each of them
there unchanged. It is made of the journal alone.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.app.questions import Held
from engine.core.approval.plan import code
from engine.core.chain import commitment_of
from engine.core.log import Row
from engine.store import Store

FORMAT = "handrail-receipt/1"
_OF_RUN = frozenset({"mutations.granted", "step.in_flight"})
_OUTCOMES = frozenset(
    {
        "step.succeeded",
        "step.failed",
        "step.unknown",
        "step.looked_up",
        "step.indeterminate",
        "step.resolved",
        "truth.conflicted",
    }
)


async def receipt(store: Store, tenant: str, held: Held) -> dict[str, Any]:
    """What an approval was and what came of it, as JSON."""
    request = held.approval.request
    lines = await store.fetch("journal_evidence", tenant=tenant, stream=held.stream)
    events = list(lines)
    if request.run_stream:
        of_run = await store.fetch("journal_evidence", tenant=tenant, stream=request.run_stream)
        events += _concerned(of_run, request.uid)
    return {
        "format": FORMAT,
        "approval": request.uid,
        "kind": request.kind,
        "state": held.approval.state,
        "outcome": held.approval.outcome,
        "digest": request.digest,
        "code": code(request.digest),
        "plan": request.plan,
        "events": [_shown(line) for line in events],
    }


def _concerned(lines: Sequence[Row], grant: str) -> list[Row]:
    """The events of a run that this approval allowed, and what became of those."""
    paths: set[str] = set()
    found = []
    for line in lines:
        body = json.loads(line["body"]) if line["body"] is not None else {}
        if line["kind"] in _OF_RUN and body.get("grant") == grant:
            paths.add(body.get("path", ""))
            found.append(line)
        elif line["kind"] in _OUTCOMES and body.get("path") in paths:
            found.append(line)
    return found


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("position", "stream", "version", "kind", "schema", "at", "actor", "body")
    hashes = ("salt", "commitment", "hash")
    commitment = commitment_of([line[name] for name in ("body", *hashes)])
    shown = {**line, "commitment": commitment}
    return {name: line[name] for name in plain} | {
        name: None if shown[name] is None else bytes(shown[name]).hex() for name in hashes
    }
