"""Every form a step can have, in every spelling, and what is refused."""

import pytest

from engine.core.breaker import BreakerPolicy
from engine.core.errors import RETRYABLE, Kind
from engine.core.model import Effect, Task, WorkflowRef
from engine.core.retry import NEVER, RetryPolicy
from tests.core.papers import LOOK, compiled, first, flow, read, step, warned, wrong

MILLI, SECOND = 1_000, 1_000_000
UNKNOWN, NO_STEP = "unknown_task", "unknown_step"


@pytest.mark.parametrize(
    ("text", "micros"),
    [("250ms", 250 * MILLI), ("30s", 30 * SECOND), ("5m", 300 * SECOND), ("2h", 7_200 * SECOND)],
)
def test_a_timeout_has_a_unit(text: str, micros: int) -> None:
    assert step(f"- {{id: a, taskRef: look, timeout: {text}}}").timeout == micros


@pytest.mark.parametrize("text", ["30", "1d", "-1s", "1.5s", "'5 m'", "0s", "9999999h", "[]", "''"])
def test_a_timeout_without_a_sound_unit_is_refused(text: str) -> None:
    assert wrong(f"- {{id: a, taskRef: look, timeout: {text}}}") == [
        ("spec.tasks[0].timeout", "bad_duration")
    ]


def test_a_number_without_a_unit_is_met_with_a_suggestion() -> None:
    catalogue = read(flow("- {id: a, taskRef: look, timeout: 30}"), LOOK)
    assert first(catalogue, "bad_duration").hint == "write 30s or 30ms"


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{maxAttempts: 3, backoffMs: 1000}", RetryPolicy(attempts=3, initial=SECOND)),
        ("{maxAttempts: 2}", RetryPolicy(attempts=2)),
        ("{backoffMs: 60000}", RetryPolicy(initial=60 * SECOND, maximum=60 * SECOND)),
        ("{}", RetryPolicy()),
        ("exponential", RetryPolicy()),
        ("fixed", RetryPolicy(factor=1)),
        ("none", NEVER),
        ("{policy: none}", NEVER),
        ("{policy: fixed, initialDelay: 2s}", RetryPolicy(factor=1, initial=2 * SECOND)),
        (
            "{policy: exponential, maxAttempts: 7, initialDelay: 1s, maxDelay: 1m, multiplier: 3,"
            " jitter: 0.5, on: [transient, auth], deadline: 10m}",
            RetryPolicy(
                attempts=7,
                initial=SECOND,
                maximum=60 * SECOND,
                factor=3,
                jitter=0.5,
                kinds=frozenset({Kind.TRANSIENT, Kind.AUTH}),
                within=600 * SECOND,
            ),
        ),
        ("{on: timeout}", RetryPolicy(kinds=frozenset({Kind.TIMEOUT}))),
        ("{on: []}", RetryPolicy(kinds=frozenset())),
    ],
)
def test_retry_has_a_short_and_a_full_form(text: str, policy: RetryPolicy) -> None:
    assert step(f"- {{id: a, taskRef: look, retry: {text}}}").retry == policy
    assert step(f"- {{id: a, taskRef: look, retryPolicy: {text}}}").retry == policy


