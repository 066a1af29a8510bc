"""Events to JSON and back; the one place where old events become today's.

An event is a flat frozen dataclass whose fields are JSON values, tuples, frozensets, string
enums, mappings or dataclasses of the same sort. What a class needs is worked out once, when the
codec is built: a field that JSON already speaks is copied, the others have a converter of their
own. A value behind `Any` must be JSON as `json.loads` returns it (text keys, lists), because
nothing on disk says what it was before. Bodies are text, never pickles.

It refuses to know what an event means, where it is stored and which schema number is meant:
that is the number of upcasters of its kind plus one.
"""

import json
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter, call
from typing import Any, Union, get_args, get_origin, get_type_hints

from engine.core.compact import writer
from engine.core.errors import Move, Refused
from engine.core.log import EventKind, Upcast

Convert = Callable[[Any], Any]
"""Makes a field's value into JSON, or JSON into a field's value."""

_PLAIN = (str, int, bool, float, type(None), Any, object)


class CodecError(Refused):
    """An event cannot be written or read. Nothing was recorded.

    Codes: `event_not_json` (the caller's value cannot be stored), `event_unknown_kind` and
    `event_newer_schema` (a newer Handrail wrote it), `event_damaged` (the stored body does not
    fit its kind).
    """


@dataclass(frozen=True, slots=True)
class Erased:
    """Stands where an event was whose body has been erased; its place in the chain remains."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one class is taken apart and put together again.

    `form` is its JSON with a place for every field, and `write` makes what stands there.
    """

    name: str
    schema: int
    names: tuple[str, ...]
    take: Callable[[Any], Any]
    form: str
    write: tuple[Callable[[Any], str], ...]
    encode: tuple[tuple[str, Convert], ...]
    decode: tuple[tuple[str, Convert], ...]
    cls: type[Any]
    upcasts: tuple[Upcast, ...]


class Codec:
    """The event kinds that this process understands.

    Raises TypeError when a field has a type that JSON cannot bring back, and ValueError when
    two kinds share a name or a class: both are mistakes of a programmer, found at start-up.
    """

    def __init__(self, kinds: Iterable[EventKind]) -> None:
        self._by_name: dict[str, _Shape] = {}
        self._by_cls: dict[type[Any], _Shape] = {}
        for kind in kinds:
            if kind.name in self._by_name or kind.cls in self._by_cls:
                raise ValueError(f"the event kind {kind.name!r} is declared twice")
            self._by_name[kind.name] = self._by_cls[kind.cls] = _shape(kind)

    def dump(self, event: object) -> tuple[str, int, str]:
        """The stored form of `event`: kind, schema number, JSON body.

        Raises CodecError `event_not_json` for a value that JSON cannot carry: not a number,
        a lone surrogate, an object of some other class, nesting without end.
        """
        shape = self._by_cls.get(type(event))
        if shape is None:
            raise TypeError(f"{type(event).__name__} is not an event of this engine")
        try:
            written = tuple(map(call, shape.write, shape.take(event)))
            return shape.name, shape.schema, _sound(shape.form % written)
        except (ValueError, TypeError, RecursionError) as error:
            raise _not_json(shape.name, error) from error

    def load(self, name: str, schema: int, body: str | None) -> Any:
        """An event of today from a stored event of any day; `Erased` when `body` is None.

        Raises CodecError `event_unknown_kind`, `event_newer_schema` or `event_damaged`.
        """
        shape = self._by_name.get(name)
        if shape is None:
            raise _newer("event_unknown_kind", f"the event kind {name!r} is not known here")
        if not 1 <= schema <= shape.schema:
            raise _newer("event_newer_schema", f"{name} has schema {schema}, not {shape.schema}")
        if body is None:
            return Erased(name)
        try:
            return _built(shape, _parsed(body), schema)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise _damaged(name, error) from error


def _not_json(name: str, error: Exception) -> CodecError:
    hint = "store text, whole and finite numbers, true, false, null, lists and objects"
    return CodecError("event_not_json", f"{name} cannot be stored as JSON: {error}", hint)


def _newer(code: str, message: str) -> CodecError:
    return CodecError(code, message, "open it with the newer Handrail", move=Move.PERSON)


def _damaged(name: str, error: Exception) -> CodecError:
    message = f"a stored {name} does not fit its kind: {error}"
    return CodecError("event_damaged", message, "run `handrail doctor`", move=Move.PERSON)


# -- JSON ---------------------------------------------------------------------------------


