"""The shape that `--json` prints: the engine's values in camelCase, times in RFC 3339.

One rule makes every shape, so that no command has its own: the fields of a value get camelCase
names, its times become text, a span becomes `…Ms`, and JSON that belongs to a workflow (inputs,
outputs, documents) passes through with its own keys. No field is ever left out.
"""

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from mcp_server.words import rfc3339

TIMES = frozenset(
    {
        "again_at",
        "at",
        "covered_at",
        "created_at",
        "decided_at",
        "deadline",
        "ended_at",
        "expires_at",
        "given_at",
        "last_at",
        "published_at",
        "requested_at",
        "revoked_at",
        "seen_at",
        "since",
        "started_at",
        "wake_at",
    }
)
"""Fields that hold microseconds since the epoch; 0 is no time, as None is."""

SPANS = frozenset({"retry_after"})
"""Fields that hold a span in microseconds; shown in milliseconds."""


def camel(name: str) -> str:
    """`whose_move` in the spelling of the wire.

    >>> camel("whose_move"), camel("id")
    ('whoseMove', 'id')
    """
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def shape(value: Any) -> Any:
    """A value of the engine, or anything made of them, as plain JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        return dict(_member(name, getattr(value, name)) for name in fields)
    if isinstance(value, Mapping):
        return {str(key): shape(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(shape(item) for item in value)
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    if isinstance(value, Enum):
        return shape(value.value)
    return str(value) if isinstance(value, PurePath) else value


def _member(name: str, value: Any) -> tuple[str, Any]:
    if name in TIMES:
        return camel(name), rfc3339(value) if value else None
    if name in SPANS:
        return camel(name) + "Ms", None if value is None else value / 1_000
    return camel(name), shape(value)


def to_json(value: Any) -> str:
    """One JSON value on one or more lines, in ASCII: it can drive no terminal.

    >>> print(to_json({"name": "\\x9b\\u202e"}))
    {
      "name": "\\u009b\\u202e"
    }
    """
    return json.dumps(shape(value), indent=2, ensure_ascii=True).replace("\x7f", "\\u007f")