def test_a_step_without_retry_has_no_policy_of_its_own() -> None:
    assert step("- {id: a, taskRef: look}").retry is None
    assert RetryPolicy().kinds == RETRYABLE


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("retry: always", "retry", "bad_value"),
        ("retry: 3", "retry", "wrong_type"),
        ("retry: {maxAttempts: 0}", "retry.maxAttempts", "wrong_type"),
        ("retry: {maxAttempts: true}", "retry.maxAttempts", "wrong_type"),
        ("retry: {maxAttempts: 1.5}", "retry.maxAttempts", "wrong_type"),
        ("retry: {backoffMs: -1}", "retry.backoffMs", "wrong_type"),
        ("retry: {backoffMs: 1, initialDelay: 1s}", "retry.backoffMs", "conflict"),
        ("retry: {policy: linear}", "retry.policy", "bad_value"),
        ("retry: {multiplier: 0.5}", "retry.multiplier", "wrong_type"),
        ("retry: {jitter: 2}", "retry.jitter", "wrong_type"),
        ("retry: {on: [oops]}", "retry.on", "bad_value"),
        ("retry: {on: [cancelled]}", "retry.on", "bad_value"),
        ("retry: {initialDelay: 10s, maxDelay: 1s}", "retry.maxDelay", "bad_value"),
        ("retry: {}, retryPolicy: {}", "retryPolicy", "conflict"),
        ("circuitBreaker: {failureThreshold: 0}", "circuitBreaker.failureThreshold", "wrong_type"),
        ("circuitBreaker: {breakDuration: 5}", "circuitBreaker.breakDuration", "bad_duration"),
        ("condition: {}", "condition.if", "wrong_type"),
        ("condition: 7", "condition", "wrong_type"),
        ("if: ''", "if", "wrong_type"),
        ("if: 'input.x >'", "if", "bad_condition"),
        ("if: 'tasks.b.output'", "if", "unknown_step"),
        ("if: 'forEach.item == 1'", "if", "unknown_root"),
        ("if: 'true', when: 'true'", "when", "conflict"),
        ("input: '{{input.x'", "input", "bad_template"),
        ("input: {deep: ['{{ 1 + }}']}", "input.deep[0]", "bad_template"),
        ("input: '{{secrets.x}}'", "input", "bad_template"),
        ("forEach: {}", "forEach.items", "missing_field"),
        ("forEach: {items: 7}", "forEach.items", "wrong_type"),
        ("forEach: {items: [], in: []}", "forEach.in", "conflict"),
        ("forEach: {items: [], itemVar: 'a b'}", "forEach.itemVar", "bad_name"),
        ("forEach: {items: [], itemVar: index}", "forEach.indexVar", "conflict"),
        ("forEach: {items: [], maxParallel: 0}", "forEach.maxParallel", "wrong_type"),
        ("forEach: {items: [], parallel: 3}", "forEach.parallel", "wrong_type"),
        ("forEach: {items: [], as: n}, input: '{{forEach.nn}}'", "input", "unknown_variable"),
        ("switch: {cases: [{match: a, taskRef: look}]}", "switch.value", "missing_field"),
        ("switch: {value: x}", "switch.cases", "missing_field"),
        ("switch: {value: x, cases: [{taskRef: look}]}", "switch.cases[0].match", "missing_field"),
        ("switch: {value: x, cases: [{match: a}]}", "switch.cases[0].taskRef", "missing_field"),
        ("switch: {value: x, cases: [{match: a, taskRef: n}]}", "switch.cases[0].taskRef", UNKNOWN),
        ("switch: {value: x, default: {taskRef: n}}", "switch.default.taskRef", UNKNOWN),
        ("switch: {value: '{{tasks.no.x}}', default: {taskRef: look}}", "switch.value", NO_STEP),
        ("fallback: {}", "fallback.taskRef", "missing_field"),
        ("fallback: {taskRef: n}", "fallback.taskRef", "unknown_task"),
        ("fallback: {taskRef: look, input: '{{tasks.no.x}}'}", "fallback.input", NO_STEP),
        ("dependsOn: {a: b}", "dependsOn", "wrong_type"),
        ("dependsOn: [7]", "dependsOn[0]", "wrong_type"),
        ("http: {url: 'https://a.example'}", "http", "conflict"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_work_is_refused_at_its_place(text: str, path: str, code: str) -> None:
    found = wrong(f"- {{id: a, taskRef: look, {text}}}")
    assert (f"spec.tasks[0].{path}", code) in found


@pytest.mark.parametrize(
    "text", ["condition: {if: 'input.go'}", "condition: input.go", "if: input.go", "when: input.go"]
)
def test_a_condition_has_four_spellings(text: str) -> None:
    condition = step(f"- {{id: a, taskRef: look, {text}}}").condition
    assert condition is not None
    assert (condition.source, condition.evaluate({"input": {"go": True}})) == ("input.go", True)


def test_a_bare_truth_value_is_a_condition() -> None:
    condition = step("- {id: a, taskRef: look, if: false}").condition
    assert condition is not None
    assert condition.evaluate({}) is False


def test_a_switch_compares_text_and_its_default_comes_last() -> None:
    found = step("""
        - id: a
          taskRef: look
          switch:
            value: "{{input.x}}"
            cases:
              - {match: gold, taskRef: send}
              - {match: 3, taskRef: look}
              - {match: true, workflowRef: other}
              - {match: null, taskRef: look}
            default: {taskRef: look}
    """, flow("- {id: a, taskRef: look}", name="other"))  # fmt: skip
    assert found.switch is not None
    assert [case.match for case in found.switch.cases] == ["gold", "3", "true", "", None]
    assert found.switch.cases[2].target == WorkflowRef("default", "other")
    assert isinstance(found.target, Task)


def test_a_switch_alone_is_a_step() -> None:
    found = step("- {id: a, switch: {value: x, cases: [{match: x, taskRef: look}]}}")
    assert found.target is None


def test_the_effect_of_a_switch_is_that_of_its_strongest_arm() -> None:
    found = compiled("- {id: a, switch: {value: x, cases: [{match: x, taskRef: send}]}}")
    assert found.effect is Effect.MUTATION


def test_the_effect_of_a_fallback_counts() -> None:
    found = compiled("- {id: a, taskRef: look, fallback: {taskRef: send}}")
    assert found.effect is Effect.MUTATION


def test_a_case_that_stands_twice_is_warned() -> None:
    found = warned("""
        - id: a
          switch:
            value: x
            cases: [{match: a, taskRef: look}, {match: a, taskRef: send}]
    """)
    assert found == [("spec.tasks[0].switch.cases[1].match", "unreachable")]


@pytest.mark.parametrize(
    ("text", "item", "index", "limit"),
    [
        ("{items: '{{input.l}}'}", "item", "index", 1),
        ("{in: '{{input.l}}', as: user}", "user", "index", 1),
        ("{items: [1, 2], itemVar: user, indexVar: i}", "user", "i", 1),
        ("{items: [], parallel: true}", "item", "index", None),
        ("{items: [], parallel: false}", "item", "index", 1),
        ("{items: [], parallel: true, maxConcurrency: 3}", "item", "index", 3),
        ("{items: [], maxConcurrency: 3}", "item", "index", 3),
        ("{items: [], maxParallel: 5}", "item", "index", 5),
    ],
)
def test_a_loop_has_both_spellings(text: str, item: str, index: str, limit: int | None) -> None:
    loop = step(f"- {{id: a, taskRef: look, forEach: {text}}}").for_each
    assert loop is not None
    assert (loop.item_var, loop.index_var, loop.limit) == (item, index, limit)


def test_a_limit_beside_parallel_false_has_no_effect_and_says_so() -> None:
    text = "- {id: a, taskRef: look, forEach: {items: [], parallel: false, maxConcurrency: 3}}"
    assert step(text).for_each == step("- {id: a, taskRef: look, forEach: {items: []}}").for_each
    assert warned(text) == [("spec.tasks[0].forEach.maxConcurrency", "no_effect")]


@pytest.mark.parametrize("name", ["item", "index", "user", "$parent", "$root"])
def test_a_loop_knows_its_variables(name: str) -> None:
    loop = "forEach: {in: [], as: user}"
    found = step(f"- {{id: a, taskRef: look, {loop}, input: '{{{{forEach.{name}}}}}'}}")
    assert found.input.source == f"{{{{forEach.{name}}}}}"


def test_a_breaker_has_the_defaults_of_the_platform() -> None:
    text = "- {id: a, taskRef: look, circuitBreaker: %s}"
    assert step(text % "{}").breaker == BreakerPolicy(5, 60 * SECOND, 30 * SECOND, 3)
    full = "{failureThreshold: 2, samplingDuration: 10s, breakDuration: 1m, halfOpenRequests: 1}"
    assert step(text % full).breaker == BreakerPolicy(2, 10 * SECOND, 60 * SECOND, 1)
    assert step("- {id: a, taskRef: look}").breaker is None


def test_a_fallback_has_an_input_of_its_own_or_the_steps() -> None:
    found = step("- {id: a, taskRef: send, fallback: {taskRef: look, input: {x: 1}}}").fallback
    assert found is not None
    assert found.input is not None
    assert found.input.source == {"x": 1}
    found = step("- {id: a, taskRef: send, fallback: {taskRef: look}}").fallback
    assert found is not None
    assert found.input is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("type: http, http: {url: 'https://a.example/{{input.x}}'}", "http"),
        ("http: {url: 'https://a.example'}", "http"),
        ("request: {url: 'https://a.example', method: post}", "http"),
        ("type: sleep, sleep: {duration: 5s}", "sleep"),
        ("type: python, python: {function: add}", "python"),
        ("type: workflow, workflow: other", "workflow"),
    ],
)
def test_a_step_may_carry_its_task_in_itself(text: str, kind: str) -> None:
    other = flow("- {id: a, taskRef: look}", name="other")
    target = step(f"- {{id: pause, {text}, input: {{x: 1}}}}", other).target
    assert isinstance(target, Task)
    assert (target.type, target.name, target.namespace) == (kind, "pause", "default")


def test_a_step_without_input_gives_an_empty_object() -> None:
    assert step("- {id: a, taskRef: look}").input.render({}) == {}
    assert step("- {id: a, taskRef: look, input: null}").input.render({}) == {}


def test_the_errors_of_an_inline_task_are_told_in_the_step() -> None:
    assert wrong("- {id: a, type: sleep, sleep: {duration: long}}") == [
        ("spec.tasks[0].sleep.duration", "bad_duration")
    ]
    assert wrong("- {id: a, type: htp}") == [("spec.tasks[0].type", "unknown_type")]


@pytest.mark.parametrize(
    "name", ["", "..", "-a", "a b", "a.b", "ä", "🙂", "a/b", "x" * 64, "x" * 10_000]
)
def test_an_id_that_cannot_stand_in_a_path_is_refused(name: str) -> None:
    assert wrong(f"- {{id: '{name}', taskRef: look}}") == [("spec.tasks[0].id", "bad_id")]


@pytest.mark.parametrize("name", ["a", "7", "A-b_c9", "x" * 63])
def test_a_plain_id_is_accepted(name: str) -> None:
    assert step(f"- {{id: '{name}', taskRef: look}}").id == name
