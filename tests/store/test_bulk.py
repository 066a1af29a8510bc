"""Gathered writes are the same as writes that are carried out one by one."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import events as ev
from engine.core.errors import Failure, Kind
from engine.core.log import Append, Write
from engine.features import runs, versions
from engine.store.batch import Batch, Heads, Schema
from engine.store.bulk import Bound, Bulk
from engine.store.connection import rows_of
from engine.store.dialect import SQLITE, Statement, compiled, migrations, statements
from tests.store.journals import AT, FEATURES, after, chances, done, first, put_due, started

GONE = Failure(Kind.PERMANENT, "http_404", "not there")
TABLES = ("journal", "due", "workers", *runs.FEATURE.tables, *versions.FEATURE.tables)

MOVES: Mapping[str, tuple[Any, ...]] = {
    "resume": (ev.RunResumed(),),
    "pause": (ev.RunPaused("paused:retry", AT + 5, "a", GONE),),
    "step": (done(), done("b", [1])),
    "complete": (done("c"), ev.RunCompleted(1)),
    "fail": (ev.RunFailed("failed:exhausted", "a", GONE),),
    "cancel": (ev.RunCancelled("enough"),),
    "retried": (ev.RunRetried("run-x"),),
    "grant": (ev.MutationsGranted("rule:r", {"a": "0" * 64}, {}),),
    "nothing": (),
}
ASIDE: Mapping[str, Callable[[int], Write]] = {
    "claim": lambda n: Write("due_claim", {"owner": n, "now": AT, "limit": 2}),
    "free all": lambda n: Write("due_free_all", {"owner": n, "now": AT}),
    "free": lambda n: Write("due_free", {"owner": 2, "run": n, "now": AT}),
    "put": lambda n: put_due(owner=n, stream=1),
    "drop": lambda n: Write("due_drop", {"stream": n}),
    "beat": lambda n: Write("worker_beat", {"id": n, "now": AT}),
    "drains": lambda n: Write("worker_state", {"id": n, "state": "draining"}),
    "orphans": lambda n: Write("due_free_orphans", {"now": AT + n}),
    "claim within": lambda n: Write(
        "due_claim_within", {"owner": n, "now": AT, "lane": 0, "limit": 2, "most": 3}
    ),
    "spent": lambda n: Write(
        "grant_spent", {"tenant": "default", "name": "rule:r", "since": 0, "most": n}
    ),
    "gone": lambda n: Write("worker_drop", {"id": n}),
}
BESIDE: Mapping[str, tuple[Write, ...]] = {
    "none": (),
    "put": (put_due(owner=2),),
    "drop": (Write("due_drop", {}),),
    "both": (Write("due_drop", {}), put_due(owner=1)),
}

some_requests = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from(sorted(BESIDE))),
        st.tuples(st.just("move"), st.integers(0, 3), st.sampled_from(sorted(MOVES)),
                  st.sampled_from(sorted(BESIDE))),
        st.tuples(st.just("version"), st.integers(0, 1), st.booleans()),
        st.tuples(st.just("aside"), st.sampled_from(sorted(ASIDE)), st.integers(1, 3)),
    ),
    max_size=25,
)  # fmt: skip


def requests(wanted: Iterable[tuple[Any, ...]]) -> Iterator[Append | list[Write]]:
    """Real requests in the order of `wanted`; streams are known by the order of their birth."""
    position, born, published = 0, list[list[int]](), dict[int, list[int]]()
    yield [Write("worker_insert", worker(number)) for number in (1, 2, 3)]
    for word, *rest in wanted:
        request: Append | list[Write]
        if word == "run":
            request = first(started(f"u{position}", key=f"k{position}"), also=BESIDE[rest[0]])
            born.append([position + 1, 1])
        elif word == "move" and born:
            stream = born[rest[0] % len(born)]
            request = after(*stream, *MOVES[rest[1]])
            entry = request.entries[0]
            events = entry.events if rest[1] != "nothing" else ()
            entry = entry._replace(events=events, also=BESIDE[rest[2]])
            request = request._replace(entries=(entry,))
            stream[1] += len(events)
        elif word == "version":
            request = version_of(rest[0], rest[1], position, published)
        else:
            request = [ASIDE[rest[0]](rest[1])] if word == "aside" else []
        if isinstance(request, Append):
            position += sum(len(entry.events) for entry in request.entries)
        yield request


def version_of(number: int, pinned: bool, position: int, known: dict[int, list[int]]) -> Append:
    """A new version of one of two workflows, made the default."""
    place = known.setdefault(number, [position + 1, 0])
    text = f"1.0.{place[1]}"
    published = ev.VersionPublished("n", f"w{number}", text, text, "read", False, {})
    events = (published, ev.DefaultSet(text, pinned), ev.VersionDeprecated(text, undone=pinned))
    stream, reached = place
    place[1] += 3
    return after(stream, reached, *events) if reached else first(*events)


def worker(number: int) -> dict[str, Any]:
    """The parameters of a worker's row."""
    text = {"tenant": "default", "name": "n", "host": "h", "versions": ""}
    return {"id": number, "pid": 1, "now": AT, "capacity": 1, **text}


