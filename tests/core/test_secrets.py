"""Secrets in requests: markers until the last moment, each value escaped for its place."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.declared import HttpSpec
from engine.core.definition import needs_acceptance
from engine.core.errors import Failure, Kind, StepError
from engine.core.request import Request, build, filled, shown
from engine.core.secrets import SecretRef, parse_reference
from engine.core.template import compile_template
from tests.core.papers import flow, read, told

BANK = """
kind: Connector
apiVersion: t/v1
metadata: {name: bank}
spec:
  baseUrl: https://bank.example
  secrets: {key: 'secret://bank-key', pin: 'secret://bank-pin#2'}
  headers: {Authorization: 'Bearer {{secrets.key}}'}
  operations:
    look: {path: '/accounts/{{input.id}}'}
    pay: OPERATION
"""
PAY = "{method: POST, path: /pay, query: {pin: '{{secrets.pin}}'}, body: {pin: '{{secrets.pin}}'}}"
KEY, PIN = "secret://bank-key", "secret://bank-pin#2"


def spec(operation: str = PAY, name: str = "pay") -> HttpSpec:
    catalogue = read(BANK.replace("OPERATION", operation))
    assert not catalogue.errors, catalogue.errors
    return catalogue.connectors[("default", "bank")].operations[name].http


def made(operation: str, **given: Any) -> Request:
    return build(spec(operation), {"input": given}, {"bank": "https://bank.example"})


def failed(call: Any, *arguments: Any, **named: Any) -> Failure:
    with pytest.raises(StepError) as caught:
        call(*arguments, **named)
    return caught.value.failure


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("secret://stripe-key", SecretRef("stripe-key")),
        ("secret://stripe-key#12", SecretRef("stripe-key", "", 12)),
        ("secret://acme/stripe-key", SecretRef("stripe-key", "acme", 0)),
    ],
)
def test_a_reference_names_a_secret_and_perhaps_a_version(text: str, reference: SecretRef) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    ["secret://", "secret://a b", "secret://../x", "secret://a#0", "secret://a#b", "secret://a/b/c",
     "secret://%2e%2e/x", "SECRET://a", "secret://a\n", "vault://a", "secret://a#9999999"],
)  # fmt: skip
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        parse_reference(text)
    named = json.dumps(text)
    catalogue = read(BANK.replace("OPERATION", PAY).replace("'secret://bank-key'", named))
    assert {code for _, code in told(catalogue)} & {"bad_reference", "secret_in_document"}


@pytest.mark.requirement("gate-secrets")
def test_a_plan_sees_references_and_the_request_that_is_sent_the_values() -> None:
    request = made(PAY)
    assert "secret://" not in repr(request.headers) + request.url
    seen = shown(request)
    assert seen.headers[0] == ("Authorization", f"Bearer {KEY}")
    assert (seen.url, seen.secrets) == (f"https://bank.example/pay?pin={PIN}", ())
    assert seen.body == json.dumps({"pin": PIN}, separators=(",", ":")).encode()
    sent = filled(request, {KEY: "sk-live-1", PIN: 'a"b&c=d\\e'})
    assert sent.headers[0] == ("Authorization", "Bearer sk-live-1")
    assert parse_qs(urlsplit(sent.url).query) == {"pin": ['a"b&c=d\\e']}
    assert json.loads(sent.body or b"") == {"pin": 'a"b&c=d\\e'}


def test_only_the_secrets_that_an_operation_uses_go_with_it() -> None:
    assert set(spec(name="look").secrets) == {"key"}
    assert set(spec().secrets) == {"key", "pin"}


@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        ("application/x-www-form-urlencoded", "pin={{secrets.pin}}", b"pin=a%22%26b"),
        ("application/x-www-form-urlencoded", {"pin": "{{secrets.pin}}"}, b"pin=a%22%26b"),
        ("text/plain", "pin {{secrets.pin}}", b'pin a"&b'),
        ("application/json", '{"pin": {{secrets.pin}}}', b'{"pin": "a\\"&b"}'),
        ("application/json", '{"pin": "no. {{secrets.pin}}"}', b'{"pin": "no. a\\"&b"}'),
    ],
)
def test_a_value_is_escaped_for_the_place_where_it_stands(
    kind: str, body: Any, sent: bytes
) -> None:
    operation = f"{{method: POST, path: /, headers: {{Content-Type: '{kind}'}}, body: BODY}}"
    request = made(operation.replace("BODY", json.dumps(body)))
    assert filled(request, {KEY: "sk-live-1", PIN: 'a"&b'}).body == sent


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-Evil: 1", "a\x00", " a-key", "schlüssel"])
def test_a_value_that_would_add_a_header_is_not_sent(value: str) -> None:
    failure = failed(filled, made("{method: POST, path: /}"), {KEY: value})
    assert (failure.kind, failure.code) == (Kind.AUTH, "bad_secret")
    assert value not in repr(failure)


@pytest.mark.requirement("gate-secrets")
@given(st.text(max_size=30) | st.sampled_from([KEY, PIN, "{{secrets.key}}", "secret://other"]))
def test_no_input_becomes_a_secret(text: str) -> None:
    operation = "{method: POST, path: /, headers: {Content-Type: text/plain}, body: '{{input.t}}'}"
    request = made(operation, t=text)
    again = made(operation, t="".join(mark for mark, _ in request.secrets) + text)
    for each in (request, again):
        assert [reference for _, reference in each.secrets] == [KEY]
        body = (filled(each, {KEY: "sk-live-1"}).body or b"").decode()
        assert "sk-live-1" not in body
        assert body.endswith(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{secrets.pin | upper}}",
        "{{substring(secrets.pin, 0, 40)}}",
        "{{replace(secrets.pin,'z','')}}",
    ],
)
def test_a_secret_that_an_expression_works_on_is_refused(text: str) -> None:
    failure = failed(made, f'{{method: POST, path: /, body: {{a: "{text}"}}}}')
    assert (failure.kind, failure.code) == (Kind.LOGIC, "secret_transformed")


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("{path: '/{{secrets.key}}'}", "bad_template"),
        ("{path: /, query: {a: '{{secrets.other}}'}}", "unknown_secret"),
        ("{path: /, query: {a: '{{secrets}}'}}", "unknown_secret"),
        ("{path: /, query: {a: '{{secrets[input.x]}}'}}", "unknown_secret"),
        ("{path: /, query: {a: '{{secrets.key.x}}'}}", "unknown_secret"),
        ("{path: /, query: {a: '{{env.HOME}}'}}", "bad_template"),
        ("{path: /, query: {a: '{{input.x + env.HANDRAIL_SECRET_KEY}}'}}", "bad_template"),
    ],
)
def test_a_template_reaches_declared_secrets_and_nothing_else(operation: str, code: str) -> None:
    assert code in {each for _, each in told(read(BANK.replace("OPERATION", operation)))}


@pytest.mark.parametrize(
    "step",
    [
        "{id: a, http: {url: 'https://a.example', headers: {K: '{{secrets.key}}'}}}",
        "{id: a, connector: bank/look, http: {headers: {K: '{{secrets.key}}'}}}",
        "{id: a, connector: bank/look, input: {x: '{{secrets.key}}'}}",
        "{id: a, transform: {pipeline: [{operation: filter, condition: 'secrets.key == 1'}]}}",
    ],
)
def test_no_secret_is_known_outside_its_connector(step: str) -> None:
    assert told(read(flow(f"- {step}"), BANK.replace("OPERATION", PAY)))


@pytest.mark.requirement("gate-secrets")
def test_who_sends_a_secret_somewhere_waits_for_a_person_even_to_read() -> None:
    with_secret = read(flow("- {id: a, connector: bank/look}"), BANK.replace("OPERATION", PAY))
    bare = BANK.replace("{Authorization: 'Bearer {{secrets.key}}'}", "{}")
    without = read(flow("- {id: a, connector: bank/look}"), bare.replace("OPERATION", PAY))
    for catalogue, pending in ((with_secret, True), (without, False)):
        assert not catalogue.errors
        assert needs_acceptance(catalogue.workflows[("default", "flow")]) is pending


def test_a_request_without_secrets_is_not_looked_at() -> None:
    plain = HttpSpec("GET", compile_template("https://a.example"))
    request = build(plain, {"input": {}})
    assert shown(request) is request
