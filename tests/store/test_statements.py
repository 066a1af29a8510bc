"""Every statement is sound, used, and no slower for a long history."""

import ast
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.log import Feature
from engine.store.dialect import SQLITE, Statement, compiled, migrations, sections, statements
from tests.store.journals import FEATURES
from tests.tree import ROOT, sources, syntax

NAMED = statements(SQLITE)
SQL = ROOT / "engine" / "store" / "sql"
FILES = sorted(SQL.rglob("*.sql"))
CALLS = {"Write", "Unless", "fetch", "_pages"}
"""What is called with the name of a statement."""

LONELY = {"due_claim_read"}
"""What one driver alone asks for, because only its database can."""


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as db:
        for step in migrations(SQLITE):
            for text in step.statements:
                db.execute(text)
        yield db


def plan(db: sqlite3.Connection, statement: Statement) -> list[str]:
    """How SQLite would carry a statement out."""
    values = [1] * statement.text.count("?")
    return [row[3] for row in db.execute(f"explain query plan {statement.text}", values)]


@pytest.mark.parametrize("name", NAMED)
def test_every_statement_fits_the_schema(database: sqlite3.Connection, name: str) -> None:
    plan(database, NAMED[name])


SMALL = {"workers", "lanes", "CONSTANT", "json_each", "recent", "ranked"}
"""What does not grow with history: tables, and what statements make up for themselves."""


@pytest.mark.parametrize("name", sorted(set(NAMED) - {"journal_head"}))
def test_no_statement_reads_a_whole_table_that_grows(
    database: sqlite3.Connection, name: str
) -> None:
    scans = [line for line in plan(database, NAMED[name]) if line.startswith("SCAN ")]
    read = {line.split()[1] for line in scans}
    assert {name for name in read if not name.startswith("(subquery")} <= SMALL


@pytest.mark.parametrize("name", sorted(set(NAMED) - {"failure_groups"}))
def test_no_statement_looks_for_a_row_through_everything_of_a_tenant(
    database: sqlite3.Connection, name: str
) -> None:
    assert [line for line in plan(database, NAMED[name]) if line.endswith("(tenant=?)")] == []


@pytest.mark.parametrize("name", [name for name in NAMED if name.startswith("run_list")])
def test_a_page_of_runs_is_read_in_its_order_and_not_sorted(
    database: sqlite3.Connection, name: str
) -> None:
    first, *rest = plan(database, NAMED[name])
    assert "id<?" in first
    assert not [line for line in rest if "ORDER BY" in line]


def test_a_claim_looks_only_at_what_is_due(database: sqlite3.Connection) -> None:
    assert plan(database, NAMED["due_claim"])[0].endswith("USING INTEGER PRIMARY KEY (rowid=?)")


# -- the code and the files --------------------------------------------------------------------


def constants(path: Path) -> set[str]:
    """The texts that a module contains."""
    return {
        node.value
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def composed(name: str, parts: set[str]) -> bool:
    """Whether a name can be put together from some texts."""
    return not name or any(
        composed(name.removeprefix(part), parts)
        for part in parts
        if len(part) > 3 and name.startswith(part)
    )


@pytest.mark.parametrize("name", NAMED)
def test_every_statement_is_used(name: str) -> None:
    assert any(composed(name, constants(path)) for path in sources("engine"))


def test_every_statement_that_the_code_names_exists() -> None:
    named = {
        node.args[-1 if called(node) == "_pages" else 0]
        for path in sources("engine")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Call) and node.args and called(node) in CALLS
    }
    found = {node.value for node in named if isinstance(node, ast.Constant)}
    looked_up = {
        node.slice.value
        for path in sources("engine/store/")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Subscript)
        and ast.unparse(node.value).endswith("statements")
        and isinstance(node.slice, ast.Constant)
    }
    assert len(found) > 20
    assert len(looked_up) > 4
    assert (found | looked_up) - set(NAMED) == LONELY


def called(node: ast.Call) -> str:
    """The last word of what is called."""
    return ast.unparse(node.func).rpartition(".")[2]


def test_every_word_of_the_dialect_is_used_and_every_word_used_is_known() -> None:
    used = {word for path in FILES for word in re.findall(r"\{(\w+)\}", path.read_text("utf-8"))}
    assert used == set(SQLITE.words)


