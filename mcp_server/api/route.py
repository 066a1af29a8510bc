"""What a route of the HTTP API is, and how the arguments of a request are read.

Arguments come from the path, the query and the body, and are one object held against one schema,
exactly as those of a tool are. In a query everything is text: the schema says what it is meant to
be, and what it cannot be stays text, so that the refusal names it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mcp_server.calls import Call
from mcp_server.shapes import Schema, record

if TYPE_CHECKING:
    from engine.app.engine import Engine

PREFIX = "/api/v1"
"""What every path begins with. A breaking change gets a new number."""

Body = Callable[["Engine", Call], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `name` says it as `GET /api/v1/...`; `takes` is the schema of its arguments."""

    method: str
    path: str
    scope: str
    takes: Schema
    body: Body
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"


def route(
    method: str,
    path: str,
    *,
    scope: str,
    takes: Mapping[str, Schema] | None = None,
    needs: Iterable[str] = (),
) -> Callable[[Body], Route]:
    """Make a route of a body. `path` comes behind `/api/v1`; `needs` must be given."""
    arguments = dict(takes or {})
    schema = record({}, arguments)
    if needs:
        schema["required"] = list(needs)
    defaults = {name: part["default"] for name, part in arguments.items() if "default" in part}

    def make(body: Body) -> Route:
        return Route(method, PREFIX + path, scope, schema, body, MappingProxyType(defaults))

    return make


def arguments(
    takes: Schema,
    path: Mapping[str, str],
    query: Iterable[tuple[str, str]],
    body: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that a request says, by name. The path wins over the query, the query over the
    body, so that what was looked at last is not what an address hides.

    >>> arguments({"properties": {"n": {"type": "integer"}}}, {}, [("n", "7")], {})
    {'n': 7}
    >>> arguments({"properties": {"t": {"type": "array"}}}, {}, [("t", "a,b"), ("t", "c")], {})
    {'t': ['a', 'b', 'c']}
    """
    parts: Mapping[str, Any] = takes["properties"]
    read: dict[str, Any] = {}
    for name, text in query:
        found = _meant(text, parts.get(name, {}).get("type", "string"))
        earlier = read.get(name)
        more = isinstance(found, list) and isinstance(earlier, list)
        read[name] = earlier + found if more else found
    return {**body, **read, **path}


def _meant(text: str, kind: str) -> Any:
    """What a text of a query stands for, or the text where it stands for nothing of the kind."""
    if kind == "array":
        return [word.strip() for word in text.split(",") if word.strip()]
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "integer" and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text) if len(text) < 18 else text
    return text
