"""What the engine shows to whoever asks: frozen values without behaviour.

The protocol layer and the terminal translate these into their own shapes; nothing in the
engine reads them back. Times and durations are in microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.errors import Failure, Move
from engine.core.model import Effect, Example
from engine.core.status import StepStatus
from engine.core.value import value

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a document: where it is and what to do. `line` counts from 1, 0 unknown.

    `path` is a dotted path inside the document (`spec.tasks[2].taskRef`), `subject` is
    `Kind namespace/name` when it is known.
    """

    file: str
    line: int
    path: str
    severity: Severity
    code: str
    message: str
    hint: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class InputField:
    """One input of a workflow. `generated` says that the description is ours."""

    name: str
    type: str
    required: bool
    description: str
    default: Any = None
    enum: tuple[Any, ...] = ()
    generated: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """A workflow as a list shows it."""

    namespace: str
    name: str
    version: str
    description: str
    effect: Effect
    pending: bool
    deprecated: bool
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    inputs: tuple[InputField, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class StepInfo:
    """A step as the details show it. `target` is `namespace/name`, or several for a switch."""

    id: str
    targets: tuple[str, ...]
    type: str
    effect: Effect
    depends: tuple[str, ...]
    condition: str = ""
    for_each: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a workflow with its run counts by status."""

    namespace: str
    name: str
    version: str
    digest: str
    is_default: bool
    pinned: bool
    deprecated: bool
    pending: bool
    effect: Effect
    published_at: int
    runs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WorkflowDetails:
    """Everything a reader needs to run a workflow."""

    info: WorkflowInfo
    input_schema: Mapping[str, Any]
    output: Mapping[str, Any]
    steps: tuple[StepInfo, ...]
    groups: tuple[tuple[str, ...], ...]
    examples: tuple[Example, ...]
    versions: tuple[VersionInfo, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """A task as a list shows it. `used_by` names workflows."""

    namespace: str
    name: str
    type: str
    effect: Effect
    description: str
    category: str
    tags: tuple[str, ...]
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What a dry run says about one step. `would` is in words; `decided` is False while unknown."""

    id: str
    target: str
    effect: Effect
    would: Literal["run", "skip", "depends"]
    reason: str
    input: Any
    request: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do; nothing was recorded and nothing was called."""

    workflow: WorkflowInfo
    valid: bool
    steps: tuple[PlannedStep, ...]
    groups: tuple[tuple[str, ...], ...]
    mutations: int
    output: Any
    missing: tuple[InputField, ...] = ()
    invalid: tuple["InvalidInput", ...] = ()


@dataclass(frozen=True, slots=True)
class InvalidInput:
    """An input that has the wrong type or value."""

    name: str
    type: str
    description: str
    error: str
    received: str


@value
class AttemptView:
    """One attempt of a step."""

    attempt: int
    started_at: int | None
    ended_at: int
    failure: Failure | None
    again_at: int | None = None


@value
class SendView:
    """One send of a mutation: when, by whose word (`apr_...`, `rule:...`), under which key."""

    send: int
    attempt: int
    at: int
    grant: str
    key: str


@value
class LookupView:
    """What the other system said when it was asked; `proven` says whether that counts."""

    at: int
    verdict: str
    proven: bool
    failure: Failure | None


@value
class OutcomeView:
    """What is known of a mutation that was sent.

    `state` is that of its step. `verdict` is what a person said of it, and `by` who that was;
    `incidents` tell what contradicted that later.
    """

    state: str
    reason: str
    sends: tuple[SendView, ...]
    lookups: tuple[LookupView, ...] = ()
    failure: Failure | None = None
    verdict: str = ""
    by: str = ""
    approval: str = ""
    incidents: tuple[str, ...] = ()

    @property
    def grant(self) -> str:
        """By whose word it was sent last."""
        return self.sends[-1].grant if self.sends else ""

    @property
    def sent_at(self) -> int:
        """When it was sent last."""
        return self.sends[-1].at if self.sends else 0

    @property
    def key(self) -> str:
        """What the other system recognises it by; empty where it does not."""
        return self.sends[-1].key if self.sends else ""


@value
class StepView:
    """One step of a run: where it stands and every attempt so far.

    `outcome` is there for a mutation that was sent.
    """

    path: str
    target: str
    status: StepStatus
    attempts: tuple[AttemptView, ...]
    output: Any = None
    note: str = ""
    outcome: OutcomeView | None = None


@value
class RunView:
    """A run as a reader sees it. `output` is partial unless the status is `completed`.

    `approval` is the id of the approval that a run in `paused:approval` waits for.
    """

    id: str
    namespace: str
    workflow: str
    version: str
    kind: str
    status: str
    whose_move: Move
    next_step: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    wake_at: int | None
    deadline: int | None
    actor: str
    input: Any
    output: Any
    steps: tuple[StepView, ...]
    failed_step: str = ""
    failure: Failure | None = None
    retry_of: str = ""
    retried_by: str = ""
    reused: bool = False
    approval: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as a list shows it."""

    id: str
    namespace: str
    workflow: str
    version: str
    kind: str
    status: str
    whose_move: Move
    created_at: int
    ended_at: int | None
    wake_at: int | None
    failed_step: str
    failure_kind: str
    failure_code: str
    retry_of: str


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Runs that failed in the same way."""

    workflow: str
    step: str
    kind: str
    code: str
    count: int
    last_at: int
    last_run: str


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; empty means all. `status` may be a family such as `failed`."""

    workflow: str = ""
    version: str = ""
    status: str = ""
    kind: str = ""
    whose_move: str = ""
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first; `cursor` is empty on the last page."""

    rows: tuple[RunRow, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Health:
    """What `doctor` reports: one named check with its result and what to do."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker as a list shows it. `state` is `working`, `draining` or `stale`.

    `held` is how many runs it has leases of now, of `capacity` that it would take. `version` is
    Handrail's, `release` what its owner says of the code it runs.
    """

    name: str
    host: str
    pid: int
    state: str
    held: int
    capacity: int
    version: str
    python: str
    release: str
    started_at: int
    seen_at: int
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Crew:
    """Everybody who works on a database; `working` is how many of them take up runs.

    `waiting_since` is when the run that waits longest was due, `advice` what a person should do.
    """

    workers: tuple[WorkerView, ...]
    working: int
    waiting_since: int | None = None
    advice: str = ""
