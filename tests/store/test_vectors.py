"""Vectors of a catalogue: quick where they were slow, and the same whoever changed them."""

import logging
import random
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.model import Effect
from engine.core.views import WorkflowInfo
from engine.shell.folders import rules_of
from engine.store.paper_files import connect
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import Papers
from engine.store.search import Ranking
from engine.store.vector_blocks import BLOCK, HEAD, TOGETHER, Blocks
from engine.store.vectors import CREATE, Cosines, Source, Vectors, compared

WORDS = ("send", "mail", "order", "stock", "refund", "table", "report", "user")


class Spread:
    """An encoder for tests: each word has a direction of its own. Counts what it is asked for."""

    name, dimensions = "spread", 16

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], /) -> list[list[float]]:
        self.asked += texts
        return [np.sum([_direction(w) for w in t.split()] or [np.zeros(16)], 0) for t in texts]


class Broken(Spread):
    """One that gives a number too few from the third text on."""

    def encode(self, texts: Sequence[str], /) -> list[list[float]]:
        rows = super().encode(texts)
        return rows if len(self.asked) < 3 else [row[:-1] for row in rows]


def _direction(word: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=16)


def put(papers: Papers, document: int, description: str, hidden: int = 0) -> None:
    """A workflow with another content."""
    digest = f"{zlib.crc32(description.encode()):064x}"
    info = WorkflowInfo(
        "s", f"w{document}", "1", description, Effect.READ, False, False, (), (), (), 1
    )
    standing = Standing(document, "s", f"w{document}", "", digest, "read", False)
    papers.begin()
    papers.put_workflow(standing, info_text(info), ())
    papers.show_all([(document, digest, hidden, 0)])
    papers.commit()
    papers.turn()


def drop(papers: Papers, document: int) -> None:
    """A workflow that is gone."""
    papers.begin()
    papers.unread(document)
    papers.tidy()
    papers.commit()


def near(vectors: Vectors, query: str) -> list[tuple[int, float]]:
    found = vectors.cosines(query)
    numbers = found.top(100) if found else []
    return list(zip(numbers, found.of(numbers) if found else (), strict=True))


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[Papers]:
    papers = Papers(tmp_path / "catalogue", "rules", Ranking(Source(Spread())))
    yield papers
    papers.close()


def test_what_is_alike_is_near_and_what_is_gone_is_not_found(
    papers: Papers, tmp_path: Path
) -> None:
    reader = Vectors(connect(tmp_path / "catalogue"), Source(Spread()))
    assert near(reader, "mail") == []
    for number, words in enumerate(("send mail", "order stock", "send report"), 1):
        put(papers, number, words)
    assert [number for number, _ in near(reader, "send mail")][:2] == [1, 3]
    drop(papers, 1)
    put(papers, 2, "send mail order")
    put(papers, 3, "send report", hidden=1)
    assert [number for number, _ in near(reader, "send mail")] == [2]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.lists(st.sampled_from(WORDS), max_size=3), st.booleans()),
        max_size=12,
    )
)
def test_a_reader_that_follows_knows_what_one_that_begins_knows(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, list[str], bool]]
) -> None:
    path = tmp_path_factory.mktemp("papers") / "catalogue"
    papers = Papers(path, "rules", Ranking(Source(Spread())))
    following = Vectors(connect(path), Source(Spread()))
    for document, words, look in changes:
        if words:
            put(papers, document, " ".join(words))
        else:
            drop(papers, document)
        if look:
            fresh = Vectors(connect(path), Source(Spread()))
            assert near(following, "send order") == near(fresh, "send order")
    papers.close()


def test_a_catalogue_in_memory_is_encoded_by_the_first_search_and_then_as_it_changes() -> None:
    encoder = Spread()
    source = Source(encoder)
    papers = Papers(None, "rules", Ranking(source))
    put(papers, 1, "send mail")
    assert not source.awake
    vectors = Vectors(papers.db, source)
    assert [number for number, _ in near(vectors, "mail")] == [1]
    assert [number for number, _ in near(vectors, "mail")] == [1]
    assert encoder.asked == ["w1 send mail ", "mail", "mail"]
    put(papers, 2, "order stock")
    assert encoder.asked[3:] == ["w2 order stock "]
    papers.close()


