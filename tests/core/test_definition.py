"""Documents become a catalogue: names, order, references, and problems that say where."""

from typing import Any

import pytest

from engine.core.model import Effect, WorkflowRef
from tests.core.papers import (
    LOOK,
    compiled,
    first,
    flow,
    read,
    task_text,
    told,
    warned,
    wrong,
)


@pytest.mark.requirement("metadata")
def test_a_workflow_knows_what_its_document_says() -> None:
    catalogue = read(
        """
        apiVersion: any.group/v7
        kind: Workflow
        metadata:
          name: greet
          namespace: people
          version: 2.3.4
          labels: {workflow.io/category: social}
          annotations: {workflow.io/description: "  Say hello  "}
        spec:
          categories: [daily]
          category: kind
          tags: [hello, hi]
          timeout: 90s
          concurrency: 5
          examples: [{name: one, description: d, input: {who: Ann}, expectedOutput: hi}]
          input:
            who: {type: string, required: true, description: Whom to greet}
          tasks:
            - {id: a, taskRef: default/look, input: {who: "{{input.who}}"}}
          output: {said: "{{tasks.a.output}}"}
        """,
        LOOK,
    )
    assert catalogue.problems == ()
    found = catalogue.workflows[("people", "greet")]
    assert (found.version, found.description) == ("2.3.4", "Say hello")
    assert found.categories == ("daily", "kind", "social")
    assert (found.tags, found.timeout, found.concurrency) == (("hello", "hi"), 90_000_000, 5)
    assert (found.examples[0].input, found.examples[0].expected_output) == ({"who": "Ann"}, "hi")
    assert found.output is not None
    assert found.output.source == {"said": "{{tasks.a.output}}"}
    assert found.input_schema["required"] == ["who"]
    assert found.input_schema["additionalProperties"] is False


def test_dependencies_are_what_is_declared_and_what_is_read() -> None:
    found = compiled("""
        - {id: last, taskRef: look, dependsOn: [b], input: {x: "{{tasks.a.output.y}}"}}
        - {id: b, taskRef: look, condition: {if: "tasks.a.output.ok == true"}}
        - {id: a, taskRef: look}
        - {id: c, forEach: {items: "{{tasks.b.output}}"}, taskRef: look}
        - id: d
          switch: {value: "{{tasks.c.output.results[0]}}", cases: [{match: x, taskRef: look}]}
        - {id: e, taskRef: look, fallback: {taskRef: look, input: {x: "{{tasks.d.output}}"}}}
    """)
    depends = {step.id: step.depends for step in found.steps}
    assert depends == {
        "a": (), "b": ("a",), "c": ("b",), "d": ("c",), "e": ("d",), "last": ("a", "b"),
    }  # fmt: skip
    assert [step.id for step in found.steps] == ["a", "b", "last", "c", "d", "e"]


def test_steps_without_a_dependency_between_them_are_one_group() -> None:
    found = compiled("""
        - {id: a, taskRef: look}
        - {id: b, taskRef: look, dependsOn: a}
        - {id: c, taskRef: look, dependsOn: a}
        - {id: d, taskRef: look, dependsOn: [b, c]}
    """)
    assert found.groups == (("a",), ("b", "c"), ("d",))


def test_a_bare_name_means_the_own_namespace_then_default_then_the_only_one() -> None:
    for namespace in ("own", "default", "far"):
        text = flow("- {id: a, taskRef: made}").replace(
            "{name: flow}", "{name: flow, namespace: own}"
        )
        others = [task_text("{sleep: {duration: 1s}}", namespace=namespace)]
        if namespace == "own":
            others.append(task_text("{sleep: {duration: 1s}}", namespace="default"))
        catalogue = read(text, *others)
        target = catalogue.workflows[("own", "flow")].steps[0].target
        assert target is not None
        assert target.namespace == namespace


def test_a_broken_document_nearby_is_not_passed_over_for_one_elsewhere() -> None:
    text = flow("- {id: a, taskRef: made}").replace("{name: flow}", "{name: flow, namespace: own}")
    catalogue = read(
        text,
        task_text("{sleep: {duration: 1s}}", namespace="default"),
        task_text("{sleep: {}}", namespace="own"),
    )
    assert ("spec.tasks[0].taskRef", "broken_reference") in told(catalogue)


