"""Documents that are meant to hurt: each is a typed problem, at once, and hurts nobody else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.definition import RawDocument, parse_documents, rebuild
from engine.core.documents.raw import MOST_COMPARISONS, MOST_PROBLEMS
from tests.core.papers import (
    EVERYTHING,
    FUNCTIONS,
    LOOK,
    SEND,
    documents,
    flow,
    read,
    step,
    told,
    wrong,
)

STEPS = "\n".join(f"- {{id: s{at}, taskRef: look}}" for at in range(501))


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


def document(**spec: Any) -> dict[str, Any]:
    spec = {"description": "d", "tasks": [{"id": "a", "taskRef": "look"}], **spec}
    return {"apiVersion": "t/v1", "kind": "Workflow", "metadata": {"name": "bad"}, "spec": spec}


def problems(value: Any) -> set[str]:
    raw = [RawDocument("bad.yaml", 0, value), *documents(LOOK)]
    return {problem.code for problem in parse_documents(raw, FUNCTIONS).errors}


@pytest.mark.requirement("bad-documents")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "not_json"),
        (document(input=float("inf")), "not_json"),
        (document(description="\ud800"), "not_json"),
        (document(tasks={1, 2}), "not_json"),
        (document(output=10**5_000), "not_json"),
        (document(output=deep(100_000)), "not_json"),
        (document(output=deep(65)), "too_deep"),
        (
            document(input={"type": "object", "properties": {"a": {"$ref": "http://x/y"}}}),
            "bad_schema",
        ),
        (document(input={"$ref": "#"}), "bad_schema"),
        (document(input={"type": "object", "allOf": [{}] * 2**13}), "bad_schema"),
        (document(input={"x": {"type": "string", "pattern": "(a)\\1"}}), "bad_schema"),
        (document(input={"x": {"type": "string", "pattern": "a{1000}{1000}{1000}"}}), "bad_schema"),
        (document(input={"x": {"type": "integer", "default": "x"}}), "bad_default"),
        (document(input={"x": {"type": "int"}}), "bad_value"),
        (document(input={"x": "string"}), "wrong_type"),
        (document(input={"x": {"type": "string", "required": "yes"}}), "wrong_type"),
        (document(input=[1]), "wrong_type"),
        (document(output="{{ " + "(" * 10_000 + "1"), "bad_template"),
        (document(output="{{ ().__class__ }}"), "bad_template"),
        (document(output={"a": "{{ 9**9**9 }}"}), "bad_template"),
        (document(tasks=[{"id": "a", "taskRef": "look", "if": "(" * 10_000}]), "bad_condition"),
        (document(tasks=[{"id": "a", "taskRef": "x" * 100_000}]), "bad_reference"),
        (
            document(tasks=[{"id": "a", "taskRef": "look", "dependsOn": ["x" * 100_000]}]),
            "unknown_step",
        ),
        (document(tasks="x"), "wrong_type"),
        (document(tasks=[None]), "wrong_type"),
        (document(tasks=[[]] * 400), "wrong_type"),
        (document(tasks=[{}] * 501), "too_many"),
        (document(examples=[1]), "wrong_type"),
        (document(tags=[1]), "wrong_type"),
        (document(timeout="99999999999999999999h"), "bad_duration"),
        (document(concurrency=0), "wrong_type"),
        (document(concurrency=True), "wrong_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hurtful_document_is_a_problem(value: Any, code: str) -> None:
    assert code in problems(value)


def test_a_workflow_has_a_bounded_number_of_steps() -> None:
    assert wrong(STEPS) == [("spec.tasks", "too_many")]


def test_five_hundred_steps_are_accepted() -> None:
    assert wrong("\n".join(STEPS.split("\n")[:500])) == []


def test_a_switch_has_a_bounded_number_of_cases() -> None:
    arms = ", ".join(f"{{match: m{at}, taskRef: look}}" for at in range(1_001))
    value = document(
        tasks=[
            {
                "id": "a",
                "switch": {
                    "value": "x",
                    "cases": [{"match": f"m{at}", "taskRef": "look"} for at in range(10_000)],
                },
            }
        ]
    )
    assert problems(value) == {"too_many"}
    assert wrong(f"- {{id: a, switch: {{value: x, cases: [{arms}]}}}}") == [
        ("spec.tasks[0].switch.cases", "too_many")
    ]
    assert step("- {id: a, switch: {value: x, cases: [{match: a, taskRef: look}]}}").switch


def test_a_loop_over_a_million_is_left_to_the_run() -> None:
    value = document(tasks=[{"id": "a", "taskRef": "look", "forEach": {"items": "{{input.many}}"}}])
    assert problems(value) == set()


def test_a_long_chain_of_sub_workflows_is_read() -> None:
    texts = [flow(f"- {{id: a, workflowRef: w{at + 1}}}", name=f"w{at}") for at in range(300)]
    catalogue = read(*texts, flow("- {id: a, taskRef: look}", name="w300"), LOOK)
    assert len(catalogue.workflows) == 301


def test_a_long_ring_of_sub_workflows_is_told_of_each() -> None:
    texts = [
        flow(f"- {{id: a, workflowRef: w{(at + 1) % 200}}}", name=f"w{at}") for at in range(200)
    ]
    catalogue = read(*texts)
    assert catalogue.workflows == {}
    assert {problem.code for problem in catalogue.errors} == {"recursion"}
    assert len(catalogue.errors) == 200


def test_a_ring_of_five_hundred_steps_is_a_cycle() -> None:
    steps = "\n".join(
        f"- {{id: s{at}, taskRef: look, dependsOn: s{(at + 1) % 500}}}" for at in range(500)
    )
    assert {code for _, code in wrong(steps)} == {"cycle"}


def test_an_id_that_stands_twice_does_not_make_up_for_a_step_that_cannot_be_read() -> None:
    steps = """
