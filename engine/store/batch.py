"""One transaction's worth of requests: checked, numbered, chained, projected.

Each request is judged by itself: a stale one, one whose precondition fails or whose event
cannot be written is answered with its error and leaves no trace, whatever its neighbours do.
Nothing here commits; the writer (`writer.py`) does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.chain import GENESIS, SALT_BYTES, commit, link
from engine.core.codec import Codec
from engine.core.errors import Stale
from engine.core.log import NEW, Append, Appended, Entry, Feature, Recorded, Row, Taken, Write
from engine.store.bulk import Bulk
from engine.store.dialect import Statement

MANY_STREAMS = 50_000
"""How many streams' versions a process remembers before it begins anew."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a batch must know of events and statements."""

    codec: Codec
    features: Sequence[Feature]
    statements: Any
    chance: Callable[[int], bytes]

    def statement(self, name: str) -> Statement:
        """A statement by its name."""
        found: Statement = self.statements[name]
        return found


class Heads:
    """Where the journal and its streams stand, as far as this process has seen."""

    def __init__(self) -> None:
        self.position = 0
        self.hash = GENESIS
        self.versions: dict[int, int] = {}
        self.known = False

    def forget(self) -> None:
        """Somebody else wrote, or a transaction was undone."""
        self.known = False
        self.versions.clear()


class Batch:
    """The requests of one transaction. `query` reads inside it, `execute` writes many rows."""

    def __init__(self, schema: Schema, heads: Heads, query: Any, execute: Any) -> None:
        self._schema, self._heads = schema, heads
        self._query, self._execute = query, execute
        self._bulk = Bulk()
        self._lines: list[tuple[Any, ...]] = []

    def finish(self) -> None:
        """Carry out what is still waiting."""
        if self._lines:
            self._execute(self._schema.statement("journal_insert").text, self._lines)
            self._lines = []
        self._bulk.carry_out(self._execute)

    # -- writes that are not history ---------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Carry out writes; the rows of those that return some."""
        return [self._written(write) for write in writes]

    def _written(self, write: Write) -> list[Row]:
        statement = self._schema.statement(write.query)
        if not statement.returns:
            self._bulk.add(statement, write)
            return []
        if self._bulk.touches(statement.tables):
            self.finish()
        return list(self._query(statement, write.params))

    # -- appends --------------------------------------------------------------------------------

    def append(self, request: Append) -> Appended:
        """Take one request in; raises Stale, Taken or CodecError and then has done nothing."""
        for entry in request.entries:
            if entry.expected != self._version(entry.stream):
                raise Stale(f"stream {entry.stream} is not at version {entry.expected}")
        if request.unless is not None:
            self._check_unless(request)
        bodies = [
            [self._schema.codec.dump(event) for event in entry.events] for entry in request.entries
        ]
        position = self._heads.position
        streams, lines, writes = [], list[tuple[Any, ...]](), list[Write]()
        for entry, dumped in zip(request.entries, bodies, strict=True):
            stream = entry.stream if entry.stream != NEW else position + 1
            streams.append(stream)
            for number, (event, body) in enumerate(zip(entry.events, dumped, strict=True), 1):
                position += 1
                version = entry.expected + number
                lines.append((position, request, stream, version, body))
                place = Recorded(
                    position, request.tenant, stream, version, request.at, request.actor, event
                )
                for feature in self._schema.features:
                    writes += feature.project(place)
            writes += (_filled(write, stream) for write in entry.also)
        self._take(lines, writes)
        return self._done(request.entries, streams)

    def _version(self, stream: int) -> int:
        if stream == NEW:
            return 0
        version = self._heads.versions.get(stream)
        if version is None:
            statement = self._schema.statement("journal_version")
            version = self._query(statement, {"stream": stream})[0]["version"]
            self._heads.versions[stream] = version
        return version

    def _check_unless(self, request: Append) -> None:
        assert request.unless is not None
        statement = self._schema.statement(request.unless.query)
        if self._bulk.touches(statement.tables):
            self.finish()
        rows = self._query(statement, request.unless.params)
        if rows:
            raise Taken(rows[0])

    def _take(self, lines: list[tuple[Any, ...]], writes: list[Write]) -> None:
        salts = self._schema.chance(SALT_BYTES * len(lines))
        before = self._heads.hash
        for number, (position, request, stream, version, (kind, schema, body)) in enumerate(lines):
            salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
            commitment = commit(salt, body.encode())
            header = (request.tenant, stream, version, kind, schema, request.at, request.actor)
            before = link(before, position, *header, commitment)
            self._lines.append((position, *header, body, salt, commitment, before))
            self._heads.position = position
        self._heads.hash = before
        for write in writes:
            self._bulk.add(self._schema.statement(write.query), write)

    def _done(self, entries: Sequence[Entry], streams: list[int]) -> Appended:
        if len(self._heads.versions) > MANY_STREAMS:
            self._heads.versions.clear()
        versions = tuple(entry.expected + len(entry.events) for entry in entries)
        self._heads.versions.update(zip(streams, versions, strict=True))
        return Appended(tuple(streams), versions)


def _filled(write: Write, stream: int) -> Write:
    return Write(write.query, {**write.params, "stream": stream})
