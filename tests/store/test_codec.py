"""Events become JSON and the same events again, whatever is in them and however old they are."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import events as ev
from engine.core.approval import events as approvals
from engine.core.codec import Codec, CodecError, Erased
from engine.core.compact import writer
from engine.core.errors import Move
from engine.core.log import EventKind
from tests.store.journals import FEATURES

KINDS = {kind.name: kind for feature in FEATURES for kind in feature.kinds}
CODEC = Codec(KINDS.values())

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Every value that a field of this type may have."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return json_values
    if origin in (Union, UnionType):
        return st.one_of(*map(values_of, args))
    if origin is tuple and args[-1] is not ...:
        return st.tuples(*map(values_of, args))
    if origin is tuple:
        return st.lists(values_of(args[0]), max_size=4).map(tuple)
    if origin is frozenset:
        return st.frozensets(values_of(args[0]), max_size=4)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(st.text(), values_of(args[1]), max_size=4)
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        return events_of(hint)
    return st.from_type(hint)


def events_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Every value of a dataclass, by the types of its fields."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in fields(cls)})


@pytest.mark.parametrize("name", KINDS)
def test_an_event_of_every_kind_comes_back_as_it_went(name: str) -> None:
    @given(events_of(KINDS[name].cls))
    def comes_back(event: Any) -> None:
        kind, schema, body = CODEC.dump(event)
        again = CODEC.load(kind, schema, body)
        assert (kind, again, type(again)) == (name, event, type(event))
        assert CODEC.dump(again) == (kind, schema, body)

    comes_back()


def test_every_event_class_has_a_kind() -> None:
    declared = {
        cls
        for module in (ev, approvals)
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__
    }
    assert declared == {kind.cls for kind in KINDS.values()}


# -- old shapes ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paid:
    """Schema 3: money is in cents and has a currency."""

    cents: int
    currency: str


def to_cents(body: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 had whole euros."""
    return {"cents": body["euros"] * 100}


