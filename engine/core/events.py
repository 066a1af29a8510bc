"""What can happen to a run and to a workflow's versions: past tense, flat, JSON-shaped.

These classes are the schema of the journal. A field is added with an upcaster in
`features/`, never renamed in place. Times are microseconds since the epoch; a `path` names a
step (`charge`, `notify[3]`, `checkout/charge`).
"""

from collections.abc import Mapping
from typing import Any

from engine.core.errors import Failure
from engine.core.value import value


@value
class RunStarted:
    """A run was created, pinned to one version. `held` says that its creator works on it."""

    uid: str
    namespace: str
    workflow: str
    version: str
    digest: str
    kind: str
    input: Any
    held: bool
    key: str = ""
    input_digest: str = ""
    deadline: int | None = None
    retry_of: int | None = None
    root: int | None = None


@value
class RunResumed:
    """A worker took the run up, for the first time or after a pause."""


@value
class ScopeOpened:
    """A step began a sub-workflow, pinned to one version for the rest of the run."""

    path: str
    namespace: str
    workflow: str
    version: str
    digest: str


@value
class LoopOpened:
    """A forEach step fixed how many items it has."""

    path: str
    count: int


@value
class LoopClosed:
    """Every item of a forEach step is settled; its output is made of theirs."""

    path: str


@value
class TimerSet:
    """A sleep step fixed when it ends."""

    path: str
    wake_at: int


@value
class StepInFlight:
    """A mutation is about to leave the process; `grant` names who allowed it."""

    path: str
    attempt: int
    grant: str


@value
class StepSucceeded:
    """A step returned; its output is remembered and never computed again.

    `source` is empty for a call, `copied` for a result taken over from the run that this one
    retries, `fallback` for the result of a fallback.
    """

    path: str
    output: Any
    attempt: int
    target: str
    started_at: int
    source: str = ""


@value
class StepFailed:
    """An attempt failed; `again_at` is None when there will be no other."""

    path: str
    attempt: int
    target: str
    failure: Failure
    started_at: int
    again_at: int | None = None


@value
class StepSkipped:
    """A step was not needed."""

    path: str
    reason: str


@value
class RunPaused:
    """Nothing can be done before `wake_at`, or before somebody acts when that is None."""

    status: str
    wake_at: int | None
    step: str = ""
    failure: Failure | None = None


@value
class RunCompleted:
    """The run ended well."""

    output: Any


@value
class RunFailed:
    """The run ended badly; `status` says how."""

    status: str
    step: str
    failure: Failure


@value
class RunCancelled:
    """Somebody asked the run to stop, and it did."""

    reason: str


@value
class RunRetried:
    """A new run took this one's place; a paused run ends here."""

    by: str


RunEvent = (
    RunStarted
    | RunResumed
    | ScopeOpened
    | LoopOpened
    | LoopClosed
    | TimerSet
    | StepInFlight
    | StepSucceeded
    | StepFailed
    | StepSkipped
    | RunPaused
    | RunCompleted
    | RunFailed
    | RunCancelled
    | RunRetried
)


@value
class VersionPublished:
    """A version of a workflow became available; it is immutable from now on."""

    namespace: str
    name: str
    version: str
    digest: str
    effect: str
    pending: bool
    bundle: Mapping[str, Any]


@value
class DefaultSet:
    """One version became the default; `pinned` says that a person chose it."""

    version: str
    pinned: bool


@value
class VersionDeprecated:
    """A version takes no new runs unless it is asked for; `undone` takes that back."""

    version: str
    undone: bool


@value
class BreakerMoved:
    """A circuit breaker changed its state."""

    key: str
    circuit: str
