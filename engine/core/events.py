"""What can happen to a run and to a workflow's versions: past tense, flat, JSON-shaped.

These classes are the schema of the journal. A field is added with an upcaster in
`features/`, never renamed in place. Times are microseconds since the epoch; a `path` names a
step (`charge`, `notify[3]`, `checkout/charge`).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.core.errors import Failure
from engine.core.value import value


@value
class RunStarted:
    """A run was created, pinned to one version. `held` says that its creator works on it.

    `requester` is the principal who asked for it, empty for whoever sits at this computer, and
    `channel` how they did.
    """

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
    root_uid: str = ""
    requester: str = ""
    channel: str = ""


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
class MutationsGranted:
    """Operations may be carried out: their digests by id (a step's path, or a template).

    `grant` says by whose word: `apr_...`, `rule:...` or `activation:...`. `templates` says how many
    steps a template covers at most.
    """

    grant: str
    ops: Mapping[str, str]
    templates: Mapping[str, int] = field(default_factory=dict)


@value
class GrantVoided:
    """What was left of a grant is void: the step at `path` would have done something else."""

    grant: str
    path: str
    reason: str


@value
class StepInFlight:
    """A mutation is about to leave the process, at `at`; `grant` names who allowed it.

    `digest` is that of the operation, `send` counts the sends of this step.
    """

    path: str
    attempt: int
    grant: str
    digest: str = ""
    key: str = ""
    send: int = 1
    at: int = 0


@value
class StepUnknown:
    """Nobody knows whether a mutation happened; `reason` is a stable machine word."""

    path: str
    send: int
    reason: str
    at: int
    failure: Failure | None = None


@value
class StepLookedUp:
    """The other system was asked whether a send happened: `yes`, `no` or `unknown`.

    `proven` says whether this counts: a `no` that comes too early does not.
    """

    path: str
    send: int
    verdict: str
    at: int
    proven: bool = False
    failure: Failure | None = None


@value
class StepIndeterminate:
    """The engine cannot find out whether a mutation happened: a person must say."""

    path: str
    reason: str
    at: int


@value
class StepResolved:
    """A person said what became of a mutation: `happened`, `did_not_happen` or `skip`.

    `epoch` is the one that begins with it; `approval` names where it was said.
    """

    path: str
    verdict: str
    output: Any
    by: str
    epoch: int
    at: int
    approval: str = ""


@value
class SendsCarried:
    """The run that this one retries sent a mutation: its key stays the same, from `first_at` on."""

    path: str
    epoch: int
    first_at: int


@value
class TruthConflicted:
    """What is known now contradicts what was said before; a person has to look at it."""

    path: str
    send: int
    said: str
    found: str
    at: int


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
    """Nothing can be done before `wake_at`, or before somebody acts when that is None.

    `approval` is the one that it waits for.
    """

    status: str
    wake_at: int | None
    step: str = ""
    failure: Failure | None = None
    approval: str = ""


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
    | MutationsGranted
    | GrantVoided
    | StepInFlight
    | StepUnknown
    | StepLookedUp
    | StepIndeterminate
    | StepResolved
    | TruthConflicted
    | SendsCarried
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
class VersionAccepted:
    """A person let a version change systems outside; its content is the one that they saw."""

    version: str
    digest: str
    approval: str


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
