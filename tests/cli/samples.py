"""Values of the engine made by hand, for everything that only paints them."""

from dataclasses import replace

from engine.core.errors import Failure, Kind, Move
from engine.core.model import Effect, Example
from engine.core.views import (
    AttemptView,
    Crew,
    DryRun,
    FailureGroup,
    Health,
    InputField,
    InvalidInput,
    PlannedStep,
    Problem,
    RunPage,
    RunRow,
    RunView,
    StepInfo,
    StepView,
    VersionInfo,
    WorkerView,
    WorkflowDetails,
    WorkflowInfo,
)

SECOND = 1_000_000
ZERO = 1_795_262_651_000_000
"""2026-11-21T12:04:11Z"""

NOW = ZERO + 125 * SECOND
ID = "019aa626-6f78-7c3e-9b1a-0c5d2e8f4a71"
OTHER = "019aa626-8a11-7d02-8f6e-5b9c1d3e7f20"

USER = InputField("userId", "integer", True, "The user's number")
VERBOSE = InputField("verbose", "boolean", False, "verbose (boolean)", False, generated=True)
TIER = InputField("tier", "string", False, "Which tier", None, ("free", "gold"))

INFO = WorkflowInfo(
    namespace="demo",
    name="user-profile",
    version="1.2.0",
    description="The profile of one user with preferences and the latest orders.",
    effect=Effect.READ,
    pending=False,
    deprecated=False,
    categories=("users",),
    tags=("profile", "read-only"),
    inputs=(USER, VERBOSE, TIER),
    steps=3,
)
REFUND = replace(
    INFO,
    name="refund-order",
    version="2.0.1",
    description="Pay a customer back.",
    effect=Effect.MUTATION,
    pending=True,
)
GREETING = replace(
    INFO, namespace="default", name="greet", version="1.0.0", description="", inputs=(), steps=1
)

BUSY = Failure(Kind.TRANSIENT, "http_503", "the orders service answered 503 Service Unavailable")
GONE = Failure(
    Kind.PERMANENT,
    "http_404",
    "there is no order 17",
    "Check the order's number.",
    cause=("StepError", "HTTPStatus"),
)


def attempt(
    number: int, start: int, end: int, failure: Failure | None = None, again: int | None = None
) -> AttemptView:
    """One attempt; times are milliseconds from the run's creation."""
    again_at = None if again is None else ZERO + again * 1_000
    return AttemptView(number, ZERO + start * 1_000, ZERO + end * 1_000, failure, again_at)


DONE = StepView("get-user", "demo/get-user", "done", (attempt(1, 2, 37),), {"name": "Ada"})
FLAKY = StepView(
    "get-orders",
    "demo/get-orders",
    "done",
    (attempt(1, 40, 52, BUSY, 152), attempt(2, 152, 160, BUSY, 360), attempt(3, 360, 391)),
    [{"id": 17}],
)
SKIPPED = StepView("notify", "demo/notify", "skipped", (), None, "its condition was false")
FAILED = StepView("get-order", "demo/get-order", "failed", (attempt(1, 40, 61, GONE),))
RUNNING = StepView("slow", "demo/slow", "running", (attempt(1, 40, 61, BUSY, 261),))
WAITING = StepView("last", "demo/last", "waiting", ())

COMPLETED = RunView(
    id=ID,
    namespace="demo",
    workflow="user-profile",
    version="1.2.0",
    kind="workflow",
    status="completed",
    whose_move=Move.NONE,
    next_step="",
    created_at=ZERO,
    started_at=ZERO + 1_000,
    ended_at=ZERO + 395_000,
    wake_at=None,
    deadline=None,
    actor="terminal:ann",
    input={"userId": 3},
    output={"name": "Ada", "orders": 1},
    steps=(DONE, FLAKY, SKIPPED),
)
BROKEN = replace(
    COMPLETED,
    id=OTHER,
    workflow="order-summary",
    status="failed:exhausted",
    whose_move=Move.PERSON,
    next_step="Find out why it failed; retry when it is solved.",
    output={"user": "Ada"},
    steps=(DONE, FAILED),
    failed_step="get-order",
    failure=GONE,
)
UNDER_WAY = replace(
    COMPLETED,
    status="paused:retry",
    whose_move=Move.CLOCK,
    next_step="Wait: the step is tried again by itself.",
    ended_at=None,
    wake_at=NOW + 3 * SECOND,
    output={},
    steps=(DONE, RUNNING, WAITING),
)


