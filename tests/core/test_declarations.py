"""What a connector or a task declares about a call, and what contradicts itself."""

from typing import Any

import pytest

from engine.core.declared import Declared, Idempotency
from engine.core.model import Effect, Task
from tests.core.papers import flow, read, task, task_text, told

CREW = """
kind: Connector
apiVersion: t/v1
metadata: {name: crew, namespace: sea}
spec:
  baseUrl: https://crew.example/api
  operations:
    find: {path: '/hands/{{input.id}}'}
    search: {path: /hands, query: {ref: '{{input.ref}}'}, timeout: 5s}
    all: {path: /hands}
    fire: {method: DELETE, path: '/hands/{{input.id}}'}
    rehire: {method: POST, path: '/hands/{{input.id}}/back'}
    made: OPERATION
"""
POST = "method: POST, path: /hands, body: {name: '{{input.name}}', id: '{{input.id}}'}"
KEY = "idempotency: {kind: key, header: X-Key, window: 24h}"
MATCH = "match: '{{output.name}} == {{input.name}}'"
HTTP = "http: {method: POST, url: 'https://a.example', body: '{{input}}'}"


def declared(operation: str) -> Declared:
    catalogue = read(CREW.replace("OPERATION", operation))
    assert not catalogue.errors, catalogue.errors
    return catalogue.connectors[("sea", "crew")].operations["made"].declared


def wrong(operation: str) -> list[tuple[str, str]]:
    catalogue = read(CREW.replace("OPERATION", operation))
    assert (("sea", "crew") in catalogue.connectors) is not bool(catalogue.errors)
    return [(path.removeprefix("spec.operations.made."), code) for path, code in told(catalogue)]


@pytest.mark.requirement("gate-declarations")
def test_an_operation_declares_how_its_call_behaves() -> None:
    found = declared(
        "{method: PUT, path: '/hands/{{input.id}}', verb: update, reversible: {operation: fire},"
        " headers: {If-Match: '{{input.tag}}'}, body: {name: '{{input.name}}'},"
        " idempotency: {kind: key, header: X-Key, window: 24h, scope: account},"
        " lookup: {operation: search, input: {ref: '{{key}}'}, match: '{{output.n}} > 0',"
        " result: {id: '{{output.id}}'}, delay: 2s, final: true},"
        " compareAndSet: etag, precondition: {operation: find, value: '{{output.name}}'},"
        " notSentStatuses: [409, 503], atomic5xx: true}"
    )
    assert (found.operation, found.verb) == ("sea/crew/made", "update")
    assert (found.reversible, found.undo) == (True, "fire")
    assert found.idempotency == Idempotency("key", "X-Key", 86_400_000_000, "account")
    assert (found.compare_and_set, found.not_sent, found.atomic_5xx) == ("etag", (409, 503), True)
    assert found.precondition is not None
    assert found.precondition.read.http.url.render({"input": {"id": 7}}).endswith("/hands/7")
    assert found.lookup is not None
    assert (found.lookup.delay, found.lookup.final) == (2_000_000, True)
    assert (found.lookup.read.operation, found.lookup.read.timeout) == ("search", 5_000_000)
    assert found.lookup.match.evaluate({"output": {"n": 1}, "input": {}, "key": "k"})


@pytest.mark.parametrize(
    ("operation", "verb"),
    [
        ("{method: POST, path: /}", "create"),
        ("{method: PUT, path: /}", "update"),
        ("{method: PATCH, path: /}", "update"),
        ("{method: DELETE, path: /}", "delete"),
        ("{method: OPTIONS, path: /}", "call"),
        ("{method: POST, path: /, verb: send}", "send"),
        ("{path: /, effect: mutation}", "call"),
        ("{path: /}", ""),
        ("{method: POST, path: /, effect: read}", ""),
    ],
)
def test_the_verb_follows_from_the_method_unless_it_is_declared(operation: str, verb: str) -> None:
    assert declared(operation).verb == verb


@pytest.mark.parametrize(
    ("written", "word"),
    [("true", "version"), ("false", "none"), ("where", "where"), ("none", "none")],
)
def test_compare_and_set_is_a_word_or_a_flag(written: str, word: str) -> None:
    assert declared(f"{{{POST}, compareAndSet: {written}}}").compare_and_set == word


def test_a_header_without_a_promise_carries_a_reference() -> None:
    found = declared(
        f"{{{POST}, idempotency: {{kind: none, header: X-Ref}},"
        " lookup: {operation: search, input: {ref: '{{key}}'}, match: 'output.n > 0'}}"
    )
    assert (found.idempotency.kind, found.idempotency.header) == ("none", "X-Ref")


