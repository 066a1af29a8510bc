"""Tasks and connectors: what they carry out, what they do to the world, who must accept it."""

import pytest

from engine.core.definition import needs_acceptance
from engine.core.model import Effect, Task, Workflow
from engine.core.retry import RetryPolicy
from tests.core.papers import LOOK, flow, read, task, task_text, told

SHOP = """
kind: Connector
apiVersion: t/v1
metadata: {name: shop, namespace: crm}
spec:
  baseUrl: https://shop.example/api/
  headers: {Accept: application/json}
  secrets: {key: 'secret://shop'}
  operations:
    get: {method: GET, path: '/users/{{input.id}}', timeout: 5s, retry: {maxAttempts: 2}}
    find: {method: POST, path: /search, effect: read, body: '{{input | toJson}}'}
    save:
      method: PUT
      path: /users
      reversible: true
      compareAndSet: true
      idempotency: {kind: key, header: Idempotency-Key, window: 24h, scope: account}
      body: {id: '{{input.id}}', name: '{{input.name}}'}
      lookup: {operation: get, match: '{{output.name}} == {{input.name}}', delay: 2s, final: true}
      notSentStatuses: [409]
"""


def http(spec: str) -> Task:
    return task(f"{{type: http, http: {spec}}}")


def test_an_http_task_is_a_request_with_templates() -> None:
    found = http(
        "{method: post, url: 'https://a.example/u/{{input.id}}', headers: {X-A: '{{input.a}}'},"
        " query: {q: '{{input.q}}', n: 3}, body: {b: ['{{input.b}}']}}"
    )
    request = found.http
    assert request is not None
    scope = {"input": {"id": 7, "a": "x", "q": "y", "b": True}}
    assert (request.method, request.url.render(scope)) == ("POST", "https://a.example/u/7")
    assert request.headers["X-A"].render(scope) == "x"
    assert {key: value.render(scope) for key, value in request.query.items()} == {"q": "y", "n": 3}
    assert request.body is not None
    assert request.body.render(scope) == {"b": [True]}


@pytest.mark.parametrize(
    ("spec", "path", "code"),
    [
        ("{url: '{{input.url}}'}", "url", "bad_url"),
        ("{url: '/users'}", "url", "bad_url"),
        ("{url: 'ftp://a.example'}", "url", "bad_url"),
        ("{url: 'https:///x'}", "url", "bad_url"),
        ("{url: 'https://me:word@a.example/'}", "url", "bad_url"),
        ("{url: 'file:///etc/passwd'}", "url", "bad_url"),
        ("{url: 7}", "url", "wrong_type"),
        ("{}", "url", "missing_field"),
        ("{url: 'https://a.example', method: FETCH}", "method", "bad_method"),
        ("{url: 'https://a.example', headers: {'a b': x}}", "headers", "bad_header"),
        ('{url: "https://a.example", headers: {A: "x\\r\\nB: y"}}', "headers.A", "bad_header"),
        ('{url: "https://a.example", headers: {A: "x\\ny"}}', "headers.A", "bad_header"),
        ('{url: "https://a.example", headers: {A: "x\\ry"}}', "headers.A", "bad_header"),
        ("{url: 'https://a.example/{{tasks.a.output}}'}", "url", "unknown_root"),
        ("{url: 'https://a.example/{{input.x'}", "url", "bad_template"),
        ("{url: 'https://a.example', query: [a]}", "query", "wrong_type"),
    ],
)
def test_a_request_that_cannot_be_made_is_refused(spec: str, path: str, code: str) -> None:
    found = told(read(task_text(f"{{type: http, http: {spec}}}")))
    assert (f"spec.http.{path}", code) in found


def test_a_wrong_operation_is_told_at_its_place() -> None:
    pipeline = "[{operation: limit, count: 1}, {operation: fliter, condition: '$.a'}]"
    catalogue = read(task_text(f"{{transform: {{pipeline: {pipeline}}}}}"))
    (found,) = catalogue.errors
    assert found.path.startswith("spec.transform.pipeline[1]")
    assert "filter" in found.hint


def test_a_get_is_sent_without_its_body_and_says_so() -> None:
    found = read(task_text("{http: {url: 'https://a.example', body: x}}"))
    assert told(found, "warning") == [("spec.http.body", "no_effect")]


