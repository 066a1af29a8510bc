"""What a search keeps of workflows for the next one: never much, and never of another moment."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.model import Effect
from engine.core.views import WorkflowInfo
from engine.store.paper_files import connect
from engine.store.search import CREATE, Index, in_memory
from engine.store.search_recent import Recent
from engine.store.search_words import Vocabulary

WORDS = ("order", "invoice", "close", "send", "stock", "refund", "mail", "report")
QUERIES = ("close the order", "send a mail with the report", "refund")


def info(number: int, description: str) -> WorkflowInfo:
    return WorkflowInfo(
        "shop", f"w-{number}", "1", description, Effect.READ, False, False, (), (), (), 1
    )


def nothing(number: int) -> None:
    """What is shown of a number, to who only writes."""


def changed(index: Index, db: sqlite3.Connection, number: int, description: str) -> None:
    """A workflow comes, says something else, or goes ("")."""
    db.execute("begin immediate")
    index.drop(number)
    if description:
        index.put(number, info(number, description))
    db.execute("commit")


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
            st.booleans(),
        ),
        max_size=10,
    )
)
def test_who_searched_before_a_change_of_another_finds_what_a_newcomer_finds(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str, bool]]
) -> None:
    path, now = tmp_path_factory.mktemp("papers") / "catalogue", dict[int, WorkflowInfo]()
    db, other = connect(path), connect(path)
    db.executescript(CREATE)
    writer, reader = Index(db, now.get), Index(other, now.get)
    for number, description, own in changes:
        if own:  # the reader's own connection writes
            changed(reader, other, number, description)
        else:
            changed(writer, db, number, description)
        now.pop(number, None)
        if description:
            now[number] = info(number, description)
        newcomer = Index(connect(path), now.get)
        for query in QUERIES:
            assert reader.search(query, 5) == newcomer.search(query, 5)
            assert reader.pool(query) == newcomer.pool(query)


_ANOTHER = """
import sys
from pathlib import Path
from tests.store.test_search_recent import changed
from engine.store.paper_files import connect
from engine.store.search import Index
db = connect(Path(sys.argv[1]))
changed(Index(db, {}.get), db, 1, "send the invoice")
"""


def test_what_another_process_changes_is_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    listed = [info(0, "close the order"), info(1, "close the stock")]
    db = connect(path)
    db.executescript(CREATE)
    index = Index(db, listed.__getitem__)
    for number, each in enumerate(listed):
        index.put(number, each)
    assert index.search("close the stock", 3) == in_memory(listed).search("close the stock", 3)
    command = [sys.executable, "-c", _ANOTHER, str(path)]
    subprocess.run(command, check=True, timeout=60, cwd=Path(__file__).parents[2])
    listed[1] = info(1, "send the invoice")
    for query in ("close the stock", "send the invoice"):
        assert index.search(query, 3) == in_memory(listed).search(query, 3)
        assert index.pool(query) == in_memory(listed).pool(query)


def test_a_search_sees_one_moment_however_many_questions_it_asks(tmp_path: Path) -> None:
    path = tmp_path / "catalogue"
    db, other = connect(path), connect(path)
    db.executescript(CREATE)
    writer, shown = Index(db, nothing), list[list[int]]()

    def load(number: int) -> WorkflowInfo:
        if not shown:  # another commits while hits are loaded
            changed(writer, db, 0, "")
            changed(writer, db, 5, "refund")
        found = other.execute("select document from said order by document")
        shown.append([number for (number,) in found])
        return info(number, "close")

    for number in range(2):
        changed(writer, db, number, "close the order")
    reader = Index(other, load)
    assert len(reader.search("close the order", 5).hits) == 2
    assert len(shown) > 1
    assert all(each == [0, 1] for each in shown)
    assert reader.search("refund", 5).hits[0].info.name == "w-5"


def test_never_more_than_some_words_are_kept() -> None:
    db = connect(None)
    db.executescript(CREATE)
    index = Index(db, nothing)
    for number in range(40):
        index.put(number, info(number, " ".join(WORDS) if number % 2 else ""))
    recent, common = Recent(db, most=200), Vocabulary(db).common()
    for start in range(0, 40, 4):
        numbers = range(start, start + 12)
        assert [each.number for each in recent.known(numbers, common)] == [
            number for number in numbers if number < 40
        ]
        assert 0 < recent.words <= 200
    assert recent.known([39], common)[0] is recent.known([39], common)[0]


def test_what_is_known_of_one_state_of_the_words_is_not_given_for_another() -> None:
    db = connect(None)
    db.executescript(CREATE)
    index, vocabulary, recent = Index(db, nothing), Vocabulary(db), Recent(db)
    index.put(1, info(1, "close the order"))
    before = recent.known([1], vocabulary.common())[0].lasting
    index.put(2, info(2, "close the stock"))
    (after,) = recent.known([1], vocabulary.common())
    assert after.lasting.lead > before.lead  # "order" is rarer now
