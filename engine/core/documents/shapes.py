"""What is certain about a value from the schemas that describe it: its types and properties.

A `Part` is one schema seen through its references, with what follows from it worked out once. A
`Shape` is a value that one of several schemas describes, for example the output of a switch.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from engine.core.model import Target, Task, Workflow, WorkflowRef
from engine.core.schema import followed

Schema = Mapping[str, Any]
Types = frozenset[str]
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


class Part:
    """One schema inside `root`, whose references it follows.

    `types` are those that the schema allows, None when it does not say; `properties` the
    described ones with their schemas.
    """

    def __init__(self, root: Schema, schema: Any) -> None:
        self._root = root
        self.schema = followed(root, schema)
        self.types = _types(self.schema.get("type"))
        properties = self.schema.get("properties")
        self.properties: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
        self._children: dict[str, Part] = {}

    @property
    def closed(self) -> bool:
        """Whether the value certainly has no other properties than the described ones."""
        # Only what stands beside it counts: properties that a combination describes are refused.
        if self.schema.get("additionalProperties") is not False:
            return False
        return "patternProperties" not in self.schema

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The properties that must be given: those without a default."""
        names = self.schema.get("required")
        listed = names if isinstance(names, list) else ()
        return tuple(name for name in listed if "default" not in self._schema_of(name))

    @cached_property
    def items(self) -> "Part":
        """What describes the items of a list."""
        return Part(self._root, self.schema.get("items"))

    def child(self, name: str) -> "Part | None":
        """What describes a property, None when nothing does."""
        if name not in self._children:
            if name not in self.properties:
                return None
            self._children[name] = Part(self._root, self.properties[name])
        return self._children[name]

    def _schema_of(self, name: str) -> Schema:
        found = self.child(name)
        return {} if found is None else found.schema


def _types(kind: Any) -> Types | None:
    if isinstance(kind, str):
        return frozenset((kind,))
    return frozenset(kind) if isinstance(kind, list) else None


Shape = tuple[Part | None, ...]
"""A value that one of these describes; None among them allows anything."""


def types_of(shape: Shape) -> Types | None:
    """The types the value can have, None when that is not certain."""
    found: Types = frozenset()
    for part in shape:
        if part is None or part.types is None:
            return None
        found |= part.types
    return found or None


def lacks(shape: Shape, key: str) -> bool:
    """Whether the value certainly has no such property."""
    return bool(shape) and all(
        part is not None and part.closed and key not in part.properties for part in shape
    )


def names_of(shape: Shape) -> frozenset[str]:
    """Every property that is described."""
    return frozenset(name for part in shape if part is not None for name in part.properties)


def child_of(shape: Shape, key: str | int) -> Shape:
    """The shape of a child."""
    if isinstance(key, int):
        return tuple(None if part is None else part.items for part in shape)
    return tuple(None if part is None else part.child(key) for part in shape)


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