def test_a_host_that_comes_from_the_input_is_warned() -> None:
    found = read(task_text("{http: {url: 'https://{{input.host}}/x'}}"))
    assert told(found, "warning") == [("spec.http.url", "host_from_input")]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{}", "missing_field"),
        ("{type: soap}", "unknown_type"),
        ("{type: http}", "missing_field"),
        ("{type: [http]}", "unknown_type"),
        ("{type: transform}", "missing_field"),
        ("{transform: {pipeline: [{operation: fliter}]}}", "bad_transform"),
        ("{transform: [1]}", "wrong_type"),
        ("{type: python}", "missing_field"),
        ("{type: python, python: {function: lok}}", "unknown_function"),
        ("{type: sleep}", "missing_field"),
        ("{type: sleep, sleep: {duration: 1s, until: x}}", "missing_field"),
        ("{type: sleep, sleep: {duration: 1 day}}", "bad_duration"),
        ("{type: workflow}", "missing_field"),
        ("{type: workflow, workflow: none}", "unknown_workflow"),
        ("{type: sleep, sleep: {duration: 1s}, http: {url: 'https://a.example'}}", "conflict"),
        ("{http: {url: 'https://a.example'}, request: {url: 'https://a.example'}}", "conflict"),
        ("{sleep: {duration: 1s}, inputSchema: {type: strange}}", "bad_schema"),
        ("{sleep: {duration: 1s}, outputSchema: [1]}", "wrong_type"),
        ("{sleep: {duration: 1s}, effect: harmless}", "bad_value"),
        ("{http: {url: 'https://a.example'}, effect: pure}", "bad_effect"),
        ("{connector: shop}", "bad_reference"),
        ("{connector: none/get}", "unknown_connector"),
        ("{connector: shop/gett}", "unknown_operation"),
        ("{connector: shop/get, http: {url: 'https://b.example'}}", "conflict"),
        ("{connector: shop/get, http: {method: POST}}", "conflict"),
    ],
)
def test_a_task_that_cannot_work_is_refused(spec: str, code: str) -> None:
    catalogue = read(task_text(spec), SHOP)
    assert code in {problem.code for problem in catalogue.errors}
    assert catalogue.tasks == {}


def test_a_sleep_has_a_length_or_an_end() -> None:
    found = task("{sleep: {duration: 5s}}")
    assert found.sleep is not None
    assert (found.sleep.render({}), found.effect) == ({"duration": "5s"}, Effect.PURE)
    found = task("{sleep: {until: '{{input.at}}'}}")
    assert found.sleep is not None
    assert found.sleep.render({"input": {"at": "x"}}) == {"until": "x"}


def test_a_task_keeps_its_words_and_policies() -> None:
    found = task(
        "{sleep: {duration: 5s}, description: Rest, category: calm, tags: [a], timeout: 1m,"
        " retry: {maxAttempts: 2}, inputSchema: {type: object}, outputSchema: {type: object}}"
    )
    assert (found.description, found.category, found.tags) == ("Rest", "calm", ("a",))
    assert (found.timeout, found.retry) == (60_000_000, RetryPolicy(attempts=2))
    assert (found.input_schema, found.output_schema) == ({"type": "object"}, {"type": "object"})


# -- connectors ---------------------------------------------------------------------------


def test_an_operation_supplies_what_the_task_leaves_out() -> None:
    found = task("{connector: shop/get}", SHOP)
    assert found.http is not None
    assert found.http.url.render({"input": {"id": 7}}) == "connector://shop/users/7"
    assert (found.type, found.http.method, found.effect) == ("http", "GET", Effect.READ)
    assert found.http.headers["Accept"].render({}) == "application/json"
    assert (found.timeout, found.retry) == (5_000_000, RetryPolicy(attempts=2))


def test_a_task_adds_to_its_operation() -> None:
    found = task(
        "{connector: crm/shop/find, http: {headers: {X: y}, query: {q: a}, body: b}, timeout: 1s}",
        SHOP,
    )
    assert found.http is not None
    assert set(found.http.headers) == {"Accept", "X"}
    assert found.http.body is not None
    assert (found.http.body.render({}), found.timeout) == ("b", 1_000_000)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{}", "missing_field"),
        ("{baseUrl: shop.example}", "bad_url"),
        ("{baseUrl: 'https://{{input.x}}.example'}", "bad_url"),
        ("{baseUrl: 'https://a.example?x=1'}", "bad_url"),
        ("{baseUrl: 'https://a:b@c.example'}", "bad_url"),
        ("{baseUrl: 'https://a.example', secrets: {key: hunter2}}", "secret_in_document"),
        ("{baseUrl: 'https://a.example', operations: {'a b': {path: /}}}", "bad_name"),
        ("{baseUrl: 'https://a.example', operations: {a: {path: x}}}", "bad_url"),
        ("{baseUrl: 'https://a.example', operations: {a: 7}}", "wrong_type"),
        ("{baseUrl: 'https://a.example', operations: {a: {path: /, effect: pure}}}", "bad_effect"),
    ],
)
def test_a_connector_that_cannot_be_trusted_is_refused(spec: str, code: str) -> None:
    spec = spec.replace("BASE", "{baseUrl: 'https://a.example',")
    text = f"kind: Connector\napiVersion: t/v1\nmetadata: {{name: shop}}\nspec: {spec}\n"
    catalogue = read(text)
    assert code in {problem.code for problem in catalogue.errors}
    assert catalogue.connectors == {}


