"""Copies of the journal that prove what they say, for whoever has no access to the database.

A folder with three files: the events, one JSON object on a line, each with everything its hash is
made of; the signed checkpoints; and a manifest with the digest of the events, head and root, and
proofs that each checkpoint goes on where the one before it ended (RFC 6962). A copy of a part gives
every event a proof that it stands in the whole; from a copy of all the root can be computed.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from engine.core import merkle, note
from engine.core.audit import FORGED, Audit, Finding
from engine.core.chain import commitment_of
from engine.core.errors import Move, Refused
from engine.core.merkle import Look, Place
from engine.core.note import Note

FORMAT = "handrail-audit/1"
ENTRIES, MANIFEST, CHECKPOINTS = "entries.jsonl", "manifest.json", "checkpoints.txt"

_COLUMNS = ("position", "tenant", "stream", "version", "kind", "schema", "at", "actor", "body")
_HASHES = ("salt", "commitment", "hash")

Row = Sequence[Any]
"""A row of the journal, in the order of the columns above."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and what the audit before it found."""

    folder: str
    entries: int
    sha256: str
    audit: Audit


@dataclass(frozen=True, slots=True)
class Proven:
    """Proofs that can be made once the nodes that are `wanted` are known.

    `sizes` are those of the checkpoints; `chosen` are the positions to copy, None for all.
    """

    size: int
    sizes: Sequence[int]
    chosen: Set[int] | None
    wanted: Set[Place]
    look: Look | None = None

    def answered(self, kept: Mapping[Place, bytes]) -> "Proven":
        """The same with the nodes."""

        def look(level: int, index: int) -> bytes:
            return kept.get((level, index), b"")  # one that is missing makes a proof that fails

        return Proven(self.size, self.sizes, self.chosen, self.wanted, look)

    def root(self, size: int) -> bytes:
        """The root over the first events."""
        return merkle.over(self.look, 0, size) if size and self.look else merkle.EMPTY

    def unrooted(self, notes: Iterable[Note]) -> list[Finding]:
        """The checkpoints whose root is not that of the events they speak of."""
        signed = (each.checkpoint for each in notes if each.checkpoint.size <= self.size)
        what = "the root that its checkpoint signs is not that of the events up to there"
        return [
            Finding(FORGED, each.size, what) for each in signed if each.root != self.root(each.size)
        ]

    def consistency(self) -> list[dict[str, Any]]:
        """A proof from each checkpoint to the next, and from the last to the whole."""
        if self.look is None:
            return []
        return [
            {
                "from": first,
                "to": second,
                "proof": _texts(merkle.consistency(self.look, first, second)),
            }
            for first, second in _pairs(self.sizes, self.size)
        ]

    def inclusion(self, position: int) -> list[str] | None:
        """The proof of one event, where a part is copied."""
        if self.chosen is None or self.look is None:
            return None
        return _texts(merkle.inclusion(self.look, position - 1, self.size))


def proofs(size: int, sizes: Iterable[int], chosen: Set[int] | None) -> Proven:
    """What has to be kept on a walk over `size` events to prove all that a copy says."""
    known = sorted({each for each in sizes if each <= size})

    def ask(look: Look) -> None:
        for end in filter(None, (*known, size)):
            merkle.over(look, 0, end)
        for first, second in _pairs(known, size):
            merkle.consistency(look, first, second)
        for position in chosen or ():
            merkle.inclusion(look, position - 1, size)

    return Proven(size, known, chosen, merkle.needed(ask))


def _pairs(sizes: Sequence[int], size: int) -> list[tuple[int, int]]:
    ends = [*sizes, size]
    return [(one, two) for one, two in pairwise(ends) if one < two]


def _texts(proof: Iterable[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in proof]


# -- writing ----------------------------------------------------------------------------------


def copy(
    folder: Path,
    rows: Iterable[Row],
    proven: Proven,
    notes: Sequence[Note],
    audit: Audit,
    key: str,
) -> Exported:
    """Write the folder; raises Refused `export_exists` or `export_unwritable`."""
    try:
        folder.mkdir(parents=True, mode=0o700)
        count, digest = _entries(folder / ENTRIES, rows, proven)
        text = "\n".join(note.written(each) for each in notes)
        _file(folder / CHECKPOINTS, lambda file: file.write((text + "\n" if text else "").encode()))
        told = {
            "format": FORMAT,
            "entries": count,
            "sha256": digest,
            "size": proven.size,
            "head": audit.head,
            "root": proven.root(proven.size).hex(),
            "key": key,
            "consistency": proven.consistency(),
            "findings": [[each.kind, each.position, each.what] for each in audit.findings],
        }
        _file(
            folder / MANIFEST, lambda file: file.write(json.dumps(told, indent=2).encode() + b"\n")
        )
    except FileExistsError:
        message = f"{str(folder)!r} exists already"
        raise Refused("export_exists", message, "Name a folder that does not exist.") from None
    except OSError as error:
        message = f"the copy cannot be written to {str(folder)!r}: {error.strerror}"
        hint = "Make room or choose another place; what was begun there can be removed."
        raise Refused("export_unwritable", message, hint, move=Move.PERSON) from error
    return Exported(str(folder), count, digest, audit)


def _entries(path: Path, rows: Iterable[Row], proven: Proven) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()

    def write(file: IO[bytes]) -> None:
        nonlocal count
        for row in rows:
            if row[0] > proven.size:
                break
            if proven.chosen is None or row[0] in proven.chosen:
                text = _entry(row, proven.inclusion(row[0])).encode("ascii")
                digest.update(text)
                file.write(text)
                count += 1

    _file(path, write)
    return count, digest.hexdigest()


def _entry(row: Row, proof: list[str] | None) -> str:
    told: dict[str, Any] = dict(zip(_COLUMNS, row, strict=False))
    hashes = row[-3], commitment_of(row), row[-1]
    told |= {name: _hex(value) for name, value in zip(_HASHES, hashes, strict=True)}
    if proof is not None:
        told["proof"] = proof
    return json.dumps(told, separators=(",", ":"), default=_hex) + "\n"


def _hex(value: Any) -> Any:
    """Bytes as hex; what somebody put in their place is shown as it is."""
    return value.hex() if isinstance(value, bytes) else value


def _file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    with path.open("xb") as file:
        write(file)
