"""What a person reads before allowing something: everything, and nothing that only looks so."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.approval import lookalikes
from engine.core.approval.render import FORM_MOST, columns, fits_form, lines, summary, text
from engine.core.approval.values import leaves, quoted, shown
from tests.core.approval.plans import operation, plan

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def _fields(told: Any) -> list[str]:
    return [line.text for line in lines(told) if line.kind == "field"]


@pytest.mark.requirement("plan-shown-whole")
@given(TREES)
def test_every_value_of_an_operation_is_shown_and_nothing_hides(args: Any) -> None:
    told = plan(operation(args={"input": args, "note": "x"}))
    rows = _fields(told)
    for _, one in leaves({"input": args}):
        assert any(row.endswith(shown(one)) for row in rows)
    assert not any(unicodedata.category(char) in HIDDEN for row in rows for char in row)


@given(st.lists(st.sampled_from(["create", "delete", "send", "update", "odd"]), min_size=1))
def test_every_operation_is_shown_once_and_the_dangerous_before_the_others(
    verbs: list[str],
) -> None:
    told = plan(*(operation(f"step-{at}", verb) for at, verb in enumerate(verbs)))
    rows = [line.text for line in lines(told) if line.kind == "operation"]
    assert sorted(int(row.split(" ")[0]) for row in rows) == list(range(1, len(verbs) + 1))
    danger = ["delete", "send", "odd", "update", "create"]
    order = [row.split(". ")[1].split(":")[0].lower() for row in rows]
    assert order == sorted(order, key=danger.index)
    assert f"showing all {len(verbs)}" in text(told)


def test_what_is_unlike_the_others_comes_before_them() -> None:
    told = plan(
        *(operation(f"s{at}", args={"to": "ann@x.example", "amount": 5}) for at in range(20)),
        operation("odd", args={"to": "eve@x.example", "amount": 5}),
        *(operation(f"t{at}", args={"to": "ann@x.example", "amount": 5}) for at in range(20)),
    )
    first = next(line.text for line in lines(told) if line.kind == "operation")
    assert first.startswith("21 of 41.")


def test_what_was_never_allowed_before_is_marked_and_comes_first() -> None:
    told = plan(
        operation("a", args={"note": "n", "to": "ann@x.example"}, target="python f"),
        operation("b", args={"note": "n", "to": "eve@x.example"}, target="python f"),
    )
    known = frozenset({"ann@x.example", ""})
    rows = [line for line in lines(told, known) if line.kind in {"operation", "field"}]
    assert rows[0].text.startswith("2 of 2.")
    marked = [row.text for row in rows if row.text.endswith("(new)")]
    assert marked == ['to: "eve@x.example" (new)']


def test_counts_by_verb_say_how_many_a_loop_may_make() -> None:
    told = plan(operation("a", "delete"), operation("n[*]", "send", count=40))
    assert summary(told) == (
        "Carry out changes outside for demo/place-order 1.0.0:"
        " 2 operations (up to 1 delete, 40 send)"
    )


def test_a_number_in_a_body_stands_there_as_it_is_sent() -> None:
    assert "body.amount: 150.00" in _fields(plan())


def test_a_body_with_a_key_twice_is_shown_as_it_is() -> None:
    told = plan(operation(body='{"to":"ann","to":"eve"}'))
    assert 'body: "{\\"to\\":\\"ann\\",\\"to\\":\\"eve\\"}"' in _fields(told)


def test_a_long_text_is_cut_in_the_middle_and_says_so() -> None:
    told = quoted("a" * 3_000 + "b" * 612)
    assert "... +3,112 chars, sha256 " in told
    assert told.startswith('"aaa')
    assert told.endswith('bbb"')


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ("https://\u0430pple.com/x", "mixes CYRILLIC and LATIN letters: \u0430 U+0430"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.com/x", "the network spells it xn--"),
        ("https://xn--pple-43d.com/x", "may be drawn as \u0430pple.com"),
        ("write to bob@ex\u0430mple.com", "the e-mail address bob@ex\u0430mple.com mixes"),
        ("https://bank.example@evil.example/x", "leads to evil.example"),
        ("https://evil\u3002example/x", "the network spells it"),
    ],
)
def test_a_host_or_address_that_may_look_like_another_is_warned_of(given_: str, told: str) -> None:
    rows = text(plan(operation(args={"to": given_})), width=400).split("\n")
    assert any(row.startswith("! ") and told in row for row in rows)
    assert lookalikes.warnings(given_)


@pytest.mark.parametrize("fine", ["Grüße aus Köln", "Привет, Анна", "a@b.example", "12:30 @ noon"])
def test_a_message_in_any_script_is_nothing_to_warn_of(fine: str) -> None:
    assert lookalikes.warnings(fine) == ()


@pytest.mark.requirement("plan-shown-whole")
@given(st.text(max_size=500), st.integers(30, 120))
def test_the_assistant_s_words_never_leave_their_box(words: str, width: int) -> None:
    told = plan()
    bare = text(told, width=width)
    boxed = text(replace(told, rationale=words), width=width)
    assert boxed.startswith(bare)
    rows = boxed[len(bare) :].split("\n")[1:]
    if words.strip():
        assert rows[0] == "+-- written by the assistant; Handrail has not checked it"
        assert rows[-1] == "+--"
        assert all(row.startswith("| ") for row in rows[1:-1])
        assert all(sum(map(columns, row)) <= min(78, width) for row in rows[1:-1])
    else:
        assert rows == []


@given(st.text(max_size=900), st.integers(30, 120))
def test_no_value_can_begin_a_line_of_its_own(words: str, width: int) -> None:
    rows = text(plan(operation(args={"note": words})), width=width).split("\n")
    assert sum(row.startswith("1 of 1. ") for row in rows) == 1
    assert all(sum(map(columns, row)) <= width for row in rows)
    at = next(number for number, row in enumerate(rows) if row.startswith("1 of 1. "))
    assert all(row.startswith("    ") for row in rows[at + 1 :])


def test_a_plan_too_long_for_a_form_is_known_to_be() -> None:
    assert fits_form(plan())
    assert not fits_form(plan(*(operation(f"step-{at}") for at in range(30))))
    assert len(text(plan())) < FORM_MOST


def test_a_form_is_not_offered_when_a_value_had_to_be_cut() -> None:
    assert fits_form(plan(operation(args={"note": "n" * 500})))
    assert not fits_form(plan(operation(args={"note": "n" * 501})))
    assert len(text(plan(operation(args={"note": "n" * 501})))) < FORM_MOST