def test_a_name_in_two_far_namespaces_is_ambiguous() -> None:
    sleep = "{sleep: {duration: 1s}}"
    others = [task_text(sleep, namespace="one"), task_text(sleep, namespace="two")]
    catalogue = read(flow("- {id: a, taskRef: made}"), *others)
    found = first(catalogue, "ambiguous_name")
    assert (found.path, found.hint) == ("spec.tasks[0].taskRef", "write one/made or two/made")


def test_a_sub_workflow_gives_its_caller_its_effect() -> None:
    catalogue = read(
        flow("- {id: a, workflowRef: middle}", name="top"),
        flow("- {id: a, workflowRef: bottom@1.0.0}", name="middle"),
        flow("- {id: a, taskRef: send}", name="bottom"),
        LOOK,
        task_text("{python: {function: send}}", name="send"),
    )
    assert catalogue.errors == ()
    assert {flow.effect for flow in catalogue.workflows.values()} == {Effect.MUTATION}
    middle = catalogue.workflows[("default", "middle")].steps[0].target
    assert middle == WorkflowRef("default", "bottom", "1.0.0")


def test_a_task_that_starts_a_workflow_has_its_effect() -> None:
    catalogue = read(
        flow("- {id: a, taskRef: starter}", name="top"),
        task_text("{type: workflow, workflow: bottom}", name="starter"),
        flow("- {id: a, taskRef: look}", name="bottom"),
        LOOK,
    )
    assert catalogue.errors == ()
    assert catalogue.tasks[("default", "starter")].effect is Effect.READ
    assert catalogue.workflows[("default", "top")].effect is Effect.READ


@pytest.mark.parametrize(
    ("steps", "path", "code"),
    [
        ("- {id: a, taskRef: lok}", "spec.tasks[0].taskRef", "unknown_task"),
        ("- {id: a, taskRef: far/look}", "spec.tasks[0].taskRef", "unknown_task"),
        ("- {id: a, taskRef: look@1.0.0}", "spec.tasks[0].taskRef", "bad_reference"),
        ("- {id: a, taskRef: a/b/c}", "spec.tasks[0].taskRef", "bad_reference"),
        ("- {id: a, workflowRef: flwo}", "spec.tasks[0].workflowRef", "unknown_workflow"),
        ("- {id: a, workflowRef: flow@latest}", "spec.tasks[0].workflowRef", "bad_reference"),
        ("- {id: a, workflowRef: flow}", "spec.tasks", "recursion"),
        ("- {id: a, taskRef: look, dependsOn: [b]}", "spec.tasks[0].dependsOn[0]", "unknown_step"),
        ("- {id: a, taskRef: look, dependsOn: [a]}", "spec.tasks[0].dependsOn[0]", "cycle"),
        ('- {id: a, taskRef: look, input: "{{tasks.a.output}}"}', "spec.tasks[0].input", "cycle"),
        (
            "- {id: a, taskRef: look, dependsOn: b}\n- {id: b, taskRef: look, dependsOn: a}",
            "spec.tasks[0]",
            "cycle",
        ),
        ("- {id: a, taskRef: look}\n- {id: a, taskRef: look}", "spec.tasks[1].id", "duplicate_id"),
        (
            '- {id: a, taskRef: look, input: {x: [1, "{{tasks.b.output}}"]}}',
            "spec.tasks[0].input.x[1]",
            "unknown_step",
        ),
        ('- {id: a, taskRef: look, input: "{{tasks}}"}', "spec.tasks[0].input", "bad_reference"),
        (
            '- {id: a, taskRef: look, input: {x: "{{forEach.item}}"}}',
            "spec.tasks[0].input.x",
            "unknown_root",
        ),
        ("- {taskRef: look}", "spec.tasks[0].id", "bad_id"),
        ("- {id: 7, taskRef: look}", "spec.tasks[0].id", "bad_id"),
        ("- {id: a}", "spec.tasks[0].taskRef", "missing_field"),
        ("- {id: a, taskRef: look, workflowRef: flow}", "spec.tasks[0].workflowRef", "conflict"),
        ("- 7", "spec.tasks[0]", "wrong_type"),
        ("[]", "spec.tasks", "missing_field"),
    ],
)
def test_a_wrong_reference_is_told_at_its_place(steps: str, path: str, code: str) -> None:
    assert (path, code) in wrong(steps)


