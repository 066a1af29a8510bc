"""What is certain about a value from the schemas that describe it: its types and properties."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.model import Target, Task, Workflow, WorkflowRef
from engine.core.schema import followed

Schema = Mapping[str, Any]
Look = Callable[[WorkflowRef], Workflow | None]
"""Finds a sub-workflow, None when its output is not known here."""

LOOP_OUTPUT: Schema = {
    "type": "object",
    "properties": {
        "results": {"type": "array"},
        "itemCount": {"type": "integer"},
        "successCount": {"type": "integer"},
        "failureCount": {"type": "integer"},
    },
    "additionalProperties": False,
}
"""What a step with forEach gives."""

_COMBINED = ("allOf", "anyOf", "oneOf", "if", "not")


@dataclass(frozen=True, slots=True)
class Shape:
    """A value that one of several schemas describes; None among them allows anything."""

    schemas: tuple[Schema | None, ...]
    roots: tuple[Schema | None, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[Schema | None, Schema | None], ...]:
        """Each schema with the one that its references point into."""
        return tuple(zip(self.schemas, self.roots or self.schemas, strict=True))

    @property
    def types(self) -> frozenset[str] | None:
        """The types the value can have, None when that is not certain."""
        found: set[str] = set()
        for schema, root in self.pairs:
            part = None if schema is None or root is None else types_of(followed(root, schema))
            if part is None:
                return None
            found |= part
        return frozenset(found) or None

    def at(self, key: str | int) -> "Shape":
        """The shape of a child."""
        parts = [
            (None if schema is None or root is None else _child(followed(root, schema), key), root)
            for schema, root in self.pairs
        ]
        return Shape(tuple(part for part, _ in parts), tuple(root for _, root in parts))


def types_of(part: Schema) -> frozenset[str] | None:
    """The types that a schema allows, None when it does not say.

    >>> sorted(types_of({"type": ["string", "null"]})), types_of({})
    (['null', 'string'], None)
    """
    kind = part.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    return frozenset(kind) if isinstance(kind, list) else None


def property_names(shape: Shape) -> frozenset[str] | None:
    """Every property the value can have, None when it may have others."""
    found: set[str] = set()
    for schema, root in shape.pairs:
        part = None if schema is None or root is None else closed_names(followed(root, schema))
        if part is None:
            return None
        found |= part
    return frozenset(found) if shape.schemas else None


def closed_names(part: Schema) -> frozenset[str] | None:
    """The properties of a closed object schema, None when it is open.

    >>> closed_names({"properties": {"a": {}}, "additionalProperties": False})
    frozenset({'a'})
    """
    properties = part.get("properties")
    if part.get("additionalProperties") is not False or "patternProperties" in part:
        return None
    if any(word in part for word in _COMBINED):
        return None
    return frozenset(properties) if isinstance(properties, Mapping) else frozenset()


def _child(part: Schema, key: str | int) -> Schema | None:
    if isinstance(key, int):
        found = part.get("items")
    else:
        properties = part.get("properties")
        found = properties.get(key) if isinstance(properties, Mapping) else None
    return found if isinstance(found, Mapping) else None


def shape_of_output(target: Target, look: Look) -> Schema | None:
    """The schema of what a target gives, None when nothing is certain."""
    if isinstance(target, Task) and target.output_schema is not None:
        return target.output_schema
    if isinstance(target, Task) and target.transform is not None:
        return {"type": "object", "properties": {"result": {}}, "additionalProperties": False}
    reference = target if isinstance(target, WorkflowRef) else target.workflow
    found = None if reference is None else look(reference)
    return None if found is None else _workflow_output(found)


def _workflow_output(workflow: Workflow) -> Schema | None:
    if workflow.output is None:
        names = [step.id for step in workflow.steps]
    elif isinstance(workflow.output.source, dict):
        names = list(workflow.output.source)
    else:
        return None
    properties: dict[str, Schema] = {name: {} for name in names}
    return {"type": "object", "properties": properties, "additionalProperties": False}
