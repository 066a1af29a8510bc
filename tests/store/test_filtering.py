"""Filtered lists against the plainest reading of a filter, and what is kept between two of them."""

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.labels.filter import Filter, fold, matches
from engine.store.filtering import Filtering
from engine.store.paper_files import connect, opened
from engine.store.paper_marks import put_marks

Row = tuple[str, str, list[str], list[str], str]
"""Namespace, name, tags, categories, effect."""
TAGS = ["a", "A", "b", "team-x", "team-Y", "c d"]
WORDS = st.lists(st.sampled_from([*TAGS, "none"]), max_size=2).map(tuple)
ROWS: st.SearchStrategy[list[Row]] = st.lists(
    st.tuples(
        st.sampled_from(["default", "other", "z"]),
        st.text("abc", min_size=1, max_size=3),
        st.lists(st.sampled_from(TAGS), max_size=3),
        st.lists(st.sampled_from(["Ops", "ops", "sales"]), max_size=2),
        st.sampled_from(["pure", "read", "mutation"]),
    ),
    max_size=20,
    unique_by=lambda row: row[:2],
)
FILTERS = st.builds(
    Filter,
    categories=st.lists(st.sampled_from(["OPS", "sales"]), max_size=2).map(tuple),
    all_tags=WORDS,
    any_tags=WORDS,
    exclude_tags=WORDS,
    tag_pattern=st.sampled_from(["", "*", "team-?", "?", "x*"]),
    namespace=st.sampled_from(["", "default", "z", "nowhere"]),
    effect=st.sampled_from(["", "read"]),
)


def put(db: sqlite3.Connection, document: int, row: Row, hidden: int = 0) -> None:
    space, name, tags, categories, effect = row
    empty = (document, space, name, "", b"", effect, 0, b"", hidden, "[[], []]")
    db.execute("insert into workflows values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", empty)
    marks = [("workflow.tag", each) for each in tags]
    marks += [("workflow.category", each) for each in categories]
    put_marks(db, document, [*marks, ("workflow.effect", effect)])


def fits(row: Row, wanted: Filter) -> bool:
    tags, categories = set(map(fold, row[2])), set(map(fold, row[3]))
    return (
        (not wanted.categories or bool(categories & set(wanted.categories)))
        and set(wanted.all_tags) <= tags
        and (not wanted.any_tags or bool(tags & set(wanted.any_tags)))
        and not tags & set(wanted.exclude_tags)
        and (not wanted.tag_pattern or any(matches(wanted.tag_pattern, tag) for tag in tags))
        and wanted.namespace in ("", row[0])
        and wanted.effect in ("", row[4])
    )


@pytest.mark.requirement("label-filters")
@given(ROWS, FILTERS, st.tuples(st.sampled_from(["", "default"]), st.text("abc", max_size=2)))
@settings(max_examples=80)
def test_a_filtered_list_is_what_the_plainest_reading_gives(
    rows: list[Row], wanted: Filter, after: tuple[str, str]
) -> None:
    db = opened(None, "rules")
    for document, row in enumerate(reversed(rows), 3):
        put(db, document, row)
    put(db, 1, ("default", "hidden", TAGS, ["ops"], "read"), hidden=1)
    expected = sorted(row[:2] for row in rows if fits(row, wanted.folded()))
    names = dict(db.execute("select document, namespace || '/' || name from workflows"))
    filtering = Filtering(db, "workflow")
    found, total = filtering.page(wanted.folded(), after, 4)
    assert [names[each] for each in found] == [
        "/".join(name) for name in expected if name > after or not any(after)
    ][:4]
    assert total == len(expected)
    among = filtering.fits(wanted.folded())
    assert {number for number in range(30) if number in among} == set(among)
    assert len(among) == total
    db.close()


def test_what_was_kept_goes_when_somebody_commits(tmp_path: Path) -> None:
    writer = opened(tmp_path / "catalogue", "rules")
    put(writer, 1, ("default", "one", ["a"], [], "read"))
    reader = connect(tmp_path / "catalogue")
    filtering = Filtering(reader, "workflow")
    wanted = Filter(all_tags=("a",), tag_pattern="a*")
    assert list(filtering.fits(wanted)) == [1]
    put(writer, 2, ("default", "another", ["a"], [], "read"))
    assert list(filtering.fits(wanted)) == [2, 1]
    put_marks(writer, 1, ())
    assert list(filtering.fits(wanted)) == [2]
    reader.close()
    writer.close()


@given(
    ROWS,
    st.lists(st.tuples(st.integers(1, 6), st.lists(st.sampled_from(TAGS), max_size=2)), max_size=8),
    FILTERS,
)
@settings(max_examples=20)
def test_what_follows_changes_is_what_reading_all_again_gives(
    rows: list[Row], changes: list[tuple[int, list[str]]], wanted: Filter
) -> None:
    with TemporaryDirectory() as folder:
        writer = opened(Path(folder) / "catalogue", "rules")
        for document, row in enumerate(rows, 1):
            put(writer, document, row)
        reader = connect(Path(folder) / "catalogue")
        follows = Filtering(reader, "workflow")
        follows.fits(wanted.folded())
        for document, tags in changes:
            put_marks(writer, document, [("workflow.tag", tag) for tag in tags])
            again = Filtering(reader, "workflow").fits(wanted.folded())
            assert list(follows.fits(wanted.folded())) == list(again)
        writer.execute("update workflows set hidden = 1 where document = 1")
        again = Filtering(reader, "workflow").fits(wanted.folded())
        assert list(follows.fits(wanted.folded())) == list(again)
        reader.close()
        writer.close()


def test_more_changes_than_are_told_of_are_noticed_all_the_same(tmp_path: Path) -> None:
    writer = opened(tmp_path / "catalogue", "rules")
    for document in range(1, 8):
        put(writer, document, ("default", str(document), [], [], "read"))
    reader = connect(tmp_path / "catalogue")
    filtering, wanted = Filtering(reader, "workflow"), Filter(any_tags=("a", "b"))
    assert not filtering.fits(wanted)
    put_marks(writer, 3, [("workflow.tag", "a")])
    writer.execute("begin")
    for number in range(3_500):
        put_marks(writer, 7, [("workflow.tag", "b")] if number % 2 else [])
    writer.execute("commit")
    assert list(filtering.fits(wanted)) == [3, 7]
    (kept,) = writer.execute("select count(*) from moves").fetchone()
    assert kept <= 6_000
    reader.close()
    writer.close()


def test_spellings_are_counted_with_every_mark_that_comes_or_goes() -> None:
    db = opened(None, "rules")
    for document, label in ((1, "ETL"), (2, "etl"), (3, "etl")):
        put_marks(db, document, [("task.tag", label)])
    put_marks(db, 3, [("task.tag", "ETL "), ("task.tag", "ETL")])
    put_marks(db, 2, ())
    rows = db.execute("select word, label, documents from spellings").fetchall()
    assert rows == [("etl", "ETL", 2)]
    db.close()