def carried_out(
    wanted: list[tuple[Any, ...]], finish_each: bool
) -> tuple[list[Any], dict[str, list[Any]]]:
    """What the callers hear, and every row of every table in the end."""
    schema, heads = Schema(FEATURES, statements(SQLITE), chances()), Heads()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for text in migrations(SQLITE)[0].statements:
            db.execute(text)

        def query(statement: Statement, params: Mapping[str, Any]) -> list[Any]:
            return rows_of(db.execute(statement.text, statement.bind(params)))

        def execute_many(statement: Statement, rows: list[tuple[Any, ...]]) -> None:
            db.executemany(statement.text, rows)

        batch, heard = Batch(schema, heads, query, execute_many), list[Any]()
        for request in requests(wanted):
            heard.append(
                batch.append(request) if isinstance(request, Append) else batch.write(request)
            )
            if finish_each:
                batch.finish()
        batch.finish()
        rows = {table: db.execute(f"select * from {table}").fetchall() for table in TABLES}
    return heard, rows


@given(some_requests)
def test_a_batch_leaves_what_its_requests_would_have_left_one_by_one(
    wanted: list[tuple[Any, ...]],
) -> None:
    assert carried_out(wanted, finish_each=False) == carried_out(wanted, finish_each=True)


# -- the rule by example --------------------------------------------------------------------

WORDS = """
-- name: put by run
insert into due (run) values (:run)
-- name: drop by run
delete from due where run = :run
-- name: clear
delete from due
-- name: note by id
update runs set x = 1 where id = :id
-- name: copy
insert into due (run) select id from runs
"""
FOUND = {statement.name: statement for statement in compiled(WORDS, SQLITE)}


def order(*writes: tuple[str, int], first: str = "") -> list[tuple[str, int]]:
    """The statements that some writes become, each with its number of rows.

    With `first` what concerns that table is carried out before the rest.
    """
    bulk, done = Bulk(), list[tuple[str, int]]()
    for name, owner in writes:
        statement = FOUND[name]
        row = (owner,) if statement.names else ()
        bulk.add(Bound(statement, row, owner if statement.owner else None))
    if first:
        bulk.carry_out(lambda statement, rows: done.append((statement.name, len(rows))), {first})
    bulk.carry_out(lambda statement, rows: done.append((statement.name, len(rows))))
    bulk.carry_out(lambda statement, rows: pytest.fail("it was not emptied"))
    return done


def test_writes_of_different_owners_are_gathered_across_each_other() -> None:
    writes = [("put", 1), ("drop", 1), ("put", 2), ("drop", 2), ("put", 3)]
    assert order(*writes) == [("put", 3), ("drop", 2)]


def test_a_write_does_not_pass_one_of_its_own_owner() -> None:
    assert order(("put", 1), ("drop", 1), ("put", 1)) == [("put", 1), ("drop", 1), ("put", 1)]


def test_nothing_on_a_table_passes_a_write_that_promises_nothing() -> None:
    assert order(("put", 1), ("clear", 0), ("put", 2)) == [("put", 1), ("clear", 1), ("put", 1)]


def test_writes_to_other_tables_are_passed_freely() -> None:
    assert order(("clear", 0), ("note", 1), ("clear", 0)) == [("clear", 2), ("note", 1)]


def test_what_a_question_does_not_concern_goes_on_waiting() -> None:
    writes = [("put", 1), ("note", 1), ("drop", 1)]
    assert order(*writes, first="runs") == [("note", 1), ("put", 1), ("drop", 1)]
    assert order(*writes, first="versions") == [("put", 1), ("note", 1), ("drop", 1)]


def test_what_a_question_concerns_takes_along_what_has_to_be_before_it() -> None:
    writes = [("note", 1), ("put", 1), ("copy", 0), ("note", 2)]
    assert order(*writes, first="due") == [("note", 1), ("put", 1), ("copy", 1), ("note", 1)]
