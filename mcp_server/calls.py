"""What a tool is: its name, the shapes it takes and gives, honest hints, and a short body.

A tool never sees the protocol: it gets the engine and a `Call` with checked arguments and gives
an `Answer`. Everything a client may rely on stands in one value, from which the listing, the
checks in the gate, the resources and the reference page are made.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import getdoc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mcp_server.shapes import Schema, compact, described, outcomes, record
from mcp_server.wire import Answer

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.approval.plan import Requester

Link = Callable[[str], Awaitable[str]]
"""The address of the page on which an approval is decided; empty where there is none."""

Progress = Callable[[int, int | None, str], Awaitable[None]]
"""Tells the client how many of how many steps are done, in words; None is nobody knows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: checked arguments with their defaults filled in, and who makes it.

    `requester` is whom the transport vouches for, `actor` what the journal calls them.
    `progress` is None when the client did not ask to be told.
    """

    arguments: Mapping[str, Any]
    actor: str
    requester: "Requester"
    link: Link
    progress: Progress | None = None


Body = Callable[["Engine", Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Hints:
    """What a host may assume about a tool before it asks the user. All four are always said."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


READS = Hints(read_only=True, destructive=False, idempotent=True, open_world=False)


@dataclass(frozen=True)
class Tool:
    """A tool, complete. `gives` is the full outcome model; clients are told its compact form.

    `fresh` says that the answer depends on the documents, so that the folders are looked at first.
    """

    name: str
    title: str
    hints: Hints
    takes: Schema
    gives: Schema
    body: Body
    fresh: bool = True
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def description(self) -> str:
        """When to use it, from the body's docstring, on one line."""
        return " ".join((getdoc(self.body) or "").split())

    @cached_property
    def compact(self) -> Schema:
        """The published output schema."""
        return compact(self.gives)


def tool(
    *,
    title: str,
    hints: Hints,
    gives: tuple[Schema, ...],
    takes: Mapping[str, Schema] | None = None,
    needs: tuple[str, ...] = (),
    fresh: bool = True,
) -> Callable[[Body], Tool]:
    """Make a tool of a body. `takes` are its arguments, `needs` those that must be given."""
    arguments = dict(takes or {})
    schema = record({}, {name: _told(part) for name, part in arguments.items()})
    if needs:
        schema["required"] = list(needs)
    defaults = {name: part["default"] for name, part in arguments.items() if "default" in part}

    def make(body: Body) -> Tool:
        name = body.__name__
        outcome = outcomes(*gives)
        return Tool(name, title, hints, schema, outcome, body, fresh, MappingProxyType(defaults))

    return make


def _told(argument: Schema) -> Schema:
    """An argument as clients read it: that nothing is said when it is left out needs no words."""
    default = argument.get("default")
    empty = default in ("", [], {}) or default is False
    return {name: part for name, part in argument.items() if name != "default" or not empty}


def argument(kind: str, description: str, **more: Any) -> Schema:
    """One argument of a tool."""
    return described({"type": kind}, description, **more)
