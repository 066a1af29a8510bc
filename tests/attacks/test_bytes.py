"""Attacks 5 and 34 on the bytes of a plan: two plans with one name, bytes changed afterwards."""

import json
from dataclasses import fields
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.approval.plan import canonical, digest, operation_digest, read
from engine.core.approval.tree import tree_of, written
from engine.core.errors import Refused
from tests.core.approval.plans import operation, plan

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "~d", "~", "1", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


def _exact(tree: Any) -> Any:
    """A tree with its types, so that 1, 1.0, True and "1" are four things."""
    if isinstance(tree, dict):
        return "object", frozenset((key, _exact(item)) for key, item in tree.items())
    if isinstance(tree, list):
        return "list", tuple(map(_exact, tree))
    return type(tree).__name__, repr(tree)


@given(TREES, TREES)
def test_two_different_values_never_have_the_same_bytes(one: Any, other: Any) -> None:
    same = canonical(plan(operation(args=one))) == canonical(plan(operation(args=other)))
    assert same == (_exact(one) == _exact(other))


@given(TREES)
def test_the_order_in_which_keys_were_written_changes_nothing(tree: Any) -> None:
    turned = json.loads(json.dumps(tree), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert written(tree) == written(turned)


@pytest.mark.parametrize(
    "pair",
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        (150, 150.0),
        ("é", "e\u0301"),
        ({}, []),
        (None, ""),
        (0, -0.0),
    ],
)
def test_what_only_looks_alike_is_not_the_same(pair: tuple[Any, Any]) -> None:
    one, other = (digest(canonical(plan(operation(args={"x": x})))) for x in pair)
    assert one != other
    first, second = (operation_digest(operation(args={"x": x})) for x in pair)
    assert first != second


@given(TREES, TREES, TREES)
def test_the_digest_of_an_operation_is_that_of_its_written_fields(
    tree: Any, count: Any, verb: Any
) -> None:
    # Words that are no words come from bytes that somebody changed: 1, 1.0 and True stay three.
    one = operation(args=tree, count=count, verb=verb)
    said = {each.name: getattr(one, each.name) for each in fields(one) if each.init}
    raw = b"handrail/operation/v1\0" + written(said)
    assert operation_digest(one) == sha256(raw).hexdigest()


@pytest.mark.parametrize(
    "bad", ["\ud800", float("nan"), float("inf"), {1: "x"}, {1, 2}, b"x", object()]
)
def test_what_has_no_one_form_is_refused(bad: Any) -> None:
    with pytest.raises(Refused) as told:
        canonical(plan(operation(args={"x": bad})))
    assert told.value.code == "bad_plan"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1e0}',
        b'{"a":{"~d":"1.50","x":1}}',
        b'{"a":"\xc3\xa9"}',
        b'{"a":NaN}',
    ],
)
def test_other_bytes_for_the_same_value_are_not_a_plan(raw: bytes) -> None:
    with pytest.raises(Refused):
        tree_of(raw)


@given(st.data())
def test_a_byte_changed_anywhere_is_another_plan_or_none(data: st.DataObject) -> None:
    raw = bytearray(canonical(plan(operation("wipe", "delete"))))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert digest(bytes(raw)) != digest(canonical(plan(operation("wipe", "delete"))))
    try:
        changed = read(bytes(raw))
    except (Refused, UnicodeDecodeError):
        return
    assert changed != plan(operation("wipe", "delete"))
