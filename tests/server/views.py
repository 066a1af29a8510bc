"""Hypothesis strategies for everything the engine can show."""

from typing import Any, get_args

from hypothesis import strategies as st

from engine.core.errors import Failure, Kind, Move
from engine.core.model import Effect, Example
from engine.core.status import Status, StepStatus, next_step, whose_move
from engine.core.views import (
    AttemptView,
    DryRun,
    FailureGroup,
    InputField,
    InvalidInput,
    LookupView,
    OutcomeView,
    PlannedStep,
    Problem,
    RunRow,
    RunView,
    SendView,
    StepInfo,
    StepView,
    TaskInfo,
    VersionInfo,
    WorkflowDetails,
    WorkflowInfo,
)

TEXT = st.text(max_size=30).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)
NAMESPACES = st.sampled_from(["default", "billing"])
TIMES = st.integers(0, 4 * 10**15)
MAYBE_TIMES = st.none() | TIMES
VERSIONS = st.sampled_from(["1.0.0", "2.1.3", "0.0.1-beta"])
IDS = st.sampled_from(["018bcfe5-6800-7000-8000-000000000000"])
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)


def tuples(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=most).map(tuple)


failures = st.builds(
    Failure,
    kind=st.sampled_from(Kind),
    code=NAMES,
    message=TEXT,
    hint=TEXT,
    retry_after=MAYBE_TIMES,
    cause=tuples(TEXT),
    details=OBJECTS,
)
fields = st.builds(
    InputField,
    name=TEXT,
    type=st.sampled_from(["string", "integer", "object"]),
    required=st.booleans(),
    description=TEXT,
    default=JSON,
    enum=tuples(JSON),
)
invalids = st.builds(
    InvalidInput, name=TEXT, type=TEXT, description=TEXT, error=TEXT, received=TEXT
)
infos = st.builds(
    WorkflowInfo,
    namespace=NAMESPACES,
    name=NAMES,
    version=VERSIONS,
    description=TEXT,
    effect=st.sampled_from(Effect),
    pending=st.booleans(),
    deprecated=st.booleans(),
    categories=tuples(TEXT),
    tags=tuples(TEXT),
    inputs=tuples(fields),
    steps=st.integers(0, 9),
)
attempts = st.builds(
    AttemptView,
    attempt=st.integers(1, 9),
    started_at=MAYBE_TIMES,
    ended_at=TIMES,
    failure=st.none() | failures,
    again_at=MAYBE_TIMES,
)
sends = st.builds(
    SendView,
    send=st.integers(1, 3),
    attempt=st.integers(1, 3),
    at=TIMES,
    grant=st.sampled_from(["apr_1", "rule:small"]),
    key=TEXT,
)
lookups = st.builds(
    LookupView,
    at=TIMES,
    verdict=st.sampled_from(["yes", "no", "unknown"]),
    proven=st.booleans(),
    failure=st.none() | failures,
)
outcomes = st.builds(
    OutcomeView,
    state=st.sampled_from(["in_flight", "unknown", "indeterminate", "done"]),
    reason=TEXT,
    sends=tuples(sends),
    lookups=tuples(lookups),
    failure=st.none() | failures,
    verdict=st.sampled_from(["", "happened", "did_not_happen", "skip"]),
    by=TEXT,
    incidents=tuples(TEXT),
)
steps = st.builds(
    StepView,
    path=NAMES,
    target=NAMES,
    status=st.sampled_from(get_args(StepStatus)),
    attempts=tuples(attempts),
    output=JSON,
    note=TEXT,
    outcome=st.none() | outcomes,
)