def test_a_catalogue_in_a_file_is_encoded_while_it_is_read(papers: Papers, tmp_path: Path) -> None:
    put(papers, 1, "send mail")
    encoder = Spread()
    other = Vectors(connect(tmp_path / "catalogue"), Source(encoder))
    assert [number for number, _ in near(other, "mail")] == [1]
    assert encoder.asked == ["mail"]


@pytest.mark.requirement("encoder-may-fail")
def test_an_encoder_that_fails_is_told_once_and_costs_no_search(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "handrail")
    papers = Papers(None, "rules", Ranking(Source(Broken())))
    put(papers, 1, "send mail")
    assert [hit.info.name for hit in papers.lists.search("mail", 5).hits] == ["w1"]
    vectors = Vectors(papers.db, Source(Broken()))
    assert near(vectors, "mail")[0][1] == pytest.approx(exactly("w1 send mail", "mail"), abs=0.02)
    assert vectors.cosines("mail") is None
    assert vectors.cosines("mail") is None
    assert [record.message for record in caplog.records] == [
        "the encoder spread failed (ValueError); searching by words alone"
    ]
    papers.close()


def exactly(*texts: str) -> float:
    a, b = Spread().encode(texts)
    return float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))


def written(numbers: list[int], rows: "np.ndarray[tuple[int, int], np.dtype[np.int8]]") -> Blocks:
    """Blocks in a database of their own."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(CREATE)
    blocks = Blocks(db, rows.shape[1])
    lengths = np.linalg.norm(rows.astype(float), axis=1).tolist()
    blocks.put(zip(numbers, lengths, (row.tobytes() for row in rows), strict=True))
    return blocks


def searched(blocks: Blocks, query: "np.ndarray[tuple[int], np.dtype[np.int8]]") -> Cosines:
    return compared(blocks.read(), query)


def test_a_cosine_of_bytes_is_that_of_the_numbers_and_filters_hold() -> None:
    chance = np.random.default_rng(5)
    count = 2 * BLOCK * TOGETHER + 7
    rows = chance.integers(-127, 128, (count, 16), dtype=np.int8)
    numbers = list(chance.permutation(10 * count)[:count].tolist())
    query = chance.integers(-127, 128, 16, dtype=np.int8)
    exact = rows.astype(float) @ query / np.linalg.norm(rows.astype(float), axis=1)
    exact /= np.linalg.norm(query.astype(float))
    cosines = searched(written(numbers, rows), query)
    assert cosines.of(numbers) == pytest.approx(list(exact), abs=1e-5)
    assert cosines.of([-1]) == [0.0]
    best = [numbers[place] for place in np.argsort(-exact)]
    assert cosines.top(20) == best[:20]
    assert cosines.top(3, among=set(best[7:9])) == best[7:9]
    assert cosines.top(0) == []


def test_null_vectors_are_near_nothing() -> None:
    blocks = written([1, 2], np.array([[0] * 4, [1] * 4], np.int8))
    assert searched(blocks, np.zeros(4, np.int8)).top(5) == []
    assert searched(blocks, np.ones(4, np.int8)).top(5) == [2]


@given(st.lists(st.sets(st.integers(0, 200), min_size=1), max_size=8), st.randoms())
@settings(max_examples=40)
def test_blocks_hold_every_row_once_and_no_holes(
    changes: list[set[int]], chance: random.Random
) -> None:
    rows = np.array([[number % 100, 1] for number in range(201)], np.int8)
    blocks, known, most = written([], rows[:0]), set[int](), 0
    for numbers in changes:
        if chance.random() < 0.5:
            lengths = [float(number) for number in numbers]
            own = (rows[number].tobytes() for number in numbers)
            blocks.put(zip(numbers, lengths, own, strict=True))
            known |= numbers
        else:
            blocks.drop(numbers)
            known -= numbers
        size = HEAD.size + 2
        packed = [
            part[at : at + size] for part in blocks.read() for at in range(0, len(part), size)
        ]
        found = {HEAD.unpack_from(row): row[HEAD.size :] for row in packed}
        assert len(packed) == len(known)
        most = max(most, len(known))
        assert blocks.count() <= -(-most // BLOCK)
        assert found == {(number, float(number)): rows[number].tobytes() for number in known}


def test_what_was_read_for_another_encoder_lies_in_another_place(tmp_path: Path) -> None:
    places = {rules_of([tmp_path], {}, "t", encoder)[:12] for encoder in ("", "a", "b")}
    assert len(places) == 3
