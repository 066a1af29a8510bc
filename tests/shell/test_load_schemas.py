"""The published schemas of documents say what the readers read: no field more, no field less."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.core.documents.connectors import CONNECTOR_FIELDS, OPERATION_FIELDS
from engine.core.documents.declarations import (
    COMPARISONS,
    DECLARATION_FIELDS,
    IDEMPOTENCY_FIELDS,
    LOOKUP_FIELDS,
    PRECONDITION_FIELDS,
    REVERSIBLE_FIELDS,
    VERBS,
)
from engine.core.documents.header import METADATA_FIELDS, TOP_FIELDS
from engine.core.documents.http import HTTP_FIELDS, METHODS
from engine.core.documents.policies import BREAKER_FIELDS, LOOP_FIELDS, POLICIES, RETRY_FIELDS
from engine.core.documents.section import parse_duration
from engine.core.documents.steps import MOST_ARMS, STEP_FIELDS, STEP_LATER
from engine.core.documents.tasks import TASK_FIELDS, TASK_LATER, TYPES
from engine.core.documents.workflows import (
    EXAMPLE_FIELDS,
    MOST_ABREAST,
    MOST_STEPS,
    WORKFLOW_FIELDS,
    WORKFLOW_LATER,
)
from engine.core.schema import check_schema, explain, is_valid
from engine.shell.load import load_folder
from tests.core.papers import EVERYTHING, documents

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "Workflow": "workflow",
    "WorkflowTask": "workflow-task",
    "Connector": "connector",
}


def schema(kind: str) -> Any:
    file = ROOT / "resources" / "schemas" / f"{FILES[kind]}.schema.json"
    return json.loads(file.read_text(encoding="utf-8"))


WORKFLOW, TASK, CONNECTOR = schema("Workflow"), schema("WorkflowTask"), schema("Connector")
STEP = WORKFLOW["$defs"]["step"]["properties"]
OPERATION = CONNECTOR["$defs"]["operation"]["properties"]


@pytest.mark.parametrize(
    ("part", "known"),
    [
        (WORKFLOW, TOP_FIELDS),
        (WORKFLOW["properties"]["spec"], (*WORKFLOW_FIELDS, *WORKFLOW_LATER)),
        (WORKFLOW["properties"]["spec"]["properties"]["examples"]["items"], EXAMPLE_FIELDS),
        (WORKFLOW["$defs"]["step"], (*STEP_FIELDS, *STEP_LATER)),
        (STEP["forEach"], LOOP_FIELDS),
        (WORKFLOW["$defs"]["circuitBreaker"], BREAKER_FIELDS),
        (WORKFLOW["$defs"]["retry"]["oneOf"][1], RETRY_FIELDS),
        (WORKFLOW["$defs"]["http"], HTTP_FIELDS),
        (TASK["properties"]["spec"], (*TASK_FIELDS, *TASK_LATER)),
        (CONNECTOR["properties"]["spec"], CONNECTOR_FIELDS),
        (CONNECTOR["$defs"]["operation"], OPERATION_FIELDS),
        (OPERATION["reversible"]["oneOf"][1], REVERSIBLE_FIELDS),
        (CONNECTOR["$defs"]["idempotency"]["oneOf"][1], IDEMPOTENCY_FIELDS),
        (CONNECTOR["$defs"]["lookup"], LOOKUP_FIELDS),
        (CONNECTOR["$defs"]["precondition"], PRECONDITION_FIELDS),
    ],
)
def test_a_schema_has_exactly_the_fields_that_are_read(
    part: Mapping[str, Any], known: tuple[str, ...]
) -> None:
    assert set(part["properties"]) == set(known)
    assert part["additionalProperties"] is False


def test_what_is_shared_is_the_same_everywhere() -> None:
    for name in ("retry", "failureKind", "http", "idempotency", "lookup", "precondition"):
        assert WORKFLOW["$defs"][name] == TASK["$defs"][name] == CONNECTOR["$defs"][name]
    for name in DECLARATION_FIELDS:
        assert STEP[name] == OPERATION[name] == TASK["properties"]["spec"]["properties"][name]
    assert set(WORKFLOW["properties"]["metadata"]["properties"]) <= set(METADATA_FIELDS)


def test_words_and_limits_are_those_of_the_readers() -> None:
    assert STEP["type"]["enum"] == list(TYPES)
    assert OPERATION["verb"]["enum"] == list(VERBS)
    assert OPERATION["compareAndSet"]["oneOf"][1]["enum"] == list(COMPARISONS)
    assert WORKFLOW["$defs"]["retry"]["oneOf"][0]["enum"] == list(POLICIES)
    assert WORKFLOW["properties"]["spec"]["properties"]["tasks"]["maxItems"] == MOST_STEPS
    assert WORKFLOW["properties"]["spec"]["properties"]["concurrency"]["maximum"] == MOST_ABREAST
    assert STEP["switch"]["properties"]["cases"]["maxItems"] == MOST_ARMS
    method = WORKFLOW["$defs"]["http"]["properties"]["method"]
    assert all(is_valid(method, word) and is_valid(method, word.lower()) for word in METHODS)


@pytest.mark.parametrize("text", ["5s", "250ms", "2h", "5", "s", "5 s", "-5s", "1.5s", "5d", "5S"])
def test_a_duration_is_the_same_thing_in_both(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError:
        assert not is_valid(STEP["timeout"], text)
    else:
        assert is_valid(STEP["timeout"], text)


@pytest.mark.parametrize("kind", FILES)
def test_a_published_schema_is_one_that_we_would_take_ourselves(kind: str) -> None:
    check_schema(schema(kind))


@pytest.mark.parametrize("kind", FILES)
def test_every_field_says_what_it_is(kind: str) -> None:
    undescribed = [path for path, part in _properties(schema(kind), "") if not _described(part)]
    assert not undescribed


def _described(part: Mapping[str, Any]) -> bool:
    return "description" in part or "$ref" in part or "const" in part


def _properties(part: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(part, list):
        for inner in part:
            yield from _properties(inner, path)
    if not isinstance(part, dict):
        return
    for key, inner in part.items():
        if key == "properties" and not path.endswith("examples.items") and "anyOf" not in path:
            yield from ((f"{path}.{name}", child) for name, child in inner.items())
        yield from _properties(inner, f"{path}.{key}".removesuffix(".properties"))


def _assert_all_valid(values: list[Any]) -> None:
    assert values
    for value in values:
        missing, invalid = explain(schema(value["kind"]), value)
        assert (missing, invalid) == ((), ()), value["metadata"]


def test_documents_that_load_satisfy_the_schemas() -> None:
    _assert_all_valid(
        [one.value for one in load_folder(ROOT / "tests/fixtures/documents").documents]
    )
    _assert_all_valid([one.value for one in load_folder(ROOT / "resources/examples").documents])
    _assert_all_valid([one.value for one in documents(*EVERYTHING)])


def test_a_wrong_field_does_not_satisfy_the_schema() -> None:
    (value,) = [
        one.value for one in documents(*EVERYTHING) if one.value["metadata"]["name"] == "flow"
    ]
    value["spec"]["tasks"][0]["dependson"] = []
    assert explain(WORKFLOW, value)[1][0].name == "spec.tasks[0].dependson"