@st.composite
def runs(draw: st.DrawFn) -> RunView:
    status = draw(st.sampled_from(Status))
    return RunView(
        id=draw(IDS),
        namespace=draw(NAMESPACES),
        workflow=draw(NAMES),
        version=draw(VERSIONS),
        kind="workflow",
        status=status.value,
        whose_move=whose_move(status),
        next_step=next_step(status),
        created_at=draw(TIMES),
        started_at=draw(MAYBE_TIMES),
        ended_at=draw(MAYBE_TIMES),
        wake_at=draw(MAYBE_TIMES),
        deadline=draw(MAYBE_TIMES),
        actor=draw(TEXT),
        input=draw(JSON),
        output=draw(JSON),
        steps=draw(tuples(steps)),
        failed_step=draw(TEXT),
        failure=draw(st.none() | failures),
        retry_of=draw(st.just("") | IDS),
        retried_by=draw(st.just("") | IDS),
        reused=draw(st.booleans()),
    )


rows = st.builds(
    RunRow,
    id=IDS,
    namespace=NAMESPACES,
    workflow=NAMES,
    version=VERSIONS,
    kind=st.just("workflow"),
    status=st.sampled_from([status.value for status in Status]),
    whose_move=st.sampled_from(Move),
    created_at=TIMES,
    ended_at=MAYBE_TIMES,
    wake_at=MAYBE_TIMES,
    failed_step=TEXT,
    failure_kind=TEXT,
    failure_code=TEXT,
    retry_of=st.just("") | IDS,
)
groups = st.builds(
    FailureGroup,
    workflow=NAMES,
    step=TEXT,
    kind=TEXT,
    code=TEXT,
    count=st.integers(1, 99),
    last_at=TIMES,
    last_run=IDS,
)
versions = st.builds(
    VersionInfo,
    namespace=NAMESPACES,
    name=NAMES,
    version=VERSIONS,
    digest=st.just("a" * 64),
    is_default=st.booleans(),
    pinned=st.booleans(),
    deprecated=st.booleans(),
    pending=st.booleans(),
    effect=st.sampled_from(Effect),
    published_at=TIMES,
    runs=st.dictionaries(st.sampled_from(["completed", "failed:logic"]), st.integers(0, 9)),
)
step_infos = st.builds(
    StepInfo,
    id=NAMES,
    targets=tuples(NAMES),
    type=st.just("http"),
    effect=st.sampled_from(Effect),
    depends=tuples(NAMES),
    condition=TEXT,
    for_each=TEXT,
    description=TEXT,
)
examples = st.builds(Example, name=TEXT, description=TEXT, input=OBJECTS, expected_output=JSON)
details = st.builds(
    WorkflowDetails,
    info=infos,
    input_schema=OBJECTS,
    output=OBJECTS,
    steps=tuples(step_infos),
    groups=tuples(tuples(NAMES)),
    examples=tuples(examples),
    versions=tuples(versions),
    document=OBJECTS,
)
tasks = st.builds(
    TaskInfo,
    namespace=NAMESPACES,
    name=NAMES,
    type=st.just("http"),
    effect=st.sampled_from(Effect),
    description=TEXT,
    category=TEXT,
    tags=tuples(TEXT),
    input_schema=OBJECTS | st.just({"properties": {"userId": {}}}),
    output_schema=OBJECTS,
    used_by=tuples(st.builds("{}/{}".format, NAMESPACES, NAMES)),
)
problems = st.builds(
    Problem,
    file=TEXT,
    line=st.integers(0, 99),
    path=TEXT,
    severity=st.sampled_from(["error", "warning"]),
    code=NAMES,
    message=TEXT,
    hint=TEXT,
    subject=TEXT,
)
planned = st.builds(
    PlannedStep,
    id=NAMES,
    target=NAMES,
    effect=st.sampled_from(Effect),
    would=st.sampled_from(["run", "skip", "depends"]),
    reason=TEXT,
    input=JSON,
    request=TEXT,
)
dry_runs = st.builds(
    DryRun,
    workflow=infos,
    valid=st.booleans(),
    steps=tuples(planned),
    groups=tuples(tuples(NAMES)),
    mutations=st.integers(0, 3),
    output=JSON,
    missing=tuples(fields),
    invalid=tuples(invalids),
)
