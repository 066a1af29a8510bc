"""Which JSON Schemas are safe to carry out: bounded in size, depth and references.

A schema comes from a document, so from anybody. It may refer only to places inside itself,
never in a circle, and what it says once every reference is followed has a bound: a handful of
lines can otherwise mean 2^64 checks (TRUST 4.3). Patterns are bounded by the engine that runs
them. Nothing here compiles or validates.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.core.words import shorten

DEEPEST = 64
LARGEST = 5_000
"""Subschemas after all references are followed."""

_MAPS = (
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_ONE = (
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
)
_REFUSED = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor")


class SchemaError(ValueError):
    """A schema that cannot be used. `path` is a list of keys inside the schema."""

    def __init__(self, message: str, path: tuple[str | int, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint


def check_limits(schema: Mapping[str, Any]) -> None:
    """Raise SchemaError unless the schema is bounded and refers only to itself, never in circles.

    >>> check_limits({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}})
    >>> check_limits({"$ref": "https://example.com/s"})
    Traceback (most recent call last):
    engine.core.schema_limits.SchemaError: a schema may only refer to places inside itself
    """
    _Walk(schema).cost(schema, (), 0)


def target(root: Mapping[str, Any], ref: str) -> Any:
    """What a local reference (`#` or `#/…`) points at. Raises SchemaError when there is nothing."""
    if ref in ("#", "#/"):
        return root
    if not ref.startswith("#/"):
        raise SchemaError(
            "a schema may only refer to places inside itself",
            hint="copy the schema into the document and refer to it as #/$defs/name",
        )
    here: Any = root
    for part in ref[2:].split("/"):
        here = _child(here, part.replace("~1", "/").replace("~0", "~"))
        if here is None:
            raise SchemaError(f"$ref {shorten(ref)!r} points at nothing")
    return here


def _child(node: Any, key: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(key)
    if isinstance(node, list) and key.isascii() and key.isdigit() and int(key[:6]) < len(node):
        return node[int(key[:6])]
    return None


def children(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every direct subschema with its path; data such as `enum` and `default` is not a schema."""
    for word in _MAPS:
        named = schema.get(word)
        if isinstance(named, Mapping):
            yield from (((word, name), child) for name, child in named.items())
    for word in _LISTS:
        several = schema.get(word)
        if isinstance(several, list):
            yield from (((word, index), child) for index, child in enumerate(several))
    for word in _ONE:
        if isinstance(schema.get(word), Mapping):
            yield (word,), schema[word]


class _Walk:
    """Counts subschemas once every reference is followed; each place is counted once."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.known: dict[int, int] = {}
        self.open: set[int] = set()

    def cost(self, node: Any, path: tuple[str | int, ...], depth: int) -> int:
        if not isinstance(node, Mapping):
            return 1
        if id(node) in self.known:
            return self.known[id(node)]
        if id(node) in self.open:
            raise SchemaError(
                "a schema may not refer to itself", path, "spell out the levels needed"
            )
        if depth > DEEPEST:
            raise SchemaError(f"a schema may be at most {DEEPEST} levels deep", path[:8])
        self.open.add(id(node))
        total = 1 + self._ref(node, path, depth)
        for step, child in children(node):
            total += self.cost(child, path + step, depth + 1)
        self.open.discard(id(node))
        return self._keep(node, total, path)

    def _keep(self, node: Mapping[str, Any], total: int, path: tuple[str | int, ...]) -> int:
        if total > LARGEST:
            raise SchemaError(f"a schema may mean at most {LARGEST} subschemas", path[:8])
        self.known[id(node)] = total
        return total

    def _ref(self, node: Mapping[str, Any], path: tuple[str | int, ...], depth: int) -> int:
        for word in _REFUSED:
            if word in node:
                raise SchemaError(f"{word} is not supported", (*path, word), "use $ref")
        if "$id" in node and path:
            raise SchemaError("$id may only stand at the top of a schema", (*path, "$id"))
        ref = node.get("$ref")
        if not isinstance(ref, str):
            return 0
        return self.cost(target(self.root, ref), (*path, "$ref"), depth + 1)
