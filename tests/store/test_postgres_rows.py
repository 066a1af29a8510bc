"""One statement for many rows leaves in PostgreSQL what a statement for each of them leaves."""

from collections.abc import Generator, Iterable
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.store.dialect import POSTGRES, Statement, statements
from engine.store.postgres_link import Link
from engine.store.postgres_rows import together
from tests.postgres import Server

FOLDED = [each for each in statements(POSTGRES).values() if each.owner or "_insert" in each.name]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
wholes = st.integers(-(2**63), 2**63 - 1)
some_rows = st.lists(
    st.tuples(
        wholes, st.none() | texts, st.none() | wholes, st.none() | st.binary(max_size=4), texts
    ),
    min_size=2,
    max_size=70,
    unique_by=lambda row: row[0],
)


@pytest.fixture(scope="module")
def db(postgres: Server) -> Generator[psycopg.Connection[Any]]:
    url = postgres.create()
    with Link(url, 5.0).open(writes=True) as connection:
        connection.execute(
            "create table t (id bigint primary key, a text, b bigint, c bytea, d text)"
        )
        yield connection
    postgres.drop(url)


def changed(db: psycopg.Connection[Any], told: Iterable[tuple[str, Any]]) -> list[Any]:
    """The table after these statements, which are undone."""
    with db.transaction(force_rollback=True):
        for text, values in told:
            db.execute(text.encode(), values)
        return db.execute("select * from t order by id").fetchall()


@settings(max_examples=40)
@given(some_rows, st.data())
def test_the_table_is_the_same_after_one_statement_as_after_many(
    db: psycopg.Connection[Any], rows: list[tuple[Any, ...]], choice: st.DataObject
) -> None:
    insert = "insert into t (id, a, b, c, d) values ($1, $2, $3, $4, $5)"
    put = f"{insert} on conflict (id) do update set a = excluded.a, c = null"
    update = "update t set a = coalesce(a, $1), b = $2, d = 'new' where id = $3"
    others = [row for row in rows if choice.draw(st.booleans())] or rows[:1]
    again = [(*row[:3], b"x", "y") for row in others] + [(rows[0][0] ^ 1, None, 1, None, "")]
    steps: list[tuple[str, list[Any]]] = [
        (insert, rows),
        (put, list({row[0]: row for row in again}.values())),
        (update, [(row[4], row[2], row[0]) for row in others]),
        ("delete from t where id = $1", [row[:1] for row in others[::2]]),
    ]
    one_by_one = [(text, row) for text, rows in steps for row in rows]
    at_once = [folded(text, rows) for text, rows in steps]
    assert changed(db, at_once) == changed(db, one_by_one)


def folded(text: str, rows: list[tuple[Any, ...]]) -> tuple[str, Any]:
    """One statement for all of them."""
    found = together(text, rows)
    assert found is not None
    return found


@pytest.mark.parametrize("statement", FOLDED, ids=lambda statement: statement.name)
def test_what_is_written_for_every_run_is_known_to_be_foldable(statement: Statement) -> None:
    width = statement.text.count("$")
    assert together(statement.text, [(1,) * width, (2,) * width])


@pytest.mark.parametrize(
    "text",
    [
        "update due set owner = $1 where run in (select run from due where at < $2)",
        "insert into t (a, b) values ($1, $2) returning a",
        "insert into t (a, b) values (lower($1), $2)",
        "select $1, $2",
    ],
)
def test_other_statements_are_left_as_they_are(text: str) -> None:
    assert together(text, [(1, 2), (3, 4)]) is None


def test_a_column_of_two_types_is_left_to_the_server_row_by_row() -> None:
    assert together("insert into t (a) values ($1)", [(1,), ("b",)]) is None
