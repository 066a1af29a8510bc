"""One transaction's worth of requests: checked, numbered, chained, projected.

Each request is judged by itself: a stale one, one whose precondition fails or whose event
cannot be written is answered with its error and leaves no trace, whatever its neighbours do.
After any other error the whole transaction must be undone. Nothing here commits; the writer
(`writer.py`) does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from json import dumps
from typing import Any

from engine.core.chain import GENESIS, SALT_BYTES, commit, link
from engine.core.codec import Codec
from engine.core.errors import Stale
from engine.core.log import (
    NEW,
    SAME,
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

MANY_STREAMS = 10_000
"""How many streams' versions a process remembers before it begins anew. Most of them are of runs
that have ended; one that is asked for again costs one look at an index."""

Query = Callable[[Statement, Mapping[str, Any]], list[Row]]
"""Carries out one statement now and gives its rows."""

Line = tuple[Any, ...]
"""A journal row in the order of `journal_insert`."""

Stored = tuple[str, int, str]
"""Kind, schema number and body of an event."""


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
        self.statements, self.salts = dict(statements), _salts(chance)
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

    def bound(self, write: Write, stream: int = 0) -> Bound:
        """A write ready to be carried out, with `:stream` filled in if it is given and named.

        Raises KeyError or TypeError for a write that fits no statement.
        """
        statement, params = self.statements[write.query], write.params
        if stream and "stream" in statement.names:
            params = {**params, "stream": stream}
        owner = statement.owner
        return Bound(statement, statement.bind(params), params[owner] if owner else None)


def _salts(chance: Callable[[int], bytes]) -> Iterator[bytes]:
    """Salts without end; the system is asked for many at a time."""
    while True:
        pool = chance(SALT_BYTES * 64)
        for start in range(0, len(pool), SALT_BYTES):
            yield pool[start : start + SALT_BYTES]


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
    """The requests of one transaction. `query` reads inside it, `execute` writes many rows.

    `coming` are the appends that will be asked for, as far as they are known: what has to be
    looked up for one of them is looked up for all at once.
    """

    def __init__(
        self,
        schema: Schema,
        heads: Heads,
        query: Query,
        execute: Execute,
        coming: Iterable[Append] = (),
    ) -> None:
        self._schema, self._heads, self._coming = schema, heads, coming
        self._query, self._execute = query, execute
        self._bulk = Bulk()
        self._lines: list[Line] = []

    def finish(self) -> None:
        """Carry out what is still waiting."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._execute(self._schema.statements["journal_insert"], lines)
        self._bulk.carry_out(self._execute)

    def _look_up(self, requests: Iterable[Append]) -> None:
        """Ask at once for the versions that these requests will be judged by.

        Nothing that waits can concern them: a stream that was written to is remembered.
        """
        unknown: dict[str, set[int]] = {}
        versions = self._heads.versions
        for request in requests:
            for entry in request.entries:
                stream = entry.stream
                if stream > 0 and entry.expected and (request.tenant, stream) not in versions:
                    unknown.setdefault(request.tenant, set()).add(stream)
        statement = self._schema.statements["journal_versions"]
        for tenant, streams in unknown.items():
            listed = {"streams": dumps(sorted(streams)), "tenant": tenant}
            for row in self._query(statement, listed):
                versions[tenant, row["stream"]] = int(row["version"])

    def _asked(self, query: str, params: Mapping[str, Any]) -> list[Row]:
        """The rows of a statement that sees everything that was asked for before it."""
        statement = self._schema.statements[query]
        if self._lines and "journal" in statement.tables:
            self.finish()
        self._bulk.carry_out(self._execute, statement.tables)
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
        bodies = [dump(event) for entry in request.entries for event in entry.events]
        self._check(request)
        if request.unless is not None:
            self._check_unless(request.unless)
        stored = iter(bodies)
        places: list[tuple[int, int]] = []
        for entry in request.entries:
            before = places[-1] if entry.stream == SAME else (entry.stream, entry.expected)
            places.append(self._enter(request, entry, before, stored))
        streams, versions = zip(*places, strict=True)
        return Appended(streams, versions)

    def _check(self, request: Append) -> None:
        for entry in request.entries:
            stream, expected = entry.stream, entry.expected
            if stream == SAME:
                continue  # it was begun here, or has been judged
            if stream == NEW:
                if expected or not entry.events:
                    raise ValueError("a new stream begins at version 0, with an event")
            # Version 0 of a named stream: its name is somebody else's position, or nobody's.
            elif not expected or expected != self._version(request, stream):
                raise Stale(f"stream {stream} is not at version {expected}")

    def _version(self, request: Append, stream: int) -> int:
        place, versions = (request.tenant, stream), self._heads.versions
        if place not in versions:
            coming, self._coming = self._coming, ()
            self._look_up((request, *coming))
        return versions[place]

    def _check_unless(self, unless: Unless) -> None:
        rows = self._asked(unless.query, unless.params)
        if rows:
            raise Taken(rows[0])

    def _enter(
        self, request: Append, entry: Entry, place: tuple[int, int], bodies: Iterator[Stored]
    ) -> tuple[int, int]:
        """Number, chain and project the events of one entry; its stream and new version."""
        schema, heads, tenant = self._schema, self._heads, request.tenant
        stream, version = place[0] or heads.position + 1, place[1]
        at, actor = entry.at or request.at, entry.by or request.actor
        for event in entry.events:
            version += 1
            self._chain(tenant, stream, version, at, actor, next(bodies))
            if type(event) in schema.projects:
                recorded = Recorded(heads.position, tenant, stream, version, at, actor, event)
                for bound in schema.drawing(recorded):
                    self._bulk.add(bound)
        for write in entry.also:
            self._bulk.add(schema.bound(write, stream))
        heads.versions[tenant, stream] = version
        return stream, version

    def _chain(
        self, tenant: str, stream: int, version: int, at: int, actor: str, stored: Stored
    ) -> None:
        heads, (kind, schema, body) = self._heads, stored
        position, salt = heads.position + 1, next(self._schema.salts)
        commitment = commit(salt, body.encode())
        own = link(
            heads.hash, position, tenant, stream, version, kind, schema, at, actor, commitment
        )
        self._lines.append(
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
                own,
            )
        )
        heads.position, heads.hash = position, own
