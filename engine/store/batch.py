"""One transaction's worth of requests: checked, numbered, chained, projected.

Each request is judged by itself: a stale one, one whose precondition fails or whose event
cannot be written is answered with its error and leaves no trace, whatever its neighbours do.
After any other error the whole transaction must be undone. Nothing here commits; the writer
(`writer.py`) does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.core.chain import GENESIS, SALT_BYTES, commit, link
from engine.core.codec import Codec
from engine.core.errors import Stale
from engine.core.log import (
    NEW,
    Append,
    Appended,
    Entry,
    Feature,
    Project,
    Recorded,
    Row,
    Taken,
    Unless,
    Write,
)
from engine.store.bulk import Bound, Bulk, Execute
from engine.store.dialect import Statement

MANY_STREAMS = 50_000
"""How many streams' versions a process remembers before it begins anew."""

Query = Callable[[Statement, Mapping[str, Any]], list[Row]]
"""Carries out one statement now and gives its rows."""

Line = tuple[Any, ...]
"""A journal row in the order of `journal_insert`."""


class Schema:
    """What the store knows of events and statements; `chance` gives unpredictable bytes.

    `undrawn` are the kinds of event that no table shows.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        statements: Mapping[str, Statement],
        chance: Callable[[int], bytes],
    ) -> None:
        self.codec = Codec(kind for feature in features for kind in feature.kinds)
        self.statements, self.chance = dict(statements), chance
        self.tables = tuple(table for feature in features for table in feature.tables)
        self.projects: dict[type[Any], tuple[Project, ...]] = {}
        for feature in features:
            for cls, project in feature.project.items():
                self.projects[cls] = (*self.projects.get(cls, ()), project)
        kinds = (kind for feature in features for kind in feature.kinds)
        self.undrawn = {kind.name for kind in kinds if kind.cls not in self.projects}

    def drawing(self, recorded: Recorded) -> Iterable[Bound]:
        """The rows that an event touches, bound to their statements."""
        for project in self.projects.get(type(recorded.event), ()):
            for write in project(recorded):
                yield self.bound(write)

    def bound(self, write: Write) -> Bound:
        """A write ready to be carried out; raises KeyError or TypeError for a wrong one."""
        statement, params = self.statements[write.query], write.params
        owner = statement.owner
        return Bound(statement, statement.bind(params), params[owner] if owner else None)


class Heads:
    """Where the journal and its streams stand, as far as this process has seen."""

    def __init__(self) -> None:
        self.position = 0
        self.hash = GENESIS
        self.versions: dict[tuple[str, int], int] = {}
        self.known = False

    def forget(self) -> None:
        """Somebody else wrote, or a transaction was undone."""
        self.known = False
        self.versions.clear()

    def learn(self, rows: Sequence[Row]) -> None:
        """Begin at the last row of the journal."""
        self.position, self.hash = (rows[0]["position"], rows[0]["hash"]) if rows else (0, GENESIS)
        self.known = True

    def trim(self) -> None:
        """Remember less; only between two batches, when every row can be read again."""
        if len(self.versions) > MANY_STREAMS:
            self.versions.clear()


class Batch:
    """The requests of one transaction. `query` reads inside it, `execute` writes many rows."""

    def __init__(self, schema: Schema, heads: Heads, query: Query, execute: Execute) -> None:
        self._schema, self._heads = schema, heads
        self._query, self._execute = query, execute
        self._bulk = Bulk()
        self._lines: list[Line] = []

    def finish(self) -> None:
        """Carry out what is still waiting."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._execute(self._schema.statements["journal_insert"].text, lines)
        self._bulk.carry_out(self._execute)

    def _asked(self, query: str, params: Mapping[str, Any]) -> list[Row]:
        """The rows of a statement that sees everything that was asked for before it."""
        statement = self._schema.statements[query]
        if self._bulk.touches(statement.tables) or (self._lines and "journal" in statement.tables):
            self.finish()
        return self._query(statement, params)

    # -- writes that are not history ---------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> list[list[Row]]:
        """Carry out writes; the rows of those that return some.

        An error leaves traces: the whole transaction must be undone.
        """
        return [self._written(write) for write in writes]

    def _written(self, write: Write) -> list[Row]:
        if self._schema.statements[write.query].returns:
            return self._asked(write.query, write.params)
        self._bulk.add(self._schema.bound(write))
        return []

    # -- appends --------------------------------------------------------------------------------

    def append(self, request: Append) -> Appended:
        """Take one request in; raises Stale, Taken or CodecError and then has done nothing."""
        dump = self._schema.codec.dump
        bodies = [[dump(event) for event in entry.events] for entry in request.entries]
        self._check(request.entries, request.tenant)
        if request.unless is not None:
            self._check_unless(request.unless)
        draft = Draft(self._schema, self._heads, request)
        for entry, dumped in zip(request.entries, bodies, strict=True):
            draft.add(entry, dumped)
        return self._take(draft, request)

    def _check(self, entries: Sequence[Entry], tenant: str) -> None:
        reached: dict[int, int] = {}
        for entry in entries:
            stream, expected = entry.stream, entry.expected
            if stream == NEW:
                if expected or not entry.events:
                    raise ValueError("a new stream begins at version 0, with an event")
                continue
            version = reached.get(stream) or self._version(tenant, stream)
            # Version 0 of a named stream: its name is somebody else's position, or nobody's.
            if expected != version or not version:
                raise Stale(f"stream {stream} is not at version {expected}")
            reached[stream] = expected + len(entry.events)

    def _version(self, tenant: str, stream: int) -> int:
        version = self._heads.versions.get((tenant, stream))
        if version is None:
            # Nothing that waits can concern it: a stream that was written to is remembered.
            statement = self._schema.statements["journal_version"]
            (row,) = self._query(statement, {"stream": stream, "tenant": tenant})
            version = self._heads.versions[tenant, stream] = int(row["version"])
        return version

    def _check_unless(self, unless: Unless) -> None:
        rows = self._asked(unless.query, unless.params)
        if rows:
            raise Taken(rows[0])

    def _take(self, draft: "Draft", request: Append) -> Appended:
        heads = self._heads
        heads.position, heads.hash = draft.position, draft.hash
        self._lines += draft.lines
        for bound in draft.writes:
            self._bulk.add(bound)
        versions = tuple(entry.expected + len(entry.events) for entry in request.entries)
        for stream, version in zip(draft.streams, versions, strict=True):
            heads.versions[request.tenant, stream] = version
        return Appended(tuple(draft.streams), versions)


