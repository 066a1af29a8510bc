"""What one step gives and the next one takes: only what is certain is said, as a warning."""

import pytest

from tests.core.papers import first, flow, read, task_text, warned

USER = """
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: user}
spec:
  python: {function: look}
  inputSchema:
    type: object
    required: [id]
    additionalProperties: false
    properties:
      id: {type: string}
      size: {type: integer}
      mode: {enum: [a, b]}
      body:
        type: object
        additionalProperties: false
        properties: {n: {type: integer}, s: {type: string}}
      rows: {type: array, items: {type: object, properties: {k: {type: boolean}}}}
  outputSchema:
    type: object
    additionalProperties: false
    properties:
      id: {type: string}
      age: {type: integer}
      box: {type: object, additionalProperties: false, properties: {x: {type: string}}}
      list:
        type: array
        items: {type: object, additionalProperties: false, properties: {y: {}}}
"""
OPEN = task_text("{python: {function: look}, outputSchema: {type: object}}", "open")
ROWS = task_text(
    "{transform: {pipeline: [{operation: limit, count: 1}]}, inputSchema: {type: array}}", "rows"
)


@pytest.mark.parametrize(
    ("given", "code", "place"),
    [
        ("{}", "missing_input", ""),
        ("{id: 7}", "type_clash", ".id"),
        ("{id: null}", "type_clash", ".id"),
        ("{id: true}", "type_clash", ".id"),
        ("{id: x, oops: 1}", "unknown_input", ".oops"),
        ("{id: x, size: big}", "type_clash", ".size"),
        ("{id: x, size: 'n{{input.n}}'}", "type_clash", ".size"),
        ("{id: x, mode: c}", "unfit_value", ".mode"),
        ("{id: x, body: [1]}", "type_clash", ".body"),
        ("{id: x, body: {n: x}}", "type_clash", ".body.n"),
        ("{id: x, body: '{\"m\": 1}'}", "unknown_input", ".body.m"),
        ('{id: x, body: \'{"n": "x"}\'}', "type_clash", ".body.n"),
        ('{id: x, body: \'{"m": "{{input.q}}"}\'}', "unknown_input", ".body.m"),
        ("{id: x, body: 'not json'}", "type_clash", ".body"),
        ("{id: x, body: '[1]'}", "type_clash", ".body"),
        ("{id: x, rows: {}}", "type_clash", ".rows"),
        ("{id: x, rows: [{k: 1}]}", "type_clash", ".rows[0].k"),
        ("[]", "type_clash", ""),
    ],
)
def test_an_input_that_does_not_fit_is_told(given: str, code: str, place: str) -> None:
    found = warned(f"- {{id: a, taskRef: user, input: {given}}}", USER, input="{type: object}")
    assert found == [(f"spec.tasks[0].input{place}", code)]


@pytest.mark.parametrize(
    "given",
    [
        "{id: x}",
        "{id: '{{input.x}}'}",
        "{id: 'user {{input.x}}', size: 3}",
        "{id: x, size: '{{input.n}}'}",
        "{id: x, size: '{{input.n | toJson}}'}",
        "{id: x, mode: a}",
        "{id: x, body: {n: 1, s: y}}",
        "{id: x, body: '{\"n\": 1}'}",
        '{id: x, body: \'{"n": {{input.n}}, "s": "{{input.s}}"}\'}',
        "{id: x, body: '{{input.body}}'}",
        "{id: x, rows: []}",
        "'{{input.all}}'",
    ],
)
def test_an_input_that_may_fit_is_left_alone(given: str) -> None:
    assert warned(f"- {{id: a, taskRef: user, input: {given}}}", USER, input="{type: object}") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{tasks.a.output.naem}}", "unknown_property"),
        ("{{tasks.a.output.box.y}}", "unknown_property"),
        ("{{tasks.a.output.list[0].z}}", "unknown_property"),
        ("{{tasks.a.outptu.id}}", "unknown_property"),
        ("{{input.idd}}", "unknown_property"),
    ],
)
def test_a_property_that_is_certainly_not_there_is_told(text: str, code: str) -> None:
    first = "- {id: a, taskRef: user, input: {id: x}}\n"
    steps = f"{first}- {{id: b, taskRef: open, input: {{x: ['{text}']}}}}"
    found = warned(steps, USER, OPEN, input="{id: {type: string, description: d}}")
    assert found == [("spec.tasks[1].input.x[0]", code)]


