"""What is known of a run: its steps, its loops, what it may change outside and what it has sent.

These are the values that folding a history fills (`run.py`, `ledger.py`) and that the planner
reads. They own themselves: whoever folds changes them in place. Times are in microseconds.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core import events as ev
from engine.core.errors import Failure
from engine.core.status import TERMINAL, Status

FALLBACK = "~fallback"
"""What is added to a step's path to name the step that stands in for it."""

StepStatus = Literal[
    "waiting", "in_flight", "unknown", "indeterminate", "done", "skipped", "failed"
]
UNRESOLVED = frozenset({"in_flight", "unknown", "indeterminate"})
"""A mutation that was sent, and of which nobody knows yet what became."""

SETTLED = frozenset({"done", "skipped", "failed"})


@dataclass(slots=True)
class StepState:
    """Where one step stands."""

    status: StepStatus = "waiting"
    attempt: int = 0
    output: Any = None
    again_at: int = 0
    first_at: int = 0
    failure: Failure | None = None


@dataclass(slots=True)
class LoopState:
    """How far a forEach step is. `results` are by index; missing ones are not settled."""

    count: int
    results: dict[int, Any] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)


@dataclass(slots=True)
class Granted:
    """What one operation of a claimed plan allows. `most` bounds a template's `paths`."""

    grant: str
    digest: str
    most: int = 0
    paths: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Sending:
    """What is known of the sends of one mutation.

    `send` counts all of them, `tries` those since the last word of a person (which makes a new
    `epoch`, and with it a new key). `doubt` says that what became of an earlier one is open.
    `looks` are look-ups, `noes` those that could prove that nothing happened. `word` is what a
    person said in the end.
    """

    grant: str = ""
    digest: str = ""
    key: str = ""
    send: int = 0
    epoch: int = 0
    tries: int = 0
    first_at: int = 0
    sent_at: int = 0
    doubt: bool = False
    reason: str = ""
    since: int = 0
    looks: int = 0
    noes: int = 0
    word: str = ""


@dataclass(slots=True)
class Run:
    """A run, as far as its history tells. `tasks` holds, per scope prefix, what templates see."""

    uid: str = ""
    root: str = ""
    namespace: str = ""
    workflow: str = ""
    version: str = ""
    digest: str = ""
    status: Status = Status.PENDING
    input: Any = None
    output: Any = None
    deadline: int | None = None
    retry_of: int | None = None
    retried_by: str = ""
    failed_step: str = ""
    failure: Failure | None = None
    approval: str = ""
    steps: dict[str, StepState] = field(default_factory=dict)
    loops: dict[str, LoopState] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    scopes: dict[str, ev.ScopeOpened] = field(default_factory=dict)
    tasks: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"": {}})
    grants: dict[str, Granted] = field(default_factory=dict)
    sends: dict[str, Sending] = field(default_factory=dict)
    unresolved: set[str] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """Whether it never moves again."""
        return self.status in TERMINAL


def split(path: str) -> tuple[str, str, int | None]:
    """Scope prefix, step id and item index of a path.

    >>> split("checkout/notify[3]")
    ('checkout/', 'notify', 3)
    >>> split("charge")
    ('', 'charge', None)
    """
    head, slash, tail = path.rpartition("/")
    name, bracket, rest = tail.partition("[")
    if not bracket or path.endswith(FALLBACK):
        return head + slash, tail, None
    return head + slash, name, int(rest[:-1])


def settle(
    run: Run, path: str, status: StepStatus, output: Any, failure: Failure | None = None
) -> StepState:
    """Bring a step to its end, where templates and its loop see it."""
    step = run.steps.get(path)
    if step is None:
        step = run.steps[path] = StepState()
    elif run.unresolved:
        run.unresolved.discard(path)
    step.status, step.output = status, output
    prefix, name, index = split(path) if path[-1] == "]" or "/" in path else ("", path, None)
    if index is None:
        run.tasks[prefix][name] = {"output": output, "status": status}
        return step
    loop = run.loops[path[: path.rindex("[")]]
    if failure is None:
        loop.failed.pop(index, None)
        loop.results[index] = output
    else:
        loop.failed[index] = failure
    return step