class Draft:
    """What one request would add to the journal. It changes nothing but itself."""

    def __init__(self, schema: Schema, heads: Heads, request: Append) -> None:
        self._schema = schema
        self._tenant, self._at, self._actor = request.tenant, request.at, request.actor
        self.position, self.hash = heads.position, heads.hash
        self.streams: list[int] = []
        self.lines: list[Line] = []
        self.writes: list[Bound] = []

    def add(self, entry: Entry, dumped: Sequence[tuple[str, int, str]]) -> None:
        """Number, chain and project the events of one entry, whose stored forms are given."""
        stream = entry.stream or self.position + 1
        self.streams.append(stream)
        salts = self._schema.chance(SALT_BYTES * len(dumped))
        for number, (kind, schema, body) in enumerate(dumped):
            event, version = entry.events[number], entry.expected + number + 1
            salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
            self._line(stream, version, kind, schema, body, salt)
            if type(event) in self._schema.projects:
                place = (self.position, self._tenant, stream, version, self._at, self._actor)
                self.writes += self._schema.drawing(Recorded(*place, event))
        for write in entry.also:
            self.writes.append(self._schema.bound(self._filled(write, stream)))

    def _line(
        self, stream: int, version: int, kind: str, schema: int, body: str, salt: bytes
    ) -> None:
        position = self.position = self.position + 1
        tenant, at, actor = self._tenant, self._at, self._actor
        commitment = commit(salt, body.encode())
        own = self.hash = link(
            self.hash, position, tenant, stream, version, kind, schema, at, actor, commitment
        )
        self.lines.append(
            (
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
                commitment,
                own,
            )
        )

    def _filled(self, write: Write, stream: int) -> Write:
        if "stream" not in self._schema.statements[write.query].names:
            return write
        return Write(write.query, {**write.params, "stream": stream})
