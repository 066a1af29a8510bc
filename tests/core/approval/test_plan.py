"""A plan has one form as bytes: whoever is shown it and whoever carries it out mean the same."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.approval.plan import (
    MOST_OPERATIONS,
    Operation,
    Plan,
    Requester,
    canonical,
    code,
    confirmation,
    digest,
    operation_digest,
    read,
    requester_of,
    subject,
)
from engine.core.approval.tree import tree_of, written
from engine.core.errors import Refused

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["~d", "~", "~~d"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def an_operation(args: Any = None, **more: Any) -> Operation:
    return Operation("charge", "create", "POST https://pay.example/charges", args, **more)


def a_plan(*ops: Operation, **more: Any) -> Plan:
    fields: dict[str, Any] = {
        "tenant": "default",
        "kind": "run.mutations",
        "requester": Requester("stdio", client="Claude"),
        "run": "r",
        "workflow": "demo/order",
        "version": "1.0.0",
        "ops": ops or (an_operation({"n": 1}),),
        "later": (),
        "policy_rev": "p1",
        "created": 1_000,
        "not_after": 2_000,
    }
    return Plan(**{**fields, **more})


def same(one: Any, two: Any) -> bool:
    """Equal, where 1 and 1.0 and True are three things."""
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two) and repr(one) == repr(two)


@pytest.mark.requirement("plan-bytes")
@given(TREES)
def test_what_is_written_is_read_as_it_was(tree: Any) -> None:
    raw = written(tree)
    assert same(tree_of(raw), tree)
    assert written(tree_of(raw)) == raw
    assert raw.isascii()


@pytest.mark.requirement("plan-bytes")
@given(TREES, TREES)
def test_two_trees_have_the_same_bytes_only_if_they_are_the_same(one: Any, two: Any) -> None:
    assert (written(one) == written(two)) == same(one, two)


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=2, max_size=5))
def test_the_order_of_keys_makes_no_difference(tree: dict[str, int]) -> None:
    if any("\ud800" <= char <= "\udfff" for key in tree for char in key):
        return
    assert written(tree) == written(dict(reversed(tree.items())))


def test_amounts_stay_as_they_were_written() -> None:
    raw = written([Decimal("150.00"), 150.0, 150, "150.00", 2**70])
    assert raw == b'[{"~d":"150.00"},{"~d":"150.0"},150,"150.00",1180591620717411303424]'
    assert tree_of(raw) == [Decimal("150.00"), 150.0, 150, "150.00", 2**70]


@pytest.mark.parametrize(
    "tree",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        "half \ud800 pair",
        {"half \udc00": 1},
        {1: "a number as a key"},
        {"a": {1, 2}},
        b"bytes",
        10**5_000,
        "x" * 5_000_000,
    ],
    ids=lambda tree: type(tree).__name__,
)
def test_what_cannot_be_shown_exactly_is_refused(tree: Any) -> None:
    with pytest.raises(Refused) as refused:
        written(tree)
    assert refused.value.code == "bad_plan"


def test_what_is_nested_beyond_reason_is_refused() -> None:
    tree: Any = 1
    for _ in range(100_000):
        tree = [tree]
    with pytest.raises(Refused, match="nested"):
        written(tree)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[",
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b"1.5",
        b"NaN",
        b'{"~d":1}',
        b'{"~d":"x"}',
        b'{"~d":"1.0","b":1}',
        '"é"'.encode(),
        b'"\\u00E9"',
        b"[" * 100_000,
    ],
)
def test_other_bytes_are_no_plan(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        tree_of(raw)
    assert refused.value.code == "bad_plan"


@given(TREES)
def test_a_plan_is_read_as_it_was_written(args: Any) -> None:
    raw = canonical(a_plan(an_operation(args)))
    assert canonical(read(raw)) == raw
    assert read(raw).ops[0].id == "charge"


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "other"},
        {"kind": "run.cancel"},
        {"later": ("ship",)},
        {"ops": (an_operation({"n": 1.0}),)},
        {"ops": (an_operation({"n": True}),)},
        {"ops": (an_operation({"n": 1}, count=2),)},
        {"ops": (an_operation({"n": 1}, definition="other"),)},
        {"ops": (an_operation({"n": 1}, precondition="other"),)},
        {"requester": Requester("http", "https://idp", "ann")},
    ],
    ids=str,
)
def test_another_question_is_another_subject(change: dict[str, Any]) -> None:
    one, two = a_plan(), a_plan(**change)
    assert subject(one) != subject(two)
    assert digest(canonical(one)) != digest(canonical(two))


def test_what_a_run_wants_is_the_same_in_another_run_and_still_another_plan() -> None:
    one, two = a_plan(), a_plan(run="s")
    assert subject(one) == subject(two)
    assert digest(canonical(one)) != digest(canonical(two))
    assert subject(a_plan(kind="run.cancel")) != subject(a_plan(kind="run.cancel", run="s"))


@pytest.mark.parametrize(
    "change",
    [
        {"created": 5},
        {"not_after": 9},
        {"policy_rev": "p2"},
        {"rationale": "because"},
        {"requester": Requester("terminal", client="handrail")},
    ],
    ids=str,
)
def test_the_same_question_asked_again_is_the_same_subject(change: dict[str, Any]) -> None:
    one, two = a_plan(), a_plan(**change)
    assert subject(one) == subject(two)
    assert digest(canonical(one)) != digest(canonical(two))


def test_a_plan_without_or_with_too_many_or_double_operations_is_refused() -> None:
    many = tuple(replace(an_operation(), id=str(n)) for n in range(MOST_OPERATIONS + 1))
    for ops in ((), many, (an_operation(1), an_operation(2))):
        with pytest.raises(Refused, match="asked for"):
            canonical(replace(a_plan(), ops=ops))
    canonical(a_plan(*many[1:]))


def test_a_plan_of_another_form_is_not_read() -> None:
    tree = json.loads(canonical(a_plan()))
    for change in ({"v": 2}, {"v": None}, {"approved": True}):
        with pytest.raises(Refused):
            read(json.dumps(tree | change, sort_keys=True, separators=(",", ":")).encode())


def test_the_code_is_the_beginning_of_the_digest() -> None:
    assert code("f" * 64) == "ZZZZZZZZ"
    assert code("0" * 9 + "1" + "f" * 54) == "00000001"
    assert len(code(digest(canonical(a_plan())))) == 8


def test_an_operation_digest_says_everything_of_the_operation() -> None:
    one = an_operation({"n": 1})
    assert operation_digest(one) == operation_digest(an_operation({"n": 1}))
    for other in (an_operation({"n": 2}), replace(one, target="x"), replace(one, verb="pay")):
        assert operation_digest(other) != operation_digest(one)


def test_what_is_typed_before_destruction_counts_the_worst() -> None:
    ops = (
        Operation("a", "delete", "x", 1, count=40),
        Operation("b", "delete", "y", 1, count=7),
        Operation("c", "create", "z", 1, count=90),
    )
    assert confirmation(a_plan(*ops)) == "delete 47"
    assert confirmation(a_plan()) == "create 1"


def test_a_client_name_is_no_part_of_who_asks() -> None:
    assert Requester("stdio", client="ann").principal == "local"
    assert Requester("http", "https://idp", "ann", "x").principal == "https://idp|ann"
    assert requester_of("https://idp|ann", "http").sub == "ann"
    assert requester_of("local", "stdio").principal == "local"