@pytest.mark.requirement("gate-declarations")
@pytest.mark.parametrize(
    ("more", "path", "code"),
    [
        ("idempotency: key", "header", "missing_field"),
        ("idempotency: {kind: key, window: 1h}", "idempotency.header", "missing_field"),
        ("idempotency: {kind: key, header: X-Key}", "idempotency.window", "missing_field"),
        ("idempotency: {kind: odd}", "idempotency.kind", "bad_value"),
        ("idempotency: natural", "idempotency", "contradiction"),
        ("verb: pay, idempotency: natural", "idempotency", "contradiction"),
        ("verb: send, idempotency: natural", "idempotency", "contradiction"),
        (
            "verb: update, idempotency: {kind: natural, header: X}",
            "idempotency.header",
            "contradiction",
        ),
        ("idempotency: {window: 1h}", "idempotency.window", "contradiction"),
        ("idempotency: {scope: account}", "idempotency.scope", "contradiction"),
        (KEY.replace("X-Key", "Host"), "idempotency.header", "bad_header"),
        (KEY.replace("X-Key", "a b"), "idempotency.header", "bad_header"),
        (f"{KEY}, headers: {{x-key: a}}", "idempotency.header", "contradiction"),
        ("lookup: {}", "lookup.operation", "missing_field"),
        (f"lookup: {{operation: none, {MATCH}}}", "lookup.operation", "unknown_operation"),
        (f"lookup: {{operation: fire, {MATCH}}}", "lookup.operation", "bad_effect"),
        (f"lookup: {{operation: made, {MATCH}}}", "lookup.operation", "bad_effect"),
        ("lookup: {operation: find}", "lookup.match", "missing_field"),
        ("lookup: {operation: find, match: '1 == 1'}", "lookup.match", "contradiction"),
        ("lookup: {operation: find, match: 'input.id == 1'}", "lookup.match", "contradiction"),
        ("lookup: {operation: all, match: 'output.n > 0'}", "lookup.match", "contradiction"),
        ("lookup: {operation: find, match: 'tasks.a == 1'}", "lookup.match", "bad_condition"),
        (f"lookup: {{operation: find, {MATCH}, final: true}}", "lookup.final", "contradiction"),
        ("lookup: {operation: find, match: 'output.x == key'}", "lookup.input", "contradiction"),
        (
            "lookup: {operation: find, match: 'output.x == input.nme'}",
            "lookup.input",
            "contradiction",
        ),
        (
            f"lookup: {{operation: find, input: {{no: '{{{{input.id}}}}'}}, {MATCH}}}",
            "lookup.input",
            "contradiction",
        ),
        (
            f"lookup: {{operation: find, {MATCH}, http: {{url: 'https://a.example'}}}}",
            "lookup.http",
            "conflict",
        ),
        ("verb: delete, reversible: true", "reversible", "contradiction"),
        ("verb: send, reversible: true", "reversible", "contradiction"),
        ("reversible: {operation: find}", "reversible.operation", "contradiction"),
        ("reversible: {operation: none}", "reversible.operation", "unknown_operation"),
        ("reversible: 7", "reversible", "wrong_type"),
        ("compareAndSet: etag", "compareAndSet", "contradiction"),
        ("compareAndSet: odd", "compareAndSet", "bad_value"),
        ("verb: hammer", "verb", "bad_value"),
        ("precondition: {operation: fire}", "precondition.operation", "bad_effect"),
        ("precondition: {operation: find, value: 7}", "precondition.value", "contradiction"),
        (
            f"{KEY}, precondition: {{operation: search, input: {{ref: '{{{{key}}}}'}}}}",
            "precondition.input",
            "contradiction",
        ),
        ("notSentStatuses: [200]", "notSentStatuses", "contradiction"),
        ("notSentStatuses: [302]", "notSentStatuses", "bad_value"),
        ("notSentStatuses: [true]", "notSentStatuses", "bad_value"),
        ("atomic5xx: 1", "atomic5xx", "wrong_type"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(more: str, path: str, code: str) -> None:
    assert (path, code) in wrong(f"{{{POST}, {more}}}")


def test_a_delete_is_told_as_what_it_is() -> None:
    assert wrong("{method: DELETE, path: /, verb: update}") == [("verb", "contradiction")]
    assert declared("{method: DELETE, path: /, reversible: {operation: rehire}}").undo == "rehire"


@pytest.mark.parametrize(
    "more",
    [
        "verb: call",
        "reversible: true",
        "idempotency: natural",
        KEY,
        f"lookup: {{operation: find, {MATCH}}}",
        "compareAndSet: true",
        "precondition: {operation: find}",
        "notSentStatuses: [409]",
        "atomic5xx: true",
    ],
)
def test_a_read_cannot_declare_how_a_change_behaves(more: str) -> None:
    word = more.split(":")[0]
    assert wrong(f"{{path: /, {more}}}") == [(word, "contradiction")]
    assert wrong(f"{{method: POST, path: /, effect: read, {more}}}") == [(word, "contradiction")]


def test_a_read_may_say_that_it_promises_nothing() -> None:
    calm = (
        "{path: /, idempotency: none, reversible: false, compareAndSet: none, notSentStatuses: []}"
    )
    assert declared(calm) == Declared()


# -- tasks ----------------------------------------------------------------------------------


def made(spec: str, *others: str) -> Task:
    return task(spec, *others)


def test_a_task_of_a_connector_has_what_its_operation_declares() -> None:
    found = made("{connector: sea/crew/made}", CREW.replace("OPERATION", f"{{{POST}, {KEY}}}"))
    assert found.declared.idempotency.header == "X-Key"
    assert found.http is not None
    assert found.http.key_header == "X-Key"


def test_a_task_of_its_own_declares_the_same_itself() -> None:
    found = made(
        f"{{{HTTP}, verb: pay, {KEY}, lookup: {{http: {{url: 'https://a.example/"
        "{{input.id}}'}, match: 'output.n > 0'}}"
    )
    assert (found.effect, found.declared.verb) == (Effect.MUTATION, "pay")
    assert found.declared.lookup is not None
    assert found.declared.lookup.read.http.method == "GET"
    assert found.http is not None
    assert found.http.key_header == "X-Key"


def test_a_step_declares_it_where_it_stands() -> None:
    catalogue = read(flow(f"- {{id: a, {HTTP}, idempotency: natural, verb: update}}"))
    target: Any = catalogue.workflows[("default", "flow")].steps[0].target
    assert target.declared.idempotency.kind == "natural"


@pytest.mark.parametrize(
    ("spec", "path", "code"),
    [
        ("{connector: sea/crew/made, idempotency: natural}", "idempotency", "conflict"),
        ("{connector: sea/crew/made, http: {headers: {x-key: a}}}", "http.headers", "conflict"),
        ("{sleep: {duration: 1s}, reversible: true}", "reversible", "conflict"),
        ("{transform: {pipeline: []}, verb: pay}", "verb", "conflict"),
        ("{python: {function: look}, idempotency: natural}", "idempotency", "contradiction"),
        (f"{{python: {{function: send}}, {KEY}}}", "idempotency.header", "contradiction"),
        (f"{{{HTTP}, effect: read, {KEY}}}", "idempotency", "contradiction"),
        (
            f"{{{HTTP}, lookup: {{operation: find, {MATCH}}}}}",
            "lookup.operation",
            "conflict",
        ),
        (
            f"{{{HTTP}, lookup: {{http: {{url: 'https://a.example', method: POST}}, {MATCH}}}}}",
            "lookup.http",
            "bad_effect",
        ),
        (f"{{{HTTP}, reversible: {{operation: undo}}}}", "reversible.operation", "conflict"),
    ],
)
def test_a_task_cannot_promise_what_is_not_its_own(spec: str, path: str, code: str) -> None:
    catalogue = read(task_text(spec), CREW.replace("OPERATION", f"{{{POST}, {KEY}}}"))
    assert (f"spec.{path}", code) in told(catalogue)
    assert catalogue.tasks == {}


def test_what_is_declared_is_part_of_the_version() -> None:
    step = "- {id: a, connector: sea/crew/made}"
    digests = {
        read(flow(step), CREW.replace("OPERATION", operation)).workflows[("default", "flow")].digest
        for operation in (f"{{{POST}}}", f"{{{POST}, reversible: true}}", f"{{{POST}, {KEY}}}")
    }
    assert len(digests) == 3


# -- hosts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ("[crew.example]", ""),
        ("[CREW.example, other.example:8443]", ""),
        ("crew.example:443", ""),
        ("[other.example]", "contradiction"),
        ("[crew.example:80]", "contradiction"),
        ("['https://crew.example', crew.example]", "bad_value"),
        ("['*', crew.example]", "bad_value"),
    ],
)
def test_the_allowed_hosts_of_a_connector_hold_its_own(hosts: str, code: str) -> None:
    text = CREW.replace("OPERATION", "{path: /}")
    catalogue = read(text.replace("spec:\n", f"spec:\n  allowedHosts: {hosts}\n"))
    assert [each for _, each in told(catalogue)] == ([code] if code else [])
