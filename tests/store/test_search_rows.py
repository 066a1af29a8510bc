"""The rows of the search index: kept up step by step, they are those of an index made anew."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.discovery.stems import stem
from engine.core.discovery.words import asked, stems
from engine.core.model import Effect
from engine.core.views import InputField, WorkflowInfo
from engine.store import search_rows
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import Papers
from engine.store.search import CREATE, Index, in_memory
from engine.store.search_words import MOST_KNOWN, Vocabulary, most_rows, wanted

WORDS = ("order", "invoice", "close", "send", "stock", "userProfile", "数据分析", "naïve")


def info(name: str, description: str, tag: str) -> WorkflowInfo:
    field = InputField(f"{tag}Id", "string", True, f"The {tag}.")
    return WorkflowInfo(
        "shop", name, "1.0.0", description, Effect.READ, False, False, (), (tag,), (field,), 1
    )


infos = st.builds(
    info,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("-".join),
    st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
    st.sampled_from(WORDS),
)


def kept(db: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [
        sorted(db.execute(sql).fetchall())
        for sql in (
            "select rowid, * from words",
            "select word, documents from counted",
            "select s.word from spelled s join counted c on c.id = s.rowid and c.word = s.word",
            "select * from said",
        )
    ]


@pytest.mark.requirement("search-follows")
@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), infos)), max_size=16))
def test_what_is_kept_up_equals_what_is_made_anew(
    changes: list[tuple[int, WorkflowInfo | None]],
) -> None:
    db, now = sqlite3.connect(":memory:"), dict[int, WorkflowInfo]()
    db.executescript(CREATE)
    index = Index(db, now.get)
    for number, each in changes:
        index.drop(number)
        now.pop(number, None)
        if each is not None:
            now[number] = each
            index.put(number, each)
        index.search("close the order", 6)
    db.execute("insert into words (words, rank) values ('integrity-check', 1)")
    anew = sqlite3.connect(":memory:")
    anew.executescript(CREATE)
    fresh = Index(anew, now.get)
    for number, each in sorted(now.items()):
        fresh.put(number, each)
    assert kept(db) == kept(anew)
    assert db.execute("select count(*) from spelled").fetchone() == (len(kept(db)[2]),)
    for query in ("close the order", "userprofil", "分析", "invocie"):
        assert index.search(query, 6) == fresh.search(query, 6)


def test_a_reader_sees_how_rare_words_are_after_another_has_written(tmp_path: object) -> None:
    path = f"{tmp_path}/papers"
    db, other = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
    db.executescript(CREATE)
    listed = [info("close-order", "", "a"), info("send-order", "", "b")]
    reader, writer = Index(other, listed.__getitem__), Index(db, listed.__getitem__)
    assert reader.search("order", 3).hits == ()
    for number, each in enumerate(listed):
        writer.put(number, each)
    assert reader.search("order", 3) == in_memory(listed).search("order", 3)
    assert search_rows.counts(other, ["order"]) == {"order": 2}


@pytest.mark.parametrize(
    ("documents", "looked_for"),
    [(20, '"rare" OR "usual"'), (4_500, '"rare" OR "usual" OR "common"'), (10**6, '"rare"')],
)
def test_rare_words_are_looked_for_until_there_are_rows_enough(
    documents: int, looked_for: str
) -> None:
    rows = {20: (9, 20, 1_000), 4_500: (200, 500, 800), 10**6: (5_000, 9_000, 90_000)}[documents]
    counts = dict(zip(("common", "usual", "rare"), reversed(rows), strict=True))
    assert wanted(counts, most_rows(documents)) == looked_for


def test_of_many_words_that_are_known_the_rarest_are_held_against_workflows() -> None:
    many = [f"λ{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(MOST_KNOWN + 6)]
    common, told = many[:6], ". ".join(many)
    db = sqlite3.connect(":memory:")
    db.executescript(CREATE)
    index = Index(db, dict[int, WorkflowInfo]().get)
    for number, words in enumerate((told, *([" ".join(common)] * 3))):
        index.put(number, info("w", words, "a"))
    weighed, counts = Vocabulary(db).weighed(asked(f"nobodysaid {told}"))
    assert set(counts) == set(stems(told)).difference(stems(" ".join(common)))
    assert weighed.words == weighed.rarities.keys() == {stem("nobodysaid"), *counts}
    assert all(part <= weighed.words for part in weighed.asked.parts)
    assert set(weighed.asked.words) == weighed.words


def test_an_index_lies_in_few_pieces_however_it_grew(tmp_path: Path) -> None:
    papers = Papers(tmp_path / "papers", "rules")

    def grow(numbers: range) -> None:
        papers.begin()
        for number in numbers:
            digest, each = f"{number:064x}", info(f"w{number}", f"close order {number}", "a")
            papers.put_workflow(
                Standing(number, "shop", each.name, "", digest, "read", False), info_text(each), ()
            )
            papers.show(number, digest, 0)
        papers.commit()

    grow(range(1, 60))
    for number in range(60, 80):
        grow(range(number, number + 1))
    for index in ("words", "spelled"):
        sql = f"select count(distinct segid) from {index}_idx"
        assert 0 < papers.db.execute(sql).fetchone()[0] <= 7  # each twice as large as the next
    papers.close()