def test_an_override_stands_beside_what_it_overrides_or_is_a_guard_of_one_database() -> None:
    for path in FILES:
        names = [(name, only) for name, _, only, _ in sections(path.read_text("utf-8"))]
        shared = {name for name, only in names if not only}
        lonely = {name for name, only in names if only} - shared
        assert all(name.startswith("forbid_") for name in lonely - LONELY), path


@pytest.mark.parametrize("name", [name for name in NAMED if NAMED[name].owner])
def test_a_promise_to_touch_one_owners_rows_can_be_read_off_the_statement(name: str) -> None:
    text, owner = source_of(name), NAMED[name].owner
    if re.match(r"insert", text):
        columns, values = re.findall(r"\(([^()]+)\)", text)[:2]
        placed = dict(zip(split(columns), split(values), strict=True))
        assert f":{owner}" in placed.values()
    else:
        assert re.search(rf"\bwhere \w+ = :{owner}\b", text)
        assert " or " not in text


def source_of(name: str) -> str:
    """A statement as its file has it."""
    found = (part for path in FILES for part in sections(path.read_text("utf-8")))
    return next(body for other, _, _, body in found if other == name)


def split(text: str) -> list[str]:
    """The parts of a list in brackets."""
    return [part.strip() for part in text.split(",")]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_names_every_table_that_it_fills(feature: Feature) -> None:
    home = ROOT / "engine" / "features" / f"{feature.name}.py"
    written = constants(home) & set(NAMED)
    touched = {table for name in written for table in NAMED[name].tables}
    assert touched == set(feature.tables)


def test_features_share_neither_tables_nor_event_classes() -> None:
    tables = [table for feature in FEATURES for table in feature.tables]
    classes = [kind.cls for feature in FEATURES for kind in feature.kinds]
    assert len(set(tables)) == len(tables)
    assert len(set(classes)) == len(classes)
    assert all(set(feature.project) <= {kind.cls for kind in feature.kinds} for feature in FEATURES)


# -- the language of the files ----------------------------------------------------------------


def test_parameters_are_bound_in_the_order_of_their_places() -> None:
    (statement,) = compiled("-- name: x by b\nselect :a, :b, :a from t", SQLITE)
    assert statement.text == "select ?, ?, ? from t"
    assert statement.bind({"b": 2, "a": 1}) == (1, 2, 1)
    assert (statement.owner, statement.returns, set(statement.tables)) == ("b", True, {"t"})


@pytest.mark.parametrize("params", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
def test_parameters_that_do_not_fit_are_refused(params: dict[str, int]) -> None:
    (statement,) = compiled("-- name: x\nselect :a, :b", SQLITE)
    with pytest.raises(TypeError, match=r"x (needs|takes)"):
        statement.bind(params)


@pytest.mark.parametrize(
    ("text", "tables", "returns"),
    [
        ("insert into a (x) select x from b join c on 1 = 1", {"a", "b", "c"}, False),
        ("insert into a (x) values (1) on conflict (x) do update set x = 2", {"a"}, False),
        ("update a set x = 1 where y in (select y from b) returning x", {"a", "b"}, True),
        ("select 1 from a for update skip locked", {"a"}, True),
        ("with w as (select 1 from b) delete from a", {"a", "b"}, True),
        ("delete from A", {"a"}, False),
    ],
)
def test_the_tables_of_a_statement_are_read_off_its_text(
    text: str, tables: set[str], returns: bool
) -> None:
    (statement,) = compiled(f"-- name: x\n{text};\n-- a comment", SQLITE)
    assert (set(statement.tables), statement.returns) == (tables, returns)


def test_an_override_takes_the_place_of_what_it_overrides_in_either_order() -> None:
    shared, ours, other = "-- name: x\na\n", "-- name: x @sqlite\nb\n", "-- name: x @postgres\nc\n"
    for text in (shared + ours + other, other + ours + shared):
        assert [statement.text for statement in compiled(text, SQLITE)] == ["b"]
    assert [statement.text for statement in compiled(shared + other, SQLITE)] == ["a"]


def test_a_promise_by_a_parameter_that_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="no such parameter"):
        list(compiled("-- name: x by run\ndelete from due", SQLITE))