@pytest.mark.parametrize(
    "text",
    [
        "{{tasks.a.output}}",
        "{{tasks.a.output.id}}",
        "{{tasks.a.output.box.x}}",
        "{{tasks.a.status}}",
        "{{tasks.a.output.list[0].y.anything}}",
        "{{tasks.o.output.whatever}}",
        "{{input.id}}",
    ],
)
def test_a_property_that_may_be_there_is_left_alone(text: str) -> None:
    steps = (
        "- {id: a, taskRef: user, input: {id: x}}\n- {id: o, taskRef: open}\n"
        f"- {{id: b, taskRef: open, input: {{x: '{text}'}}}}"
    )
    assert warned(steps, USER, OPEN, input="{id: {type: string, description: d}}") == []


def test_a_type_that_cannot_be_taken_is_told() -> None:
    steps = (
        "- {id: a, taskRef: user, input: {id: x}}\n"
        "- id: b\n  taskRef: user\n"
        "  input: {id: '{{tasks.a.output.age}}', size: '{{tasks.a.output.age}}'}"
    )
    assert warned(steps, USER) == [("spec.tasks[1].input.id", "type_clash")]
    catalogue = read(flow(steps), USER)
    message = first(catalogue, "type_clash").message
    assert message == "this must be string, not tasks.a.output.age (integer)"


def test_text_may_become_an_object_because_it_may_hold_json() -> None:
    steps = (
        "- {id: a, taskRef: user, input: {id: x}}\n"
        "- {id: b, taskRef: user, input: {id: x, body: '{{tasks.a.output.id}}'}}"
    )
    assert warned(steps, USER) == []


def test_the_outputs_of_a_switch_are_those_of_all_its_arms() -> None:
    cases = "[{match: x, taskRef: user}, {match: y, taskRef: %s}]"
    switch = f"- {{id: a, switch: {{value: x, cases: {cases}}}, input: {{id: x}}}}\n"
    reader = "- {id: b, taskRef: open, input: {x: '{{tasks.a.output.nope}}'}}"
    assert warned(switch % "open" + reader, USER, OPEN) == []
    assert warned(switch % "user" + reader, USER, OPEN) == [
        ("spec.tasks[1].input.x", "unknown_property")
    ]


def test_a_loop_gives_results_and_counts() -> None:
    loop = "- {id: a, taskRef: user, input: {id: x}, forEach: {items: [1]}}\n"
    for name, fits in (("results", True), ("itemCount", True), ("id", False)):
        steps = f"{loop}- {{id: b, taskRef: open, input: {{x: '{{{{tasks.a.output.{name}}}}}'}}}}"
        assert (warned(steps, USER, OPEN) == []) is fits


@pytest.mark.parametrize(
    ("schema", "given", "codes"),
    [
        ("{required: [a], properties: {a: {default: 1}}}", "{}", []),
        (
            "{required: [a], properties: {a: {$ref: '#/$defs/d'}}, $defs: {d: {default: 1}}}",
            "{}",
            [],
        ),
        ("{required: [a]}", "{}", ["missing_input"]),
        ("{additionalProperties: false, patternProperties: {'^x': {}}}", "{xy: 1}", []),
        (
            "{additionalProperties: false, anyOf: [{properties: {a: {}}}]}",
            "{a: 1}",
            ["unknown_input"],
        ),
        ("{additionalProperties: {type: string}}", "{a: 1}", []),
        ("{properties: {a: true}, additionalProperties: false}", "{a: 1}", []),
        ("{items: {type: string}}", "[1, a]", ["type_clash"]),
    ],
)
def test_only_what_is_certain_is_said(schema: str, given: str, codes: list[str]) -> None:
    taker = task_text(f"{{python: {{function: look}}, inputSchema: {schema}}}", "taker")
    found = warned(f"- {{id: a, taskRef: taker, input: {given}}}", taker)
    assert [code for _, code in found] == codes


