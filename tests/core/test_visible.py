"""Foreign text shows everything that it contains."""

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import visible as module
from engine.core.visible import visible

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_the_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "<U+001B>[31mred<U+001B>[0m"),
        ("\x9b2J", "<U+009B>2J"),
        ("amount\u202e001", "amount<U+202E>001"),
        ("a\u2066b\u2069c", "a<U+2066>b<U+2069>c"),
        ("pay\u200b\u200b\u200bpal", "pay<U+200B x3>pal"),
        ("over\rwritten", "over<U+000D>written"),
        ("a\nb", "a<U+000A>b"),
        ("odd\u00a0space", "odd<U+00A0>space"),
        ("blank\u3164letter", "blank<U+3164>letter"),
        ("variation\ufe0f", "variation<U+FE0F>"),
        ("tag\U000e0041", "tag<U+E0041>"),
        ("lone\ud800", "lone<U+D800>"),
        ("line\u2028separator", "line<U+2028>separator"),
        ("\x7f", "<U+007F>"),
    ],
)
def test_what_hides_or_moves_text_is_shown_as_its_code_point(given_: str, shown: str) -> None:
    assert visible(given_) == shown


def test_a_tower_of_marks_is_cut_and_counted() -> None:
    assert visible("z" + "\u0301" * 40) == "z" + "\u0301" * 8 + "<+32 marks>"


def test_a_tower_of_marks_without_a_class_of_their_own_is_cut_too() -> None:
    assert visible("ก" + "\u0e31" * 40) == "ก" + "\u0e31" * 8 + "<+32 marks>"


def test_scripts_that_need_marks_are_left_alone() -> None:
    assert visible("Việt नमस्ते שָׁלוֹם") == "Việt नमस्ते שָׁלוֹם"


def test_lines_stay_lines_where_lines_are_wanted() -> None:
    assert visible("a\r\nb\rc\td", lines=True) == "a\nb\nc    d"


@given(st.text(alphabet=st.characters()))
def test_nothing_hidden_is_left_and_a_second_time_changes_nothing(given_: str) -> None:
    shown = visible(given_)
    assert not any(unicodedata.category(char) in HIDDEN for char in shown)
    assert visible(shown) == shown


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_ascii_is_never_changed(given_: str) -> None:
    assert visible(given_) == given_