# -- effects and acceptance -----------------------------------------------------------------


def only(*texts: str) -> Workflow:
    catalogue = read(flow("- {id: a, taskRef: made}"), *texts, LOOK, SHOP)
    assert not catalogue.errors, catalogue.errors
    return catalogue.workflows[("default", "flow")]


@pytest.mark.parametrize(
    ("spec", "effect", "pending"),
    [
        ("{http: {url: 'https://a.example'}}", "read", False),
        ("{http: {url: 'https://a.example', method: HEAD}}", "read", False),
        ("{http: {url: 'https://a.example', method: POST}}", "mutation", True),
        ("{http: {url: 'https://a.example', method: OPTIONS}}", "mutation", True),
        ("{http: {url: 'https://a.example', method: POST}, effect: read}", "read", True),
        ("{http: {url: 'https://a.example'}, effect: mutation}", "mutation", True),
        ("{python: {function: add}}", "pure", False),
        ("{python: {function: look}}", "read", False),
        ("{python: {function: send}}", "mutation", True),
        ("{python: {function: send}, effect: read}", "read", True),
        ("{python: {function: look}, effect: mutation}", "mutation", True),
        ("{sleep: {duration: 1s}}", "pure", False),
        ("{connector: shop/get}", "read", False),
        ("{connector: shop/save}", "mutation", True),
        ("{connector: shop/find}", "read", True),
        ("{connector: shop/find, effect: mutation}", "mutation", True),
        ("{workflow: sub}", "read", False),
    ],
)
def test_a_claim_weaker_than_the_rule_waits_for_a_person(
    spec: str, effect: str, pending: bool
) -> None:
    found = only(task_text(spec), flow("- {id: a, taskRef: look}", name="sub"))
    assert (found.effect.value, needs_acceptance(found)) == (effect, pending)


def test_an_inline_task_cannot_claim_its_way_past_a_person() -> None:
    claim = "- {id: a, python: {function: send}, effect: read}"
    found = read(flow(claim)).workflows[("default", "flow")]
    assert (found.effect, needs_acceptance(found)) == (Effect.READ, True)


def test_a_task_that_starts_a_workflow_counts_wherever_it_stands() -> None:
    for text in (
        "- {id: a, taskRef: look, fallback: {taskRef: made}}",
        "- {id: a, switch: {value: x, default: {taskRef: made}}}",
    ):
        sub = flow("- {id: a, python: {function: send}}", name="sub")
        found = read(flow(text), task_text("{workflow: sub}"), sub, LOOK)
        assert found.workflows[("default", "flow")].effect is Effect.MUTATION
        assert needs_acceptance(found.workflows[("default", "flow")])


def test_a_claim_in_a_switch_or_a_fallback_is_seen_too() -> None:
    claim = task_text("{python: {function: send}, effect: read}", "claim")
    for text in (
        "- {id: a, taskRef: look, fallback: {taskRef: claim}}",
        "- {id: a, switch: {value: x, default: {taskRef: claim}}}",
    ):
        found = read(flow(text), claim, LOOK).workflows[("default", "flow")]
        assert needs_acceptance(found)


def test_a_weaker_claim_is_reported() -> None:
    spec = "{http: {url: 'https://a.example', method: POST}, effect: read}"
    assert told(read(task_text(spec)), "warning") == [("spec.effect", "weak_effect")]


def test_a_task_cannot_contradict_its_connector() -> None:
    strict = SHOP.replace("effect: read", "effect: mutation")
    catalogue = read(task_text("{connector: shop/find, effect: read}"), strict)
    assert catalogue.tasks[("default", "made")].effect is Effect.MUTATION
    assert told(catalogue, "warning") == [("spec.effect", "contradiction")]