def test_a_near_miss_is_suggested() -> None:
    catalogue = read(flow("- {id: a, taskRef: lok}"), LOOK)
    assert first(catalogue, "unknown_task").hint == "did you mean 'look'?"
    catalogue = read(
        flow("- {id: fetch, taskRef: look}\n- {id: b, taskRef: look, dependsOn: fecth}"), LOOK
    )
    assert first(catalogue, "unknown_step").hint == "did you mean 'fetch'?"


def test_output_may_only_read_steps_that_exist() -> None:
    found = wrong("- {id: a, taskRef: look}", output='{x: "{{tasks.b.output}}"}')
    assert found == [("spec.output.x", "unknown_step")]


def test_every_problem_is_told_at_once_with_its_line() -> None:
    catalogue = read("""
        kind: Workflow
        apiVersion: t/v1
        metadata:
          name: broken
        spec:
          description: Several things at once
          timeout: soon
          tasks:
            - id: a
              taskRef: nowhere
            - id: b
              taskRef: look
              dependsOn:
                - a
                - c
    """)
    found = [(problem.line, problem.path, problem.code) for problem in catalogue.errors]
    assert found == [
        (7, "spec.timeout", "bad_duration"),
        (10, "spec.tasks[0].taskRef", "unknown_task"),
        (12, "spec.tasks[1].taskRef", "unknown_task"),
        (15, "spec.tasks[1].dependsOn[1]", "unknown_step"),
    ]
    assert {problem.file for problem in catalogue.errors} == {"0.yaml"}
    assert {problem.subject for problem in catalogue.errors} == {"Workflow default/broken"}


def test_a_bad_document_is_an_error_of_that_document_only() -> None:
    bad = flow("- {id: a, taskRef: nowhere}", name="bad")
    catalogue = read(bad, flow("- {id: a, taskRef: look}", name="good"), LOOK)
    assert set(catalogue.workflows) == {("default", "good")}
    assert {problem.subject for problem in catalogue.errors} == {"Workflow default/bad"}


def test_whoever_needs_a_bad_document_says_so() -> None:
    catalogue = read(
        flow("- {id: a, workflowRef: bad}", name="caller"),
        flow("- {id: a, taskRef: broken}", name="bad"),
        task_text("{type: sleep}", name="broken"),
    )
    assert catalogue.workflows == {}
    assert [problem.code for problem in catalogue.errors] == [
        "broken_reference", "broken_reference", "missing_field",
    ]  # fmt: skip


def test_workflows_that_start_each_other_are_refused_and_their_callers_too() -> None:
    catalogue = read(
        flow("- {id: a, workflowRef: b}", name="a"),
        flow("- {id: a, workflowRef: a}", name="b"),
        flow("- {id: a, workflowRef: a}", name="caller"),
        flow("- {id: a, taskRef: look}", name="free"),
        LOOK,
    )
    assert set(catalogue.workflows) == {("default", "free")}
    codes = {problem.subject: problem.code for problem in catalogue.errors}
    assert codes == {
        "Workflow default/a": "recursion",
        "Workflow default/b": "recursion",
        "Workflow default/caller": "broken_reference",
    }


def test_a_name_belongs_to_its_first_good_document() -> None:
    bad = flow("- {id: a, taskRef: nowhere}")
    good = flow("- {id: a, taskRef: look}")
    other = flow("- {id: b, taskRef: look}")
    catalogue = read(bad, good, other, good, LOOK)
    assert catalogue.workflows[("default", "flow")].steps[0].id == "a"
    assert told(catalogue) == [
        ("spec.tasks[0].taskRef", "unknown_task"),
        ("metadata.name", "duplicate_document"),
    ]
    assert told(catalogue, "warning") == [("metadata.name", "duplicate_document")]
    assert "1.yaml:3" in first(catalogue, "duplicate_document").message


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("[1, 2]", "", "not_a_document"),
        ("just text", "", "not_a_document"),
        ("{apiVersion: v1, spec: {}}", "kind", "unknown_kind"),
        ("{kind: Workfow, spec: {}}", "kind", "unknown_kind"),
        ("{kind: [a], spec: {}}", "kind", "unknown_kind"),
        ("{kind: Workflow, metadata: {}, spec: {}}", "metadata.name", "bad_name"),
        ("{kind: Workflow, metadata: {name: a b}, spec: {}}", "metadata.name", "bad_name"),
        ("{kind: Workflow, metadata: {name: 5}, spec: {}}", "metadata.name", "wrong_type"),
        ("{kind: Workflow, metadata: [a], spec: {}}", "metadata", "wrong_type"),
        ("{kind: Workflow, metadata: {namespace: ..}}", "metadata.namespace", "bad_namespace"),
        ("{kind: Workflow, metadata: {name: a}}", "spec", "missing_field"),
        ("{kind: Workflow, metadata: {name: a}, spec: 7}", "spec", "wrong_type"),
    ],
)  # fmt: skip
def test_a_document_must_say_what_it_is(text: str, path: str, code: str) -> None:
    assert (path, code) in told(read(text))