- {id: a, taskRef: look}
- {id: a, taskRef: look, dependsOn: b}
- {id: b, taskRef: gone}
"""
    assert {code for _, code in wrong(steps)} == {"duplicate_id", "unknown_task"}


def crowd(**spec: Any) -> list[Any]:
    raw = [RawDocument("bad.yaml", 0, document(**spec)), *documents(LOOK)]
    return list(parse_documents(raw, FUNCTIONS).problems)


def test_nineteen_thousand_mistakes_are_counted() -> None:
    found = crowd(**{f"tasksx{at}": 1 for at in range(19_000)})
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].message == "18,000 more problems are not shown"


def test_only_so_many_mistakes_are_corrected() -> None:
    steps = [{"id": f"step{at}", "taskRef": "look"} for at in range(400)]
    found = crowd(tasks=[*steps, {"id": "a", "dependsOn": [f"stepx{at}" for at in range(400)]}])
    corrected = [one for one in found if one.hint.startswith("did you mean")]
    assert len(corrected) == MOST_COMPARISONS // 401


def test_a_document_has_a_bounded_number_of_expressions() -> None:
    many = ["{{input.x}}"] * 2_500
    assert [one.code for one in crowd(output=[many, many])] == ["unknown_property"]
    assert {one.code for one in crowd(output=[many, many, "{{input.x}}"])} == {"too_many"}
    assert {one.code for one in crowd(output="{{" * 100_000)} == {"too_many"}


def test_thousands_of_wrong_references_are_looked_for_once() -> None:
    found = crowd(output=[f"{{{{tasks.x{at}.output}}}}" for at in range(4_000)])
    assert len(found) == MOST_PROBLEMS + 1
    assert found[0].path == "spec.output"
    found = crowd(output=[f"{{{{tasks.x{at}.output}}}}" for at in range(400)])
    assert {one.path for one in found} == {f"spec.output[{at}]" for at in range(400)}


# -- properties -------------------------------------------------------------------------------

words = st.sampled_from(
    ["kind", "metadata", "name", "namespace", "spec", "tasks", "id", "taskRef", "workflowRef",
     "input", "output", "switch", "cases", "match", "default", "value", "forEach", "items", "retry",
     "type", "http", "url", "transform", "pipeline", "operation", "python", "function", "sleep",
     "duration", "condition", "if", "dependsOn", "fallback", "timeout", "description", "version",
     "connector", "operations", "path", "baseUrl", "required", "properties", "examples", "tags"]
)  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["Workflow", "WorkflowTask", "Connector", "look", "send", "a", "http", "1.0.0"]
    )
    | st.sampled_from(
        ["{{input.x}}", "{{tasks.a.output}}", "{{", "{{forEach.item}}", "https://a.example"]
    )
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=20,
)  # fmt: skip
named = st.builds(
    lambda kind, name, spec: {
        "apiVersion": "t/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    },
    st.sampled_from(["Workflow", "WorkflowTask", "Connector"]),
    st.sampled_from(["x", "y", "z"]),
    anything
    | st.dictionaries(words, anything, max_size=6)
    | st.builds(
        lambda steps: {"tasks": steps}, st.lists(st.dictionaries(words, anything), max_size=3)
    ),
)  # fmt: skip
GOOD = [flow("- {id: a, taskRef: look}\n- {id: b, taskRef: send, dependsOn: a}"), LOOK, SEND]


@given(st.lists(anything | named, max_size=4))
def test_reading_never_raises_and_a_bad_document_never_removes_a_good_one(
    values: list[Any],
) -> None:
    bad = [RawDocument("bad.json", at, value) for at, value in enumerate(values)]
    catalogue = parse_documents([*bad, *documents(*GOOD)], FUNCTIONS)
    assert ("default", "flow") in catalogue.workflows
    assert {("default", "look"), ("default", "send")} <= catalogue.tasks.keys()
    for workflow in catalogue.workflows.values():
        again = rebuild(json.loads(json.dumps(workflow.bundle)), FUNCTIONS)
        assert again == workflow
        assert again.digest == workflow.digest


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A document with every form there is, one place of which is something else."""
    value = json.loads(json.dumps(draw(st.sampled_from(documents(*EVERYTHING))).value))
    here = value
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return value
        key = draw(st.sampled_from(keys))
        if not isinstance(here[key], dict | list) or draw(st.integers(0, 3)) == 0:
            break
        here = here[key]
    if isinstance(here, dict) and draw(st.booleans()):
        here[draw(words)] = draw(anything)
    else:
        here[key] = draw(anything)
    return value