def test_a_sub_workflow_is_known_by_its_input_and_output() -> None:
    sub = flow(
        "- {id: a, taskRef: look}",
        name="sub",
        input="{n: {type: integer, required: true, description: d}}",
        output='{total: "{{tasks.a.output}}"}',
    )
    call = (
        "- {id: s, workflowRef: %s, input: {n: %s}}\n"
        "- {id: b, taskRef: look, input: {x: '{{tasks.s.output.%s}}'}}"
    )
    assert warned(call % ("sub", "1", "total"), sub) == []
    assert warned(call % ("sub", "x", "sum"), sub) == [
        ("spec.tasks[0].input.n", "type_clash"),
        ("spec.tasks[1].input.x", "unknown_property"),
    ]
    # A pinned version may be another document than the one in the folder.
    assert warned(call % ("sub@1.0.0", "x", "sum"), sub) == []


def test_the_output_of_a_sub_workflow_may_be_anything() -> None:
    call = "- {id: s, workflowRef: sub}\n- {id: b, taskRef: look, input: '{{tasks.s.output.%s}}'}"
    plain = flow("- {id: a, taskRef: look}", name="sub")
    assert warned(call % "a", plain) == []
    assert warned(call % "b", plain) == [("spec.tasks[1].input", "unknown_property")]
    whole = flow("- {id: a, taskRef: look}", name="sub", output="'{{tasks.a.output}}'")
    assert warned(call % "b", whole) == []


def test_a_transform_takes_what_stands_under_data() -> None:
    assert warned("- {id: a, taskRef: rows, input: {data: [1]}}", ROWS) == []
    assert warned("- {id: a, taskRef: rows, input: {data: {x: 1}}}", ROWS) == [
        ("spec.tasks[0].input", "type_clash")
    ]


def test_a_transform_gives_its_result() -> None:
    steps = (
        "- {id: a, taskRef: rows, input: {data: [1]}}\n"
        "- {id: b, taskRef: look, input: {x: '{{tasks.a.output.%s}}'}}"
    )
    assert warned(steps % "result", ROWS) == []
    assert warned(steps % "reslt", ROWS) == [("spec.tasks[1].input.x", "unknown_property")]


def test_the_fallback_is_looked_at_with_the_input_it_gets() -> None:
    steps = "- {id: a, taskRef: look, input: {n: 1}, fallback: {taskRef: user}}"
    assert warned(steps, USER) == [
        ("spec.tasks[0].input.n", "unknown_input"),
        ("spec.tasks[0].input", "missing_input"),
    ]
    steps = "- {id: a, taskRef: look, fallback: {taskRef: user, input: {id: 7}}}"
    assert warned(steps, USER) == [("spec.tasks[0].fallback.input.id", "type_clash")]


def test_the_output_of_the_workflow_is_looked_at_too() -> None:
    steps = "- {id: a, taskRef: user, input: {id: x}}"
    found = warned(steps, USER, output='{x: "{{tasks.a.output.nope}}"}')
    assert found == [("spec.output.x", "unknown_property")]


def test_a_hundred_mismatches_in_one_input_do_not_hide_the_rest() -> None:
    rows = ", ".join("{k: 1}" for _ in range(100))
    found = warned(f"- {{id: a, taskRef: user, input: {{id: x, rows: [{rows}]}}}}", USER)
    assert len(found) == 20