@pytest.mark.parametrize(
    ("metadata", "spec", "code"),
    [("1.2", "", "bad_version"), ("1", "", "bad_version"), ("1.0.0", "1.0.1", "conflict")],
)
def test_a_version_is_declared_once_in_full(metadata: str, spec: str, code: str) -> None:
    text = flow("- {id: a, taskRef: look}", version=spec or "null")
    text = text.replace("{name: flow}", f"{{name: flow, version: {metadata}}}")
    assert told(read(text, LOOK)) == [("metadata.version", code)]


def test_an_unknown_kind_is_corrected() -> None:
    assert (
        first(read("{kind: Workfow, spec: {}}"), "unknown_kind").hint == "did you mean 'Workflow'?"
    )


def test_unknown_fields_are_ignored_with_a_suggestion() -> None:
    text = flow("- {id: a, taskRef: look, dependson: [], colour: red}", desciption="x")
    catalogue = read(text, LOOK)
    hints = {problem.path: problem.hint for problem in catalogue.problems}
    assert hints["spec.tasks[0].dependson"] == "did you mean 'dependsOn'?"
    assert hints["spec.desciption"] == "did you mean 'description'?"
    assert hints["spec.tasks[0].colour"].startswith("known fields: ")
    assert catalogue.errors == ()


@pytest.mark.parametrize("field", ["triggers", "cache", "compliance", "budget", "deployment"])
def test_fields_that_are_not_carried_out_yet_say_what_happens(field: str) -> None:
    catalogue = read(flow("- {id: a, taskRef: look}", **{field: "{}"}), LOOK)
    found = first(catalogue, "not_supported_yet")
    assert (found.path, found.severity) == (f"spec.{field}", "warning")
    assert found.message.startswith(f"{field} is not carried out yet: ")


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("{}", {"type": "object", "properties": {}, "additionalProperties": False}),
        ("null", {"type": "object", "properties": {}, "additionalProperties": False}),
        (
            "{n: {type: integer, description: d, minimum: 1}}",
            {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": "d", "minimum": 1}},
                "additionalProperties": False,
            },
        ),
        (
            "{type: {type: string, required: true, description: d}}",
            {
                "type": "object",
                "properties": {"type": {"type": "string", "description": "d"}},
                "additionalProperties": False,
                "required": ["type"],
            },
        ),
        ("{type: object}", {"type": "object"}),
        (
            "{properties: {a: {type: object, description: d, required: [b]}}}",
            {"properties": {"a": {"type": "object", "description": "d", "required": ["b"]}}},
        ),
        ("{required: [a]}", {"required": ["a"]}),
        ("{$ref: '#/$defs/a', $defs: {a: {type: object}}}", None),
    ],
)
def test_input_has_two_forms(text: str, schema: dict[str, Any] | None) -> None:
    found = compiled("- {id: a, taskRef: look}", input=text).input_schema
    assert schema is None or found == schema


def test_a_field_without_a_description_gets_one_and_a_warning() -> None:
    steps = "- {id: a, taskRef: look}"
    short, long = "{userId: {type: string}}", "{type: object, properties: {userId: {type: string}}}"
    for text, path in ((short, "spec.input.userId"), (long, "spec.input.properties.userId")):
        assert warned(steps, input=text) == [(path, "no_description")]
        found = compiled(steps, input=text).input_schema["properties"]["userId"]
        assert found == {"type": "string", "description": "User id (string)"}


def test_a_default_that_refers_elsewhere_is_left_to_the_run() -> None:
    field = "{allOf: [{$ref: '#/$defs/x'}], default: 1, description: d}"
    text = f"{{type: object, properties: {{a: {field}}}, $defs: {{x: {{}}}}}}"
    assert warned("- {id: a, taskRef: look}", input=text) == []


def test_a_workflow_without_words_is_warned() -> None:
    assert warned("- {id: a, taskRef: look}", description='""') == [
        ("metadata.description", "no_description")
    ]
