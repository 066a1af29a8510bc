"""What is said beforehand about one call: its request, and how the other system takes it.

A connector says it once per operation, so that a task cannot make a promise on another system's
behalf; a task without a connector says it about itself (SEMANTICS section 1). These are values
and nothing decides here: the ledger asks them whether a call may be sent again, and the plan
shows them to a person. Durations are in microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from engine.core.template import Condition, Template

_EMPTY: Mapping[str, Any] = MappingProxyType({})

Verb = Literal["", "create", "update", "delete", "send", "pay", "call"]
CompareAndSet = Literal["none", "etag", "version", "where"]

_VERBS: Mapping[str, Verb] = MappingProxyType(
    {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
)


def verb_of(method: str) -> Verb:
    """What a mutation does in one word, as far as its HTTP method tells.

    >>> verb_of("PATCH"), verb_of("OPTIONS"), verb_of("")
    ('update', 'call', 'call')
    """
    return _VERBS.get(method, "call")


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """One HTTP request, with templates over `input`. `method` is in capitals.

    A request of a connector has a URL of the form `connector://name/path`; `base` is the base URL
    that the connector declares, which whoever opens the engine may replace by name. `secrets` are
    the names that its templates may use, with references (`secret://...`); `hosts` are those that
    a redirect may lead to, none means any.

    `changes` says that it is sent as a mutation whatever its method, `key_header` carries the
    idempotency key ("" when none does), and what `not_sent` and `atomic_5xx` mean `Declared` says.
    """

    method: str
    url: Template
    headers: Mapping[str, Template] = field(default_factory=lambda: _EMPTY)
    query: Mapping[str, Template] = field(default_factory=lambda: _EMPTY)
    body: Template | None = None
    connector: str = ""
    base: str = ""
    secrets: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    hosts: tuple[str, ...] = ()
    changes: bool = False
    key_header: str = ""
    not_sent: tuple[int, ...] = ()
    atomic_5xx: bool = False


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Whether sending a call twice does what sending it once does.

    `kind` is none, natural (by its meaning) or key: the system recognises a key in `header`
    within `window`; `scope` says what the key must be unique in. With none a `header` carries the
    key all the same, as a reference that a lookup can find, and a second send is a second call.
    """

    kind: Literal["none", "natural", "key"] = "none"
    header: str = ""
    window: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that is made for a mutation. `input` is a template over `input` and `key`.

    Without it the read gets the input of the mutation. `operation` is its name in the connector,
    "" for one that the task wrote itself.
    """

    operation: str
    http: HttpSpec
    input: Template | None = None
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """How to find out whether a call happened.

    `match` decides over `output` (what the read gave), `input` (of the mutation) and `key`;
    `result` makes the output that the mutation would have had, without it that is what was read.
    A "no" counts `delay` after the call at the earliest, and only when it is `final`.
    """

    read: Reading
    match: Condition
    result: Template | None = None
    delay: int = 0
    final: bool = False

    @property
    def http(self) -> HttpSpec:
        """The request of the read."""
        return self.read.http

    @property
    def finality(self) -> int:
        """From when on after the call a "no" is a proof; -1 is never."""
        return self.delay if self.final else -1


@dataclass(frozen=True, slots=True)
class Precondition:
    """A read whose `value` (a template over `output`, `input` and `key`) must not have changed.

    It is made when the plan is and again before each send; without `value` all of it counts.
    """

    read: Reading
    value: Template | None = None

    @property
    def http(self) -> HttpSpec:
        """The request of the read."""
        return self.read.http


@dataclass(frozen=True, slots=True)
class Declared:
    """How a system takes a call. `operation` is `namespace/connector/operation`, or "".

    `verb` is "" for a call that changes nothing. `undo` names the operation that reverses it.
    `not_sent` are statuses that prove that nothing happened; `atomic_5xx` says that every 5xx
    does.
    """

    operation: str = ""
    verb: Verb = ""
    reversible: bool = False
    undo: str = ""
    idempotency: Idempotency = Idempotency()
    lookup: Lookup | None = None
    compare_and_set: CompareAndSet = "none"
    precondition: Precondition | None = None
    not_sent: tuple[int, ...] = ()
    atomic_5xx: bool = False


UNDECLARED = Declared()
"""Of a call about which nothing is said: a second send is a second call, and nothing undoes it."""


def as_change(http: HttpSpec, declared: Declared) -> HttpSpec:
    """The request of a mutation, with what is declared about its sending."""
    return replace(
        http,
        changes=True,
        key_header=declared.idempotency.header,
        not_sent=declared.not_sent,
        atomic_5xx=declared.atomic_5xx,
    )