def with_currency(body: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 knew only one currency."""
    return {**body, "currency": "EUR"}


PAID = Codec([EventKind("paid", Paid, (to_cents, with_currency))])


@pytest.mark.requirement("upcasting")
@pytest.mark.parametrize(
    ("schema", "body"),
    [(1, '{"euros":3}'), (2, '{"cents":300}'), (3, '{"cents":300,"currency":"EUR"}')],
)
def test_an_event_of_any_day_becomes_an_event_of_today(schema: int, body: str) -> None:
    assert PAID.load("paid", schema, body) == Paid(300, "EUR")


def test_new_events_have_the_newest_shape() -> None:
    assert PAID.dump(Paid(300, "EUR")) == ("paid", 3, '{"cents":300,"currency":"EUR"}')


# -- every sort of field ---------------------------------------------------------------------


class Colour(StrEnum):
    """For a field."""

    RED = "red"


@dataclass(frozen=True, slots=True)
class Part:
    """For a field."""

    n: int


@dataclass(frozen=True, slots=True)
class Whole:
    """Every sort of field that survives."""

    colour: Colour
    part: Part | None
    parts: tuple[Part, ...]
    pair: tuple[int, Part]
    names: frozenset[str]
    colours: frozenset[Colour]
    by_name: Mapping[str, Part]
    plain: Mapping[str, int]
    maybe: str | int | None = None


SOUND = {
    "colour": '"red"',
    "part": "null",
    "parts": '[{"n":1}]',
    "pair": '[1,{"n":1}]',
    "names": '["a"]',
    "colours": '["red"]',
    "by_name": '{"a":{"n":1}}',
    "plain": '{"a":1}',
    "maybe": "null",
}
WHOLE = Codec([EventKind("whole", Whole)])


@given(events_of(Whole))
def test_every_sort_of_field_comes_back(whole: Whole) -> None:
    assert WHOLE.load(*WHOLE.dump(whole)) == whole


@given(st.text() | json_values.map(json.dumps), st.sampled_from(sorted(SOUND)))
def test_a_damaged_field_of_any_sort_is_a_typed_error(value: str, field: str) -> None:
    texts = {**SOUND, field: value}
    body = ",".join(f'"{name}":{text}' for name, text in texts.items())
    assert heard(WHOLE, "whole", f"{{{body}}}") in (Whole, "event_damaged")


def heard(codec: Codec, name: str, body: str) -> object:
    """The class of the event, or the code of the error."""
    try:
        return type(codec.load(name, 1, body))
    except CodecError as error:
        return error.code


# -- what cannot be read, what cannot be written ---------------------------------------------------


@pytest.mark.parametrize(
    ("name", "schema", "body", "code"),
    [
        ("nobody.knows", 1, "{}", "event_unknown_kind"),
        ("paid", 4, "{}", "event_newer_schema"),
        ("paid", 0, "{}", "event_newer_schema"),
        ("nobody.knows", 1, None, "event_unknown_kind"),
        ("paid", 3, "", "event_damaged"),
        ("paid", 3, "[]", "event_damaged"),
        ("paid", 3, "null", "event_damaged"),
        ("paid", 3, '{"cents":1}', "event_damaged"),
        ("paid", 3, '{"cents":1,"currency":"EUR","more":1}', "event_damaged"),
        ("paid", 3, '{"cents":1,"currency":"EUR"} ', "event_damaged"),
        ("paid", 3, '{"cents":NaN,"currency":"EUR"}', "event_damaged"),
        ("paid", 3, "[" * 100_000, "event_damaged"),
        ("paid", 1, "{}", "event_damaged"),
        ("paid", 1, '{"euros":null}', "event_damaged"),
        ("paid", 3, b'{"cents":1,"currency":"EUR"}', "event_damaged"),
    ],
)
def test_what_cannot_be_read_is_a_typed_error(name: str, schema: int, body: Any, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        PAID.load(name, schema, body)
    assert (refused.value.code, refused.value.move) == (code, Move.PERSON)
    assert refused.value.hint


@pytest.mark.parametrize("body", ['{"kind":"nope","code":"c","message":"m"}', '"text"', "[1]"])
def test_a_damaged_value_inside_an_event_is_a_typed_error(body: str) -> None:
    with pytest.raises(CodecError) as refused:
        CODEC.load("run.failed", 1, f'{{"status":"s","step":"a","failure":{body}}}')
    assert refused.value.code == "event_damaged"


@given(st.sampled_from(sorted(KINDS)), st.text() | json_values.map(json.dumps))
def test_no_body_whatever_it_is_raises_another_error(name: str, body: str) -> None:
    assert heard(CODEC, name, body) in (KINDS[name].cls, "event_damaged")


def circle() -> list[Any]:
    """A list that contains itself."""
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, "\ud800", {"\udfff": 1}, object(), {1, 2}, b"x", {(1, 2): 3}, circle()],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(CodecError) as refused:
        CODEC.dump(ev.RunCompleted(value))
    assert (refused.value.code, refused.value.move) == ("event_not_json", Move.CALLER)


def test_an_erased_event_keeps_its_kind() -> None:
    assert CODEC.load("run.failed", 1, None) == Erased("run.failed")


def test_a_mapping_that_is_no_dict_is_written_as_an_object() -> None:
    frozen: Any = MappingProxyType({"a": (1, MappingProxyType({}))})
    assert CODEC.dump(ev.RunCompleted(frozen))[2] == '{"output":{"a":[1,{}]}}'


@given(json_values)
def test_json_is_what_the_library_writes(value: Any) -> None:
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert CODEC.dump(ev.RunCompleted(value))[2] == f'{{"output":{expected}}}'


@given(st.integers() | st.booleans(), st.text() | st.sampled_from(['"', "%s%", "\\u0041", "\x7f"]))
def test_fields_of_text_and_numbers_are_what_the_library_writes(cents: int, text: str) -> None:
    fields = {"cents": cents, "currency": text}
    expected = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    assert PAID.dump(Paid(cents, text))[2] == expected


@pytest.mark.parametrize("currency", ["\ud800", None])
def test_a_field_of_text_that_is_no_text_is_refused(currency: Any) -> None:
    with pytest.raises(CodecError) as refused:
        PAID.dump(Paid(1, currency))
    assert refused.value.code == "event_not_json"


@pytest.mark.parametrize("both", [False, True])
def test_without_the_librarys_fast_encoder_the_same_is_written(
    monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    value = {"é": [1, None, {"a": "b"}], "a": MappingProxyType({"m": 1.5})}
    fast = writer(ascii_only=both, sort_keys=both, other=dict)(value)
    expected = json.dumps(
        value, ensure_ascii=both, sort_keys=both, separators=(",", ":"), default=dict
    )
    assert fast == expected
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert writer(ascii_only=both, sort_keys=both, other=dict)(value) == fast


@pytest.mark.parametrize("value", [object(), {"a": {1}}, b"x"])
def test_what_the_encoder_does_not_know_is_refused_where_nobody_makes_json_of_it(
    value: Any,
) -> None:
    with pytest.raises(TypeError, match="is not JSON"):
        writer(ascii_only=True, sort_keys=True)(value)


# -- mistakes of a programmer ------------------------------------------------------------------


def bad(hint: Any) -> type[Any]:
    """An event class whose field has a type that nothing on disk brings back."""
    return dataclass(type("Bad", (), {"__annotations__": {"field": hint}}))


@pytest.mark.parametrize(
    "hint", [bytes, set[str], Part | Colour, Part | Whole | None, list[Part], complex]
)
def test_a_field_that_would_not_survive_is_refused_at_the_start(hint: Any) -> None:
    with pytest.raises(TypeError):
        Codec([EventKind("bad", bad(hint))])


def test_two_kinds_share_neither_a_name_nor_a_class() -> None:
    for other in (EventKind("part", Whole), EventKind("other", Part)):
        with pytest.raises(ValueError, match="declared twice"):
            Codec([EventKind("part", Part), other])


def test_an_object_that_is_no_event_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="not an event"):
        CODEC.dump("hello")
