"""The hash chain over the journal: evidence that nothing was changed, without the contents.

    commitment = HMAC-SHA256(salt, body)              the salt has 32 bytes of its own
    hash       = SHA-256(0x00 | hash before | header | commitment)

The header says everything about an event but its body, in an order and form that can be read in
one way only: numbers end with a space, text is preceded by its length. A body and its salt may
be erased together: the commitment stays, so the chain still holds, and without the salt nobody
can try out bodies until one fits (TRUST section 5). What it cannot show is that the newest
events were cut off; that takes a copy of the last hash somewhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest

GENESIS = bytes(32)
"""The hash before the first event."""

SALT_BYTES = 32

Line = tuple[int, str, int, int, str, int, int, str, bytes | None, bytes | None, bytes, bytes]
"""A journal row in the order of its columns, with the body as bytes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the journal that is not as it was written."""

    position: int
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. `intact` and `erased` count events without problems."""

    events: int
    intact: int
    erased: int
    problems: tuple[Problem, ...]


def commit(salt: bytes, body: bytes) -> bytes:
    """The commitment of a body: it proves the body while the salt exists, and hides it after."""
    return hmac_digest(salt, body, "sha256")


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
    """Goes along the chain from its beginning, page by page, and remembers what is wrong."""

    def __init__(self) -> None:
        self._before = GENESIS
        self._position = 0
        self._events = self._intact = self._erased = 0
        self._problems: list[Problem] = []

    def step(self, lines: Iterable[Line]) -> None:
        """Check the next events; they must follow those of the step before."""
        for line in lines:
            self._events += 1
            problem = self._gap(line) or _fault(self._before, line)
            if problem:
                self._problems.append(Problem(line[0], problem))
            elif line[8] is None:
                self._erased += 1
            else:
                self._intact += 1
            self._position, self._before = line[0], line[11]

    def result(self) -> Verification:
        """What has been found so far."""
        return Verification(self._events, self._intact, self._erased, tuple(self._problems))

    def _gap(self, line: Line) -> str:
        expected = self._position + 1
        return "" if line[0] == expected else f"events are missing from position {expected} on"


def _fault(before: bytes, line: Line) -> str:
    try:
        return _changed(before, line)
    except (TypeError, ValueError, AttributeError):
        return "a value in it was replaced by one of another type"


def _changed(before: bytes, line: Line) -> str:
    *header, body, salt, commitment, own = line
    if own != link(before, *header, commitment):
        return "its header or its place in the chain was changed"
    if body is None and salt is None:
        return ""
    if body is None or salt is None:
        return "its body was removed without its salt, or the other way round"
    return "" if commit(salt, body) == commitment else "its body was changed"
