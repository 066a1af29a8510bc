"""The hash chain over the journal: evidence that nothing was changed, without the contents.

    commitment = SHA-256(salt | body)                 the salt has 32 bytes of its own
    hash       = SHA-256(0x00 | hash before | commitment | header)

The header says everything about an event but its body: a JSON array without spaces, so that it
can be read in one way only. A body and its salt may be erased together: the commitment takes
their place, so the chain still holds, and without the salt nobody can try out bodies until one
fits (TRUST section 5). While the body is there its commitment is not kept: it would say nothing
that the hash does not. What the chain cannot show is that the newest events were cut off; that
takes a copy of the last hash somewhere else.

The salt is of one length and the body is all that follows, so SHA-256 alone commits to both; the
HMAC in its place would hash twice to keep others from going on behind a body, which nobody reads.
"""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring as _quoted
from operator import itemgetter
from typing import Any, cast

GENESIS = bytes(32)
"""The hash before the first event."""

SALT_BYTES = 32

Line = tuple[int, bytes, bytes | None, bytes | None, bytes | None, bytes]
"""Position, header, salt, body, commitment and hash of an event, as `journal_lines` reads them:
the database writes the header from the columns, in C, and gives texts as bytes. A body that was no
text has a commitment beside it, which none has that is as it was written."""

_Written = tuple[int, bytes, bytes, bytes, bytes | None, bytes]
"""A line whose body was not erased."""


MISSING, TAMPERED = "missing", "tampered"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the journal that is not as it was written: `missing` or `tampered`."""

    position: int
    what: str
    kind: str = TAMPERED


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. `intact` and `erased` count events without problems."""

    events: int
    intact: int
    erased: int
    problems: tuple[Problem, ...]


def commit(salt: bytes, body: bytes) -> bytes:
    """The commitment of a body: it proves the body while the salt exists, and hides it after."""
    return sha256(salt + body).digest()


def kept(salt: bytes | None, body: bytes | None, commitment: bytes | None) -> bytes:
    """The commitment of an event: that of its body, or what was left of it.

    Raises ValueError or TypeError where body, salt and commitment are not as they were written.
    """
    if body is None and salt is None and commitment is not None:
        return commitment
    if body is None or salt is None or commitment is not None or len(salt) != SALT_BYTES:
        raise ValueError("a body has a salt; both are erased together and leave the commitment")
    return commit(salt, body)


def commitment_of(row: Sequence[Any]) -> Any:
    """The same of the last of a row's columns: body, salt, commitment, hash; for whoever shows
    them. Where somebody was at them it is what the row has."""
    body, salt, commitment, _ = row[-4:]
    try:
        return kept(salt, None if body is None else body.encode(), commitment)
    except (TypeError, ValueError, AttributeError):
        return commitment


def header(
    position: int,
    tenant: str,
    stream: int,
    version: int,
    kind: str,
    schema: int,
    at: int,
    actor: str,
) -> str:
    """Everything about an event but its body.

    >>> header(7, "default", 3, 2, "step.succeeded", 1, 1700, 'é"')
    '[7,3,2,1,1700,"default","step.succeeded","é\\\\""]'
    """
    names = f"{_quoted(tenant)},{_quoted(kind)},{_quoted(actor)}"
    return f"[{position},{stream},{version},{schema},{at},{names}]"


def hash_at(lines: Sequence[Line], position: int) -> bytes:
    """The hash of the event at a position, of lines that ascend; empty where there is none."""
    index = bisect_left(lines, position, key=itemgetter(0))
    found = lines[index] if index < len(lines) else None
    return found[5] if found and found[0] == position else b""


def leaf(line: Line) -> bytes:
    """The hash of an event, as a leaf of the tree; where somebody put something else, nothing."""
    own: object = line[5]
    return own if isinstance(own, bytes) else b""


def stream_of(line: Line) -> int:
    """The stream of an event."""
    stream: int = _said(line)[1]
    return stream


def kind_of(line: Line) -> str:
    """The kind of an event."""
    return str(_said(line)[6])


def _said(line: Line) -> Any:
    return json.loads(line[1].decode(errors="replace"))


def link(
    before: bytes,
    position: int,
    tenant: str,
    stream: int,
    version: int,
    kind: str,
    schema: int,
    at: int,
    actor: str,
    commitment: bytes,
) -> bytes:
    """The hash of an event that follows the event with the hash `before`."""
    said = header(position, tenant, stream, version, kind, schema, at, actor)
    return sha256(b"\0" + before + commitment + said.encode()).digest()


class Walk:
    """Goes along the chain, page by page, and remembers what is wrong.

    It begins behind the event at `position`, whose hash is `before`.
    """

    def __init__(self, before: bytes = GENESIS, position: int = 0) -> None:
        self._before, self._position = before, position
        self._intact = self._erased = 0
        self._problems: list[Problem] = []

    @property
    def position(self) -> int:
        """The position of the last event that was seen."""
        return self._position

    @property
    def before(self) -> bytes:
        """The hash of the last event that was seen."""
        return self._before

    @property
    def sound(self) -> bool:
        """Whether nothing wrong was found so far."""
        return not self._problems

    def step(self, lines: Sequence[Line]) -> None:
        """Check the next events; they must follow those of the step before."""
        if not lines:
            return
        if _whole(self._before, self._position + 1, lines):
            self._intact += len(lines)
            self._before, self._position = lines[-1][5], lines[-1][0]
        else:
            self._look(lines)

    def follow(self, position: int, last: bytes, intact: int, erased: int) -> None:
        """Go on behind events that another walk, which began here, has found sound."""
        self._position, self._before = position, last
        self._intact += intact
        self._erased += erased

    def _look(self, lines: Sequence[Line]) -> None:
        before, expected = self._before, self._position + 1
        for line in lines:
            position, own = line[0], leaf(line)
            if problem := _problem(before, expected, line):
                kind = TAMPERED if position == expected else MISSING
                self._problems.append(Problem(position, problem, kind))
            elif line[3] is None:
                self._erased += 1
            else:
                self._intact += 1
            before, expected = own, position + 1
        self._before, self._position = before, expected - 1

    def result(self) -> Verification:
        """What has been found so far."""
        events = self._intact + self._erased + len(self._problems)
        return Verification(events, self._intact, self._erased, tuple(self._problems))


def _whole(before: bytes, expected: int, lines: Sequence[Line]) -> bool:
    """Whether all events of a page are just as they were written, bodies and all.

    The arithmetic of `commit` and `link` without a call for each: there are millions. Positions
    ascend, so they have no gap when the first and the last are right.
    """
    if lines[0][0] != expected or lines[-1][0] != expected + len(lines) - 1:
        return False
    last = before
    try:
        for _, said, salt, body, left, own in cast(Sequence[_Written], lines):
            last = sha256(b"\0" + last + sha256(salt + body).digest() + said).digest()
            if last != own or left is not None or len(salt) != SALT_BYTES:
                return False
    except TypeError:
        return False  # whoever looks closely says what is wrong, if it is more than an erased body
    return True


def _problem(before: bytes, expected: int, line: Line) -> str:
    """What is wrong with a line, or nothing."""
    position, said, salt, body, commitment, own = line
    if position != expected:
        return f"events are missing from position {expected} on"
    try:
        # Read and written once more: how a text is escaped is up to the database.
        again = json.dumps(json.loads(said), separators=(",", ":"), ensure_ascii=False).encode()
        made = sha256(b"\0" + before + kept(salt, body, commitment) + again).digest()
    except (TypeError, ValueError):
        return "a value in it was replaced by one that was never written"
    return "" if made == own else "it is not what was written, or not where it was written"
