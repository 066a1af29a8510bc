"""The hash chain over the journal: evidence that nothing was changed, without the contents.

    commitment = HMAC-SHA256(salt, body)              the salt has 32 bytes of its own
    hash       = SHA-256(0x00 | hash before | header | commitment)

The header says everything about an event but its body, in an order and form that can be read in
one way only: numbers end with a space, text is preceded by its length. A body and its salt may
be erased together: the commitment stays, so the chain still holds, and without the salt nobody
can try out bodies until one fits (TRUST section 5). What it cannot show is that the newest
events were cut off; that takes a copy of the last hash somewhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

GENESIS = bytes(32)
"""The hash before the first event."""

SALT_BYTES = 32

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32

Line = tuple[int, str, int, int, str, int, int, str, str | None, bytes | None, bytes, bytes]
"""A journal row in the order of its columns."""


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
    """The commitment of a body: it proves the body while the salt exists, and hides it after.

    This is RFC 2104 spelled out for keys of 32 bytes: it runs twice for every event, and the
    library's general form takes twice as long.

    >>> import hmac
    >>> commit(bytes(range(32)), b"body") == hmac.digest(bytes(range(32)), b"body", "sha256")
    True
    """
    inner = sha256(salt.translate(_INNER) + _INNER_REST + body).digest()
    return sha256(salt.translate(_OUTER) + _OUTER_REST + inner).digest()


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
    header = (
        f"{position} {stream} {version} {schema} {at} "
        f"{len(tenant)} {tenant}{len(kind)} {kind}{len(actor)} {actor}"
    )
    return sha256(b"\0" + before + header.encode() + commitment).digest()


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
        whole = _whole(self._before, self._position + 1, lines)
        self._intact += whole
        if whole:
            self._before, self._position = lines[whole - 1][11], lines[whole - 1][0]
        if whole < len(lines):
            self._look(islice(lines, whole, None))

    def follow(self, position: int, last: bytes, intact: int, erased: int) -> None:
        """Go on behind events that another walk, which began here, has found sound."""
        self._position, self._before = position, last
        self._intact += intact
        self._erased += erased

    def _look(self, lines: Iterable[Line]) -> None:
        before, expected = self._before, self._position + 1
        for line in lines:
            position, own = line[0], line[11]
            if problem := _problem(before, expected, line):
                kind = TAMPERED if position == expected else MISSING
                self._problems.append(Problem(position, problem, kind))
            elif line[8] is None:
                self._erased += 1
            else:
                self._intact += 1
            before, expected = own, position + 1
        self._before, self._position = before, expected - 1

    def result(self) -> Verification:
        """What has been found so far."""
        events = self._intact + self._erased + len(self._problems)
        return Verification(events, self._intact, self._erased, tuple(self._problems))


def _whole(before: bytes, expected: int, lines: Iterable[Line]) -> int:
    """How many events from the first one on are just as they were written, bodies and all.

    `link` and `commit` in one loop: a call takes as long as a hash, and there are millions.
    """
    count = 0
    try:
        for (
            position,
            tenant,
            stream,
            version,
            kind,
            schema,
            at,
            actor,
            body,
            salt,
            kept,
            own,
        ) in lines:
            header = (
                f"{position} {stream} {version} {schema} {at} "
                f"{len(tenant)} {tenant}{len(kind)} {kind}{len(actor)} {actor}"
            )
            if position != expected or salt is None or body is None:
                return count
            inner = sha256(salt.translate(_INNER) + _INNER_REST + body.encode()).digest()
            if sha256(salt.translate(_OUTER) + _OUTER_REST + inner).digest() != kept:
                return count
            if sha256(b"\0" + before + header.encode() + kept).digest() != own:
                return count
            before, expected, count = own, expected + 1, count + 1
    except (TypeError, ValueError, AttributeError):
        pass  # whoever looks closely says what is wrong with it
    return count


def _problem(before: bytes, expected: int, line: Line) -> str:
    """What is wrong with a line, or nothing."""
    position, tenant, stream, version, kind, schema, at, actor, body, salt, commitment, own = line
    if position != expected:
        return f"events are missing from position {expected} on"
    try:
        if own != link(
            before, position, tenant, stream, version, kind, schema, at, actor, commitment
        ):
            return "its header or its place in the chain was changed"
        if body is not None and salt is not None:
            return "" if commit(salt, body.encode()) == commitment else "its body was changed"
    except (TypeError, ValueError, AttributeError):
        return "a value in it was replaced by one that was never written"
    if body is None and salt is None:
        return ""
    return "its body was removed without its salt, or the other way round"
