"""Checkpoints as signed notes: how long the journal was, its head, and the root over it.

The format is that of C2SP (`signed-note` and `tlog-checkpoint`), so that tools and witnesses of
transparency logs read it:

    handrail/4f1c0d2a9be83e71            the origin: which journal
    12000                                how many events
    bM7…=                                the root, base64
    head pX0…=                           the hash of the newest of them: the chain's, base64
    at 1795262651000250                  microseconds since the epoch
    peaks Q2h…=                          the tree's peaks, so that the next process can go on

    — handrail/4f1c0d2a9be83e71 kY3…=    key id and Ed25519 signature, base64

The head is what a walk along the chain comes to: by it a journal is held against a checkpoint. The
root is for proofs to others. Notes follow each other in a file with an empty line between. The
signature itself is made and checked by others; nothing here knows a key.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from engine.core.merkle import Tree

ED25519 = b"\1"
"""The kind of signature, as C2SP numbers it."""

_TEXT = re.compile(
    r"(?P<origin>handrail/[0-9a-f]{16})\n(?P<size>[1-9][0-9]{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"head (?P<head>[A-Za-z0-9+/]{43}=)\nat (?P<at>[0-9]{1,18})\n"
    r"peaks (?P<peaks>[A-Za-z0-9+/=]{1,4000})\n"
)
_SIGNATURE = re.compile(r"— (?P<name>\S{1,200}) (?P<signature>[A-Za-z0-9+/]{91}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The journal as it was at a time."""

    origin: str
    size: int
    root: bytes
    head: bytes
    at: int
    peaks: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """What is signed."""
        root, head, peaks = (
            b64encode(each).decode() for each in (self.root, self.head, b"".join(self.peaks))
        )
        return f"{self.origin}\n{self.size}\n{root}\nhead {head}\nat {self.at}\npeaks {peaks}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint with the signature that stands below it."""

    checkpoint: Checkpoint
    key: bytes
    signature: bytes


def origin_of(place: str) -> str:
    """The name of the journal at a place: it stays when somebody writes another journal there."""
    return f"handrail/{sha256(place.encode(errors='replace')).hexdigest()[:16]}"


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a key is told from others of the same name."""
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def verifier(name: str, public: bytes) -> str:
    """The public key as a line of text, for whoever checks notes elsewhere."""
    return f"{name}+{key_id(name, public).hex()}+{b64encode(ED25519 + public).decode()}"


def written(found: Note) -> str:
    """The note as a text."""
    told = b64encode(found.key + found.signature).decode()
    return f"{found.checkpoint.text}\n— {found.checkpoint.origin} {told}\n"


def read(note: str) -> Note:
    """The note that a text is; raises ValueError for any other text."""
    text, _, below = note.partition("\n\n")
    body, line = _TEXT.fullmatch(text + "\n"), _SIGNATURE.fullmatch(below)
    if body is None or line is None or line["name"] != body["origin"]:
        raise ValueError("this is no signed checkpoint")
    told, peaks = b64decode(line["signature"], validate=True), _peaks(body["peaks"])
    root, head = b64decode(body["root"]), b64decode(body["head"])
    made = Checkpoint(body["origin"], int(body["size"]), root, head, int(body["at"]), peaks)
    if made.text != text + "\n" or Tree(made.size, peaks).root() != made.root:
        raise ValueError("its lines contradict each other")
    if made.size.bit_count() != len(peaks):
        raise ValueError("its peaks are not those of a tree of its size")
    return Note(made, told[:4], told[4:])


def _peaks(text: str) -> tuple[bytes, ...]:
    raw = b64decode(text, validate=True)
    return tuple(raw[at : at + 32] for at in range(0, len(raw), 32))


def unfinished(part: str) -> bool:
    """Whether a part of a file is the beginning of a note whose writer was interrupted."""
    _, between, below = part.partition("\n\n")
    return not between or _SIGNATURE.fullmatch(below) is None


def split(text: str) -> Iterator[str]:
    """The notes of a file, each as a text; the last may be only a part of one."""
    for part in re.split(r"\n\n(?!— )", text):
        if part.strip():
            yield part.strip("\n") + "\n"
