"""The words of planning: what a planner may look up, what it asks for, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.breaker import BreakerPolicy
from engine.core.errors import Failure
from engine.core.model import Task, Workflow
from engine.core.retry import SECOND, RetryPolicy
from engine.core.value import value

MAX_ITEMS = 10_000
MAX_DEPTH = 16
MAX_STEPS = 100_000
MOST_EXACT = 200
"""Mutations of one forEach that are proposed one by one; more of them are proposed as one."""

MAX_WIDTH = 64
"""How many calls one run may have under way; an unbounded forEach is bounded by it."""

TIMEOUT = 30 * SECOND
"""For an attempt whose document names none."""


class Library(Protocol):
    """Compiled workflows, already at hand."""

    def default(self, namespace: str, name: str) -> Workflow | None:
        """The version that a reference without a version means."""
        ...

    def version(self, namespace: str, name: str, version: str) -> Workflow | None:
        """A named version."""
        ...

    def pinned(self, digest: str) -> Workflow:
        """The version that a run opened earlier."""
        ...

    def accepted(self, workflow: Workflow) -> bool:
        """Whether a person need not accept it first."""
        ...


@value
class Proposal:
    """A mutation that nobody has allowed yet; `definition` is the digest of its workflow.

    A template (`notify[*]`, `loop[*]/charge`) stands for one step of each of `items`. Where it is
    `exact` these are the steps' inputs, else what they are made of.
    """

    path: str
    task: Task
    input: Any
    definition: str
    items: list[Any] | None = None
    exact: bool = False


@value
class Call:
    """One attempt that the shell shall make. `timeout` is in microseconds.

    Of a mutation `of` is the id under which it was granted, `under` the template that is, and
    `again` says that it is a repetition of a send that nobody knows the fate of.
    """

    path: str
    task: Task
    input: Any
    attempt: int
    timeout: int
    retry: RetryPolicy
    breaker: BreakerPolicy | None
    definition: str = ""
    of: str = ""
    under: Proposal | None = None
    again: bool = False


@value
class LookUp:
    """The other system shall be asked whether a send of a mutation happened."""

    path: str
    task: Task
    input: Any
    send: int
    key: str
    retry: RetryPolicy


@dataclass(slots=True)
class Decision:
    """Events to record, calls to make, and when to look again if there are none.

    `proposals` are, by path, mutations that need a grant; they are asked for when nothing else
    is left to be done.
    """

    events: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    looks: list[LookUp] = field(default_factory=list)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    wake_at: int | None = None
    idle: bool = False


@value
class Broken:
    """A step that failed for good."""

    path: str
    failure: Failure


@value
class Scope:
    """A workflow being carried out inside a run."""

    workflow: Workflow
    prefix: str
    input: Any
    loop: Mapping[str, Any] | None = None


Verdict = bool | Broken
"""True: settled. False: still open. Broken: failed for good."""


@dataclass(slots=True)
class Loop:
    """What the planner remembers of a forEach between two looks."""

    items: list[Any]
    following: int = 0
    open: set[int] = field(default_factory=set)
