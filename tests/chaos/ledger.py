"""What was asked of a journal, what was acknowledged, and whether the file tells the same.

Every event that is asked for has a body of its own, so that an append is recognised in the file
byte for byte. An append that was not acknowledged may be there or not, but never in part.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.chain import Walk
from engine.core.codec import Codec
from engine.core.log import Append
from tests.store.journals import FEATURES, lined

LINES = """select position, tenant, stream, version, kind, schema, at, actor, body, salt,
  commitment, hash from journal order by position"""
CODEC = Codec(kind for feature in FEATURES for kind in feature.kinds)

Line = tuple[Any, ...]


class Reads(Protocol):
    """A connection that reads."""

    def execute(self, text: str, /) -> Any: ...


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: object, what: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(what)


@dataclass(slots=True)
class Asked:
    """One append, the bodies that it puts into the journal, and how it was answered."""

    request: Append
    bodies: tuple[Line, ...]
    stream: int = 0
    answered: bool = False
    refused: bool = False


@dataclass(slots=True)
class Ledger:
    """Everything that was asked so far. `lost` counts acknowledged appends that are gone."""

    asked: list[Asked] = field(default_factory=list)
    known: list[Line] = field(default_factory=list)
    lost: int = 0

    def note(self, request: Append) -> Asked:
        """Remember an append that is about to be asked for."""
        bodies = tuple(
            (*CODEC.dump(event), request.at, request.actor)
            for entry in request.entries
            for event in entry.events
        )
        self.asked.append(asked := Asked(request, bodies))
        return asked

    def compare(self, db: Reads) -> None:
        """Hold the file against what is known; raises Broken, but for losses, which it counts."""
        lines = [tuple(line) for line in db.execute(LINES).fetchall()]
        places = [line[0] for line in lines]
        require(places == list(range(1, len(lines) + 1)), "positions have gaps")
        walk = Walk()
        walk.step([lined(line) for line in lines])
        require(not walk.result().problems, f"the chain is broken: {walk.result().problems}")
        found = {(line[4], line[5], line[8], line[6], line[7]): line for line in lines}
        for asked in self.asked:
            self._compare(asked, found)
        if not self.lost:
            require(lines[: len(self.known)] == self.known, "lines that were there have changed")
        self._compare_leases(db, lines)
        self.known = lines

    def _compare(self, asked: Asked, found: dict[Line, Line]) -> None:
        there = [found[body] for body in asked.bodies if body in found]
        if asked.answered and not there:
            self.lost += 1
            asked.answered = False  # counted once
            return
        require(len(there) in (0, len(asked.bodies)), f"half of {asked.request} is there")
        require(not (asked.refused and there), f"{asked.request} was refused and is there")
        if there:
            asked.answered, asked.stream = True, there[-1][2]  # it has become known

    def _compare_leases(self, db: Reads, lines: list[Line]) -> None:
        wanted = {
            asked.stream
            for asked in self.asked
            if asked.answered and asked.request.entries[-1].also
        }
        there = {run for (run,) in db.execute("select run from due").fetchall()}
        require(wanted <= there, "an append is there without its lease")
        require(there <= {line[2] for line in lines}, "a lease is there without its append")
        versions = Counter(line[2] for line in lines)
        tops = db.execute("select stream, max(version) from journal group by stream").fetchall()
        require(dict(tops) == dict(versions), "the versions of a stream have gaps")


def tables(db: Reads) -> dict[str, list[Line]]:
    """The rows of every table that is drawn from the journal."""
    names = [table for feature in FEATURES for table in feature.tables]
    return {
        name: sorted(map(tuple, db.execute(f"select * from {name}").fetchall()), key=repr)
        for name in names
    }
