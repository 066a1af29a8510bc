"""Text of others is shown, not rendered, and JSON stays the value it was."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.foreign import cut, dumped, fenced, plain
from tests.server import views

NASTY = st.text(st.sampled_from("![](<a>)`~\n\u202e\u200b\x1b\x00x:/ "), max_size=30)


@given(views.JSON | st.lists(NASTY, max_size=3) | st.dictionaries(NASTY, NASTY, max_size=3))
def test_disarmed_json_reads_back_as_the_same_value(value: Any) -> None:
    assert json.loads(dumped(value)) == value


@given(st.lists(NASTY, max_size=3) | st.dictionaries(NASTY, NASTY, max_size=3))
def test_json_in_a_fence_can_neither_leave_it_nor_act(value: Any) -> None:
    text = fenced(dumped(value))
    inner = text.removeprefix("```json\n").removesuffix("\n```")
    assert "```" not in inner
    assert "](" not in inner
    assert "![" not in inner
    assert "<" not in inner
    assert "\u202e" not in inner
    assert "\n" not in inner


@given(NASTY)
def test_a_line_of_foreign_text_stays_one_harmless_line(text: str) -> None:
    line = plain(text)
    assert "\n" not in line
    assert "](" not in line
    assert "\u202e" not in line
    assert "\x1b" not in line
    assert "```" not in line


def test_what_is_cut_off_is_counted() -> None:
    assert cut("abcdef", 4) == "abcd… (+2 characters)"
    assert plain("x" * 1500, 400).endswith("… (+1,100 characters)")