def row(run: RunView) -> RunRow:
    """The row that a list would show for a run."""
    failure = run.failure
    return RunRow(
        run.id, run.namespace, run.workflow, run.version, run.kind, run.status, run.whose_move,
        run.created_at, run.ended_at, run.wake_at, run.failed_step,
        str(failure.kind) if failure else "", failure.code if failure else "", run.retry_of,
    )  # fmt: skip


PAGE = RunPage((row(COMPLETED), row(BROKEN), row(UNDER_WAY)), "")
GROUPS = (
    FailureGroup("demo/order-summary", "get-order", "permanent", "http_404", 12, ZERO, OTHER),
    FailureGroup("demo/refund-order", "pay", "timeout", "timeout", 1, ZERO - SECOND, ID),
)
VERSIONS = (
    VersionInfo("demo", "user-profile", "1.1.0", "d1", False, False, True, False, Effect.READ,
                ZERO - 86_400 * SECOND, {"completed": 41, "failed:logic": 2}),
    VersionInfo("demo", "user-profile", "1.2.0", "d2", True, True, False, False, Effect.READ,
                ZERO, {}),
    VersionInfo("demo", "user-profile", "2.0.0", "d3", False, False, False, True, Effect.MUTATION,
                ZERO, {}),
)  # fmt: skip
DETAILS = WorkflowDetails(
    info=INFO,
    input_schema={"type": "object"},
    output={"name": "{{tasks.get-user.output.name}}"},
    steps=(
        StepInfo("get-user", ("demo/get-user",), "http", Effect.READ, ()),
        StepInfo("get-orders", ("demo/get-orders",), "http", Effect.READ, ("get-user",)),
        StepInfo("notify", ("demo/mail", "demo/push"), "http", Effect.MUTATION, ("get-user",),
                 "input.verbose == true", "{{tasks.get-orders.output}}"),
    ),
    groups=(("get-user",), ("get-orders", "notify")),
    examples=(Example("ada", "", {"userId": 3}),),
    versions=VERSIONS,
    document={},
)  # fmt: skip
PLAN = DryRun(
    workflow=INFO,
    valid=True,
    steps=(
        PlannedStep("get-user", "demo/get-user", Effect.READ, "run", "", {"id": 3},
                    "GET http://127.0.0.1:8766/users/3"),
        PlannedStep("get-orders", "demo/get-orders", Effect.READ, "depends",
                    "its input needs the output of get-user", None),
        PlannedStep("notify", "demo/mail", Effect.MUTATION, "skip", "its condition is false", None),
    ),
    groups=(("get-user",), ("get-orders", "notify")),
    mutations=1,
    output={"name": "?"},
)  # fmt: skip
BAD_PLAN = replace(
    PLAN,
    valid=False,
    missing=(USER,),
    invalid=(InvalidInput("tier", "string", "Which tier", "is not one of free, gold", '"iron"'),),
)
PROBLEMS = (
    Problem("orders/refund.yaml", 12, "spec.tasks[2].taskRef", "error", "unknown_task",
            "there is no task 'get-usr'", "did you mean 'get-user'?", "Workflow demo/refund"),
    Problem("orders/refund.yaml", 3, "spec.input.id", "warning", "no_description",
            "this input has no description", "", "Workflow demo/refund"),
    Problem("", 0, "metadata.version", "error", "version_clash",
            "version 1.0.0 was already published with other content"),
)  # fmt: skip
CREW = Crew(
    (
        WorkerView("web", "ann-pc", 4711, "working", 3, 64, "0.1.0", "3.11.7", "",
                   ZERO - 7_200 * SECOND, NOW - 2 * SECOND),
        WorkerView("w-2", "build-7", 20933, "draining", 1, 8, "0.1.0", "3.12.1", "git-4f2a91c",
                   ZERO, NOW - 9 * SECOND, "takes nothing more up"),
        WorkerView("w-3", "build-7", 20941, "stale", 8, 8, "0.1.0", "3.12.1", "git-4f2a91c",
                   ZERO, NOW - 95 * SECOND, "silent for too long; the others take its runs over"),
    ),
    working=1,
    waiting_since=ZERO,
    advice="Runs are due and no worker takes them up. Start one: handrail worker",
)  # fmt: skip
CHECKS = (
    Health("python", True, "3.11.7"),
    Health("sqlite", True, "3.40.1: older than 3.51.3", "Handrail lets one process write."),
    Health("documents", False, "/etc/flows: 2 errors", "Run `handrail check FOLDER`."),
)
