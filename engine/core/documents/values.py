"""Compares a written value, templates and all, with the schema of whoever takes it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from engine.core.documents.raw import join, split
from engine.core.documents.shapes import Part, Types
from engine.core.schema import wants_structure
from engine.core.words import listed, shorten


class Surroundings(Protocol):
    """What a comparison asks of the workflow around the value."""

    def types(self, reference: tuple[str | int, ...]) -> Types | None:
        """The types that a reference can have."""
        ...

    def nearest(self, word: str, options: Iterable[str]) -> str:
        """A hint with the nearest of some options."""
        ...


_TEMPLATE = re.compile(r"\$?\{\{.*?\}\}", re.DOTALL)
_WHOLE = re.compile(r"\s*\$?\{\{([^}]*+(?:\}(?!\})[^}]*+)*+)\}\}\s*\Z")
_PATH = re.compile(r"\s*([A-Za-z_$][\w$-]*(?:\.[\w$-]+|\[[0-9]+\]|\['[^'\\]*'\])*)\s*\Z")
_MOST = 20
"""Findings per value; more would only hide the first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit."""

    path: str
    code: str
    message: str
    hint: str = ""


def compare(part: Part, value: Any, path: str, around: Surroundings) -> tuple[Finding, ...]:
    """What in `value` certainly does not fit what `part` describes."""
    return tuple(islice(_Comparison(around).of(part, value, path), _MOST))


class _Comparison:
    def __init__(self, around: Surroundings, shape_only: bool = False) -> None:
        self.around = around
        self.shape_only = shape_only  # templates inside were masked, so scalars mean nothing

    def of(self, part: Part, value: Any, path: str) -> Iterator[Finding]:
        if isinstance(value, dict):
            yield from _clash(part, _OBJECT, "an object", path)
            yield from self._object(part, value, path)
        elif isinstance(value, list):
            yield from _clash(part, _ARRAY, "a list", path)
            for index, item in enumerate(value):
                yield from self.of(part.items, item, join(path, index))
        elif self.shape_only or (part.types is None and "enum" not in part.schema):
            return
        elif isinstance(value, str):
            yield from self._text(part, value, path)
        else:
            yield from _scalar(part, value, path)

    def _object(self, part: Part, value: dict[str, Any], path: str) -> Iterator[Finding]:
        for name, given in value.items():
            child = part.child(name)
            if child is not None:
                yield from self.of(child, given, join(path, name))
            elif part.closed:
                known = sorted(part.properties)
                hint = self.around.nearest(name, known) or f"it takes: {listed(known) or 'nothing'}"
                message = f"{shorten(name)!r} is not an input here"
                yield Finding(join(path, name), "unknown_input", message, hint)
        for name in part.required:
            if name not in value:
                message = f"the required input {shorten(name)!r} is missing"
                yield Finding(path, "missing_input", message, f"add {shorten(name)}")

    def _text(self, part: Part, value: str, path: str) -> Iterator[Finding]:
        whole = _WHOLE.match(value) if "{{" in value else None
        if whole is not None:
            yield from self._reference(part, whole[1], path)
        elif wants_structure(part.schema):
            yield from self._json(part, value, path)
        elif _TEMPLATE.search(value):
            yield from _clash(part, _STRING, "text", path)
        else:
            yield from _scalar(part, value, path)

    def _reference(self, part: Part, text: str, path: str) -> Iterator[Finding]:
        found = _PATH.match(text)
        types = self.around.types(split(found[1])) if found is not None else None
        # Text may hold JSON, which is read where an object or a list is wanted.
        if types is None or ("string" in types and wants_structure(part.schema)):
            return
        yield from _clash(part, types, f"{shorten(text.strip())} ({_or(types)})", path)

    def _json(self, part: Part, value: str, path: str) -> Iterator[Finding]:
        masked, templates = _TEMPLATE.subn("0", value)
        try:
            inner = json.loads(masked)
        except (ValueError, RecursionError):
            message = f"this must be {_or(part.types)}, and the text is not JSON"
            yield Finding(path, "type_clash", message, "write it as YAML, without quotes")
            return
        yield from _Comparison(self.around, templates > 0).of(part, inner, path)


_OBJECT, _ARRAY, _STRING = frozenset({"object"}), frozenset({"array"}), frozenset({"string"})


def _scalar(part: Part, value: Any, path: str) -> Iterator[Finding]:
    shown = shorten(json.dumps(value, ensure_ascii=False), 40)
    clash = list(_clash(part, frozenset({_type_of(value)}), shown, path))
    yield from clash
    allowed = part.schema.get("enum")
    if not clash and isinstance(allowed, list) and value not in allowed:
        hint = f"one of: {listed(json.dumps(one, ensure_ascii=False) for one in allowed)}"
        yield Finding(path, "unfit_value", f"{shown} is not allowed here", hint)


def _clash(part: Part, types: Types, what: str, path: str) -> Iterator[Finding]:
    wanted = part.types
    if wanted is None or wanted & types or _widened(wanted) & _widened(types):
        return
    yield Finding(path, "type_clash", f"this must be {_or(wanted)}, not {what}")


def _widened(types: Types) -> set[str]:
    # An integer is a number, and a number may turn out to be an integer.
    return {"number" if kind == "integer" else kind for kind in types}


def _or(types: Types | None) -> str:
    return " or ".join(sorted(types)) if types else "something else"


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
