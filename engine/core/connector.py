"""What a `Connector` document says about a system outside: where it is and how it behaves.

The declarations (effect, reversibility, idempotency, lookup) are made once per operation, here,
so that a task cannot make a promise on another system's behalf (SEMANTICS section 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from engine.core.model import Effect, HttpSpec
from engine.core.retry import RetryPolicy

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Whether sending a call twice does what sending it once does.

    `kind` is none, natural (by its meaning) or key (the system recognises a key in `header`
    within `window` microseconds; `scope` says what the key must be unique in).
    """

    kind: Literal["none", "natural", "key"] = "none"
    header: str = ""
    window: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """How to find out whether a call happened: a read operation of the same connector.

    The answer can be trusted `delay` microseconds after the call; `final` says that a "no" is
    then a proof.
    """

    operation: str
    delay: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a system. `declared` tells whether the document names its effect."""

    name: str
    http: HttpSpec
    effect: Effect
    declared: bool = False
    description: str = ""
    reversible: bool = False
    idempotency: Idempotency = Idempotency()
    lookup: Lookup | None = None
    compare_and_set: bool = False
    not_sent: tuple[int, ...] = ()
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    timeout: int | None = None
    retry: RetryPolicy | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """A system outside. `secrets` maps names to references, never to secrets themselves."""

    namespace: str
    name: str
    base_url: str
    operations: Mapping[str, Operation]
    allowed_hosts: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    description: str = ""
    document: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
