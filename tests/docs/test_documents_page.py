"""The document reference: its examples load, its tables name every field, its limits are true."""

import re
from pathlib import Path

import pytest

from engine.core.breaker import BreakerPolicy
from engine.core.documents import (
    connectors,
    declarations,
    policies,
    steps,
    tasks,
    templates,
    workflows,
)
from engine.core.retry import RetryPolicy
from engine.core.schema_limits import DEEPEST as SCHEMA_DEEPEST
from engine.core.schema_limits import LARGEST
from engine.shell import building, load
from tests.core.papers import read

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "documents.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text below a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def fields(title: str) -> set[str]:
    """The names in the first column of a section's tables."""
    rows = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_example_loads_without_a_problem() -> None:
    catalogue = read(*EXAMPLES)
    assert [found.code for found in catalogue.problems] == ["weak_effect"]
    assert len(catalogue.workflows) == 2
    assert len(catalogue.tasks) == 4
    assert len(catalogue.connectors) == 2


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("Workflow", workflows.WORKFLOW_FIELDS),
        ("Step", steps.STEP_FIELDS),
        ("forEach", policies.LOOP_FIELDS),
        ("retry", policies.RETRY_FIELDS),
        ("circuitBreaker", policies.BREAKER_FIELDS),
        ("WorkflowTask", tasks.TASK_FIELDS),
        ("Connector", connectors.CONNECTOR_FIELDS),
        ("Operation", connectors.OPERATION_FIELDS),
        ("idempotency", declarations.IDEMPOTENCY_FIELDS),
        ("lookup", declarations.LOOKUP_FIELDS),
        ("precondition", declarations.PRECONDITION_FIELDS),
    ],
)
def test_a_table_has_exactly_the_fields_that_are_read(title: str, known: tuple[str, ...]) -> None:
    assert fields(title) == set(known)


def test_nested_fields_are_named() -> None:
    for title, names in (
        ("Operation", (*declarations.VERBS, *declarations.COMPARISONS)),
        ("Workflow", workflows.EXAMPLE_FIELDS),
    ):
        for name in names:
            assert re.search(rf"\b{name}\b", section(title)), name


def test_limits_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    for number, unit in (
        (load.LARGEST_DOCUMENT // 1024, "KB a document"),
        (building.DEEPEST, "levels"),
        (building.MOST_NODES, "values"),
        (templates.MOST_EXPRESSIONS, "expressions"),
        (load.MOST_DOCUMENTS, "documents a file"),
        (load.MOST_FILES, "files"),
        (SCHEMA_DEEPEST, "levels deep"),
        (LARGEST, "subschemas"),
        (workflows.MOST_STEPS, ""),
        (workflows.MOST_ABREAST, "of them"),
        (steps.MOST_ARMS, ""),
    ):
        assert f"{number:,} {unit}".strip() in text
    assert load.LARGEST_FILE == 1024 * 1024


def test_defaults_are_those_of_the_policies() -> None:
    retry, breaker = RetryPolicy(), BreakerPolicy()
    cells = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    assert cells["maxAttempts"] == str(retry.attempts)
    assert (cells["initialDelay"], cells["maxDelay"]) == ("100ms", "30s")
    assert (retry.initial, retry.maximum) == (100_000, 30_000_000)
    assert float(cells["multiplier"]) == retry.factor
    assert float(cells["jitter"]) == retry.jitter
    assert set(re.findall(r"`(\w+)`", cells["on"])) == {kind.value for kind in retry.kinds}
    assert cells["failureThreshold"] == str(breaker.failures)
    assert cells["halfOpenRequests"] == str(breaker.trials)
    assert (cells["samplingDuration"], cells["breakDuration"]) == ("60s", "30s")
    assert (breaker.sampling, breaker.pause) == (60_000_000, 30_000_000)