def _other(value: object) -> dict[str, Any]:
    """What the JSON encoder does not know: only mappings that are not dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


_encode = writer(ascii_only=False, sort_keys=False, other=_other)
_quoted = json.encoder.encode_basestring


def _sound(text: str) -> str:
    if not text.isascii():
        text.encode()  # a lone surrogate is refused here, not by the database
    return text


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_scan = json.JSONDecoder(parse_constant=_constant).raw_decode


def _parsed(body: str) -> dict[str, Any]:
    value, end = _scan(body)
    if end != len(body) or type(value) is not dict:
        raise ValueError("the body is not one JSON object")
    return value


# -- taking apart, putting together --------------------------------------------------------


@cache  # it follows from the class alone, and every store that is opened needs all of them
def _shape(kind: EventKind) -> _Shape:
    cls, hints = kind.cls, get_type_hints(kind.cls)
    names = tuple(field.name for field in fields(cls))
    encode = {name: convert for name in names if (convert := _encoder(hints[name]))}
    decode = {name: convert for name in names if (convert := _decoder(hints[name]))}
    return _Shape(
        name=kind.name,
        schema=len(kind.upcasts) + 1,
        names=names,
        take=attrgetter(*names) if len(names) > 1 else _few(names),
        form="{" + ",".join(f'"{name}":%s' for name in names) + "}",
        write=tuple(_writer(hints[name], encode.get(name)) for name in names),
        encode=tuple(encode.items()),
        decode=tuple(decode.items()),
        cls=cls,
        upcasts=kind.upcasts,
    )


def _writer(hint: Any, convert: Convert | None) -> Callable[[Any], str]:
    """How a field of this type is written; text and numbers need no walk through a value."""
    if convert is not None:
        return lambda value: _encode(convert(value))
    return {str: _quoted, int: _number, int | None: _number}.get(hint, _encode)


def _number(value: Any) -> str:
    if value is None:
        return "null"
    return repr(value) if type(value) is int else _encode(value)


def _few(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """`attrgetter` returns a bare value for one name and refuses none at all."""
    if not names:
        return lambda _: ()
    (name,) = names
    return lambda value: (getattr(value, name),)


def _taken(shape: _Shape, value: Any) -> dict[str, Any]:
    body = dict(zip(shape.names, shape.take(value), strict=True))
    for name, convert in shape.encode:
        body[name] = convert(body[name])
    return body


def _built(shape: _Shape, body: dict[str, Any], schema: int) -> Any:
    if schema != shape.schema:
        for upcast in shape.upcasts[schema - 1 :]:
            body = upcast(body)
    for name, convert in shape.decode:
        if name in body:
            body[name] = convert(body[name])
    return shape.cls(**body)


def _encoder(hint: Any) -> Convert | None:
    """How a value of this type becomes JSON; None when it already is."""
    if is_dataclass(hint) and isinstance(hint, type):
        shape = _shape(EventKind("", hint))
        return lambda value: _taken(shape, value)
    if get_origin(hint) is frozenset:
        return sorted
    return _inside(hint, _encoder, _each_out)


def _decoder(hint: Any) -> Convert | None:
    """How JSON becomes a value of this type; None when it already is."""
    if is_dataclass(hint) and isinstance(hint, type):
        shape = _shape(EventKind("", hint))
        return lambda value: _built(shape, dict(value), 1)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if get_origin(hint) is frozenset:
        member = _decoder(get_args(hint)[0])
        return frozenset if member is None else lambda value: frozenset(map(member, value))
    return _inside(hint, _decoder, _each_in)


def _inside(
    hint: Any,
    convert: Callable[[Any], Convert | None],
    each: Callable[[tuple[Any, ...], list[Convert | None]], Convert | None],
) -> Convert | None:
    """Types made of other types, the same way in both directions."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional([found for arg in args if (found := convert(arg))], hint)
    if origin is tuple:
        return each(args, [convert(arg) for arg in args if arg is not ...])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        member = convert(args[1])
        return None if member is None else lambda value: {k: member(v) for k, v in value.items()}
    if hint in _PLAIN or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return None
    raise TypeError(f"a field of type {hint} does not survive JSON")


def _optional(converts: list[Convert], hint: Any) -> Convert | None:
    if not converts:
        return None
    if len(converts) > 1 or type(None) not in get_args(hint) or len(get_args(hint)) > 2:
        raise TypeError(f"nothing on disk tells the members of {hint} apart")
    (convert,) = converts
    return lambda value: None if value is None else convert(value)


def _each_out(args: tuple[Any, ...], converts: list[Convert | None]) -> Convert | None:
    if not any(converts):
        return None  # JSON writes a tuple as a list by itself
    return _each_in(args, converts)


def _each_in(args: tuple[Any, ...], converts: list[Convert | None]) -> Convert | None:
    if args[-1] is ...:
        convert = converts[0]
        return tuple if convert is None else lambda value: tuple(map(convert, value))
    return lambda value: tuple(
        item if convert is None else convert(item)
        for item, convert in zip(value, converts, strict=True)
    )