@given(damaged())
def test_one_wrong_place_never_raises_and_never_spreads_to_strangers(value: Any) -> None:
    stranger = flow("- {id: a, taskRef: mine}", name="stranger")
    mine = LOOK.replace("name: look", "name: mine")
    raw = [RawDocument("bad.json", 0, value), *documents(stranger, mine, *EVERYTHING)]
    catalogue = parse_documents(raw, FUNCTIONS)
    assert ("default", "stranger") in catalogue.workflows
    for problem in catalogue.problems:
        assert problem.message
        assert problem.code
    for workflow in catalogue.workflows.values():
        assert rebuild(json.loads(json.dumps(workflow.bundle)), FUNCTIONS) == workflow


@given(st.permutations(range(5)))
def test_the_order_of_documents_does_not_change_what_they_mean(order: list[int]) -> None:
    raw = documents(
        *GOOD, flow("- {id: a, workflowRef: flow}", name="top"), flow("- {id: a}", name="bad")
    )
    catalogue = parse_documents([raw[at] for at in order], FUNCTIONS)
    assert {key: found.digest for key, found in catalogue.workflows.items()} == {
        key: found.digest for key, found in parse_documents(raw, FUNCTIONS).workflows.items()
    }
    assert told(catalogue) == [("spec.tasks[0].taskRef", "missing_field")]
