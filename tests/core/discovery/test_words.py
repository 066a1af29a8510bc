"""Texts taken apart into words: names split, endings off, no text too strange."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.discovery.spelling import cuts, halves, nearest, parted
from engine.core.discovery.stems import stem
from engine.core.discovery.words import MOST_ASKED, asked, pieces, stems


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("getUserProfile", "get user profile"),
        ("get_user-profile.v2", "get user profile v 2"),
        ("HTTPServerError", "http server error"),
        ("OrderID2Name", "order id 2 name"),
        ("Zürich_ÉTÉ", "zurich ete"),
        ("p4工单workspace", "p 4 工单 workspace"),
    ],
)
def test_a_name_is_split_where_its_letters_change(name: str, words: str) -> None:
    assert pieces(name) == words.split()


@pytest.mark.parametrize(
    ("words", "ending_off"),
    [
        ("caresses ponies cats feed agreed", "caress poni cat feed agre"),
        ("plastered motoring sing hopping falling sized", "plaster motor sing hop fall size"),
        ("happy sky relational conditional vietnamization", "happi sky relat condit vietnam"),
        ("hopefulness formality electrical adoption adjustable", "hope formal electr adopt adjust"),
        ("probate rate controlling rolled generalizations", "probat rate control roll gener"),
    ],
)
def test_endings_come_off_as_the_paper_says(words: str, ending_off: str) -> None:
    assert [stem(word) for word in words.split()] == ending_off.split()


def test_small_words_are_not_asked_for_unless_there_are_no_others() -> None:
    assert asked("please show me the orders").words == ("order",)
    assert asked("what is it?").words == ("what", "is", "it")


def test_sentences_are_told_apart() -> None:
    parts = asked("Close the invoice. Then send a message").parts
    assert list(map(set, parts)) == [{"close", "invoic"}, {"send", "messag"}]


def test_values_are_counted() -> None:
    assert asked("Pay invoice 'A-17' of 200.50 for Olivia").values == 3


def test_of_a_very_long_query_the_beginning_is_looked_at() -> None:
    long = asked(" ".join(f"w{letter}{number}" for number in range(2000) for letter in "xyz"))
    assert len(set(long.words)) <= MOST_ASKED


@given(st.text(max_size=300))
def test_every_text_gives_words_that_stay_the_words_they_are(text: str) -> None:
    for word in pieces(text):
        assert word
        assert not word.isspace()
    question = asked(text)
    assert all(part <= set(question.words) for part in question.parts)
    assert len(stems(text, 5)) <= 5


@given(st.text("abcdefghij", min_size=4, max_size=12), st.data())
def test_one_slip_is_mended_and_leaves_half_a_word_to_look_for(
    word: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    slip = data.draw(st.sampled_from(["less", "more", "other"]))
    written = word[:at] + {"less": "", "more": "z" + word[at], "other": "z"}[slip] + word[at + 1 :]
    assert nearest(written, [word]) == word
    if len(written) >= 6:
        assert any(half in word for half in halves(written))


@given(st.text("abc", max_size=12))
def test_a_word_is_cut_only_into_words_that_are_known(word: str) -> None:
    for known in (set(), {part for cut in cuts(word) for part in cut}):
        halves_of_it = parted(word, known)
        assert all(part in known for part in halves_of_it)
        assert "".join(halves_of_it) in ("", word)
