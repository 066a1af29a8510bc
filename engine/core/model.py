"""What a workflow is once its document has been read: frozen, compiled, ready to plan.

The parser (`definition.py`) makes these values from documents, the planner (`plan.py`) reads
them, and nobody changes them. Durations are in microseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from engine.core.breaker import BreakerPolicy
from engine.core.declared import UNDECLARED, Declared, HttpSpec
from engine.core.retry import RetryPolicy
from engine.core.template import Condition, Template
from engine.core.transform import Transform
from engine.core.value import value

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Effect(StrEnum):
    """What a task does to the world (SEMANTICS section 1)."""

    PURE = "pure"
    READ = "read"
    MUTATION = "mutation"


STRENGTH: Mapping[Effect, int] = MappingProxyType(
    {Effect.PURE: 0, Effect.READ: 1, Effect.MUTATION: 2}
)


def strongest(*effects: Effect) -> Effect:
    """The effect of a whole is the strongest effect of its parts."""
    return max(effects, key=STRENGTH.__getitem__, default=Effect.PURE)


TaskType = Literal["http", "transform", "workflow", "python", "sleep"]


@dataclass(frozen=True, slots=True)
class WorkflowRef:
    """`[namespace/]name[@version]`, with the namespace filled in; `version` None is the default."""

    namespace: str
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A `WorkflowTask` document. Exactly one of the five bodies is set, as `type` says.

    `declared` is how the system that it calls takes the call.
    """

    namespace: str
    name: str
    type: TaskType
    effect: Effect
    description: str = ""
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    http: HttpSpec | None = None
    transform: Transform | None = None
    python: str | None = None
    sleep: Template | None = None
    workflow: WorkflowRef | None = None
    timeout: int | None = None
    retry: RetryPolicy | None = None
    category: str = ""
    tags: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    declared: Declared = UNDECLARED


Target = Task | WorkflowRef
"""What a step carries out."""


@dataclass(frozen=True, slots=True)
class Case:
    """One arm of a switch; `match` None is the default arm. Values are compared as text."""

    match: str | None
    target: Target


@dataclass(frozen=True, slots=True)
class Switch:
    """The first case whose text equals the value's text; the default is last, if there is one."""

    value: Template
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """Carry the step out once per item. `limit` is how many at a time; None is unbounded."""

    items: Template
    item_var: str = "item"
    index_var: str = "index"
    limit: int | None = 1


@dataclass(frozen=True, slots=True)
class Fallback:
    """What to carry out when the step has failed for good."""

    target: Target
    input: Template | None = None


@value
class Step:
    """One node of a workflow. `depends` holds declared and implied dependencies, sorted."""

    id: str
    target: Target | None
    input: Template
    depends: tuple[str, ...] = ()
    condition: Condition | None = None
    switch: Switch | None = None
    for_each: ForEach | None = None
    timeout: int | None = None
    retry: RetryPolicy | None = None
    breaker: BreakerPolicy | None = None
    fallback: Fallback | None = None


def targets_of(step: Step) -> Iterable[Target]:
    """Everything that a step may carry out, a switch's arms before its own target."""
    if step.switch is not None:
        yield from (case.target for case in step.switch.cases)
    elif step.target is not None:
        yield step.target
    if step.fallback is not None:
        yield step.fallback.target


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example from the document's author."""

    name: str
    description: str = ""
    input: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    expected_output: Any = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Workflow:
    """A `Workflow` document with every task it refers to, compiled.

    `version` is None when the document declares none. `digest` is the SHA-256 (hex) of the
    canonical `bundle`: the document and the task documents it uses, so that a version pins all
    that its runs need. `steps` are in topological order, ties in document order. `groups` are
    the ids that can run side by side, level by level, and `levels` the steps themselves.
    `concurrency` is how many of its runs may be worked on at a time; 0 is as many as there is
    room for.
    """

    namespace: str
    name: str
    version: str | None
    digest: str
    description: str
    input_schema: Mapping[str, Any]
    steps: tuple[Step, ...]
    groups: tuple[tuple[str, ...], ...]
    output: Template | None
    effect: Effect
    timeout: int | None = None
    concurrency: int = 0
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    bundle: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    levels: tuple[tuple[Step, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps = {step.id: step for step in self.steps}
        levels = tuple(tuple(steps[name] for name in group) for group in self.groups)
        object.__setattr__(self, "levels", levels)
