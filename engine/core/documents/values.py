"""Compares a written value, templates and all, with the schema of whoever takes it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.documents.raw import join, split
from engine.core.documents.shapes import closed_names, types_of
from engine.core.schema import followed, wants_structure
from engine.core.words import did_you_mean, listed, shorten

Typing = Callable[[tuple[str | int, ...]], frozenset[str] | None]
"""The types that a reference can have."""

_TEMPLATE = re.compile(r"\$?\{\{.*?\}\}", re.DOTALL)
_WHOLE = re.compile(r"\s*\$?\{\{((?:(?!\}\}).)*)\}\}\s*\Z", re.DOTALL)
_PATH = re.compile(r"\s*[A-Za-z_$][\w$-]*(?:\.[\w$-]+|\[[0-9]+\]|\['[^'\\]*'\])*\s*\Z")
_STRUCTURES = {"object", "array"}
_MOST = 20
"""Findings per value; more would only hide the first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit."""

    path: str
    code: str
    message: str
    hint: str = ""


def compare(
    schema: Mapping[str, Any], value: Any, path: str, typing: Typing
) -> tuple[Finding, ...]:
    """What in `value` certainly does not fit the schema."""
    found = []
    for finding in _Comparison(schema, typing).of(schema, value, path):
        found.append(finding)
        if len(found) == _MOST:
            break
    return tuple(found)


class _Comparison:
    def __init__(self, root: Mapping[str, Any], typing: Typing, shape_only: bool = False) -> None:
        self.root = root
        self.typing = typing
        self.shape_only = shape_only  # templates inside were masked, so scalars mean nothing

    def of(self, part: Any, value: Any, path: str) -> Iterator[Finding]:
        part = followed(self.root, part)
        if isinstance(value, str) and not self.shape_only:
            yield from self._text(part, value, path)
        elif isinstance(value, dict):
            yield from self._clash(part, {"object"}, "an object", path)
            yield from self._object(part, value, path)
        elif isinstance(value, list):
            yield from self._clash(part, {"array"}, "a list", path)
            for index, item in enumerate(value):
                yield from self.of(part.get("items"), item, join(path, index))
        elif not self.shape_only:
            yield from self._scalar(part, value, path)

    def _object(
        self, part: Mapping[str, Any], value: Mapping[str, Any], path: str
    ) -> Iterator[Finding]:
        known = closed_names(part)
        properties = part.get("properties")
        inner = properties if isinstance(properties, Mapping) else {}
        for name, child in value.items():
            if known is not None and name not in known:
                hint = did_you_mean(name, known) or f"it takes: {listed(sorted(known))}"
                message = f"{shorten(name)!r} is not an input here"
                yield Finding(join(path, name), "unknown_input", message, hint)
            elif name in inner:
                yield from self.of(inner[name], child, join(path, name))
        required = part.get("required")
        for name in required if isinstance(required, list) else ():
            if name not in value and "default" not in followed(self.root, inner.get(name)):
                message = f"the required input {shorten(name)!r} is missing"
                yield Finding(path, "missing_input", message, f"add {shorten(name)}")

    def _text(self, part: Mapping[str, Any], value: str, path: str) -> Iterator[Finding]:
        whole = _WHOLE.match(value)
        if whole is not None:
            yield from self._reference(part, whole[1], path)
        elif wants_structure(part):
            yield from self._json(part, value, path)
        elif _TEMPLATE.search(value):
            yield from self._clash(part, {"string"}, "text", path)
        else:
            yield from self._scalar(part, value, path)

    def _reference(self, part: Mapping[str, Any], text: str, path: str) -> Iterator[Finding]:
        types = self.typing(split(text.strip())) if _PATH.match(text) else None
        # Text may hold JSON, which is read where an object or a list is wanted.
        if types is None or ("string" in types and wants_structure(part)):
            return
        yield from self._clash(part, types, f"{shorten(text.strip())} ({_or(types)})", path)

    def _json(self, part: Mapping[str, Any], value: str, path: str) -> Iterator[Finding]:
        masked, templates = _TEMPLATE.subn("0", value)
        try:
            inner = json.loads(masked)
        except (ValueError, RecursionError):
            message = f"this must be {_or(types_of(part))}, and the text is not JSON"
            yield Finding(path, "type_clash", message, "write it as YAML, without quotes")
            return
        yield from _Comparison(self.root, self.typing, templates > 0).of(part, inner, path)

    def _scalar(self, part: Mapping[str, Any], value: Any, path: str) -> Iterator[Finding]:
        shown = shorten(json.dumps(value, ensure_ascii=False), 40)
        clash = list(self._clash(part, {_type_of(value)}, shown, path))
        yield from clash
        allowed = part.get("enum")
        if not clash and isinstance(allowed, list) and value not in allowed:
            hint = f"one of: {listed(json.dumps(one, ensure_ascii=False) for one in allowed)}"
            yield Finding(path, "unfit_value", f"{shown} is not allowed here", hint)

    def _clash(
        self, part: Mapping[str, Any], types: frozenset[str] | set[str], what: str, path: str
    ) -> Iterator[Finding]:
        wanted = types_of(part)
        if wanted is None or _widened(wanted) & _widened(types):
            return
        message = f"this must be {_or(wanted)}, not {what}"
        yield Finding(path, "type_clash", message)


def _widened(types: frozenset[str] | set[str]) -> set[str]:
    # An integer is a number, and a number may turn out to be an integer.
    return {"number" if kind == "integer" else kind for kind in types}


def _or(types: frozenset[str] | set[str] | None) -> str:
    return " or ".join(sorted(types)) if types else "something else"


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"
