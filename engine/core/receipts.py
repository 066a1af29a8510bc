"""Receipts: that every change which was sent can be led back to a person's yes, or to a rule.

The chain shows that nobody wrote into the journal. This shows that what stands in it follows from
each other: a yes to the very bytes of a plan, its one claim, the grant to the run that asked, and
then each send within that grant. Tables are held against it too, because whoever edits a row
makes a page say what the journal does not.

It reads bodies as they lie there and refuses to know how an approval is decided.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.approval.plan import digest, operation_digest, read
from engine.core.chain import Line, kind_of, stream_of
from engine.core.errors import Refused

PERSONAL = "apr_"
"""How the name of a grant begins that a person gave."""

_OURS = frozenset(
    {
        "approval.requested",
        "approval.voted",
        "approval.claimed",
        "approval.finished",
        "approval.ended",
        "mutations.granted",
        "step.in_flight",
    }
)
_MARKS = (b'"approval.', b'"mutations.granted"', b'"step.in_flight"')
"""What stands in the header of each of them, and in that of few others."""

_AFTER = {
    "approval.claimed": "claimed",
    "approval.finished": "done",
}


Told = tuple[int, int, str, bytes]
"""Position, stream, kind and body of an event."""


def told(lines: Sequence[Line]) -> list[Told]:
    """What events say that receipts look at; most events are none of them."""
    if not _marked(b"".join([line[1] for line in lines])):
        return []
    found = []
    for line in lines:
        body = line[3] if _marked(line[1]) else None
        if body is not None and (kind := kind_of(line)) in _OURS:
            found.append((line[0], stream_of(line), kind, body))
    return found


def _marked(headers: bytes) -> bool:
    return any(mark in headers for mark in _MARKS)


@dataclass(slots=True)
class _Approval:
    """What the journal says of one approval."""

    uid: str
    position: int
    digest: str
    ops: dict[str, str]
    state: str = "pending"
    allowed: bool = False
    claims: int = 0
    grants: int = 0


@dataclass(slots=True)
class Receipts:
    """Follows approvals and grants through the journal. Each problem is a position and words."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    _streams: dict[int, _Approval] = field(default_factory=dict)
    _names: dict[str, _Approval] = field(default_factory=dict)
    _granted: dict[tuple[int, str], set[str] | None] = field(default_factory=dict)
    _given: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)

    def step(self, told: Iterable[Told]) -> None:
        """Look at what the next events tell, see `told`."""
        for position, stream, kind, body in told:
            try:
                self._one(position, stream, kind, json.loads(body))
            except (ValueError, KeyError, TypeError, AttributeError):
                self._wrong(position, "it cannot be read")

    def _one(self, position: int, stream: int, kind: str, body: dict[str, Any]) -> None:
        if kind == "approval.requested":
            self._asked(position, stream, body)
        elif kind == "mutations.granted":
            self._grant(position, stream, body)
        elif kind == "step.in_flight":
            self._sent(position, stream, body)
        elif (approval := self._streams.get(stream)) is None:
            self._wrong(position, f"{kind} stands where nobody asked")
        else:
            self._moved(position, approval, kind, body)

    def _asked(self, position: int, stream: int, body: dict[str, Any]) -> None:
        raw = body["plan"].encode()
        try:
            ops = {op.id: operation_digest(op) for op in read(raw).ops}
        except Refused:
            ops = {}
        if not ops or digest(raw) != body["digest"]:
            self._wrong(position, f"the plan of {body['uid']} is not the one its digest names")
        made = _Approval(body["uid"], position, body["digest"], ops)
        self._streams[stream] = self._names[made.uid] = made

    def _moved(self, position: int, approval: _Approval, kind: str, body: dict[str, Any]) -> None:
        if kind == "approval.voted":
            approval.allowed = body["decision"] == "approve"
            approval.state = "approved" if approval.allowed else "denied"
        elif kind == "approval.ended":
            approval.state = body["state"]
        else:
            approval.state = _AFTER.get(kind, approval.state)
        if kind in ("approval.voted", "approval.claimed") and body["digest"] != approval.digest:
            self._wrong(position, f"it is about other bytes than {approval.uid} asked for")
        if kind == "approval.claimed":
            approval.claims += 1
            if not approval.allowed or approval.claims > 1:
                self._wrong(position, f"{approval.uid} was claimed without a yes, or twice")

    def _grant(self, position: int, stream: int, body: dict[str, Any]) -> None:
        ops, name = dict(body["ops"]), body["grant"]
        known = self._granted.setdefault((stream, name), set())
        if body.get("templates") or known is None:
            self._granted[stream, name] = None  # how many items there are, the run itself counts
        else:
            known.update(ops.values())
        if name.startswith(PERSONAL):
            self._given.append((position, name, ops))

    def _sent(self, position: int, stream: int, body: dict[str, Any]) -> None:
        name = body.get("grant", "")
        if (stream, name) not in self._granted:
            self._wrong(position, f"{body['path']} was sent and nobody had granted it")
            return
        known = self._granted[stream, name]
        if known is not None and body["digest"] not in known:
            self._wrong(position, f"{body['path']} was sent otherwise than it was granted")

    def _wrong(self, position: int, what: str) -> None:
        self.problems.append((position, what))

    # -- at the end ------------------------------------------------------------------------------

    def result(self) -> list[tuple[int, str]]:
        """What is wrong, when the whole journal was seen."""
        return sorted([*self.problems, *self._unfounded()])

    def _unfounded(self) -> Iterator[tuple[int, str]]:
        """Grants without a claimed approval: both are written together, in any order."""
        for position, name, ops in self._given:
            approval = self._names.get(name)
            if approval is None or not approval.claims:
                yield position, f"{name} was used, and no person's yes to it was claimed"
                continue
            approval.grants += 1
            if approval.grants > 1:
                yield position, f"{name} was used twice"
            elif not ops.items() <= approval.ops.items():
                yield position, f"{name} was used for something that its plan does not hold"

    def compared(
        self, rows: Iterable[Sequence[Any]], moving: Collection[int] = ()
    ) -> Iterator[tuple[int, str]]:
        """What the table of approvals says otherwise; rows are stream, id, digest and state.

        Streams that are `moving` were written to while the table was read.
        """
        table = {row[0]: tuple(row[1:]) for row in rows}
        for stream in sorted(table.keys() | self._streams.keys() - set(moving)):
            approval = self._streams.get(stream)
            said = (approval.uid, approval.digest, approval.state) if approval else ("", "", "")
            shown = table.get(stream, ("", "", ""))
            if said != shown and stream not in moving:
                name, state = said[0] or shown[0], shown[2] or "missing"
                journal = said[2] or "missing"
                yield stream, f"{name} is {state} in the table, and {journal} in the journal"
