"""Requests from templates: values fill their places and change nothing else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.declared import HttpSpec
from engine.core.errors import Failure, Kind, StepError
from engine.core.request import Request, build
from engine.core.template import compile_template

BASES = {"demo": "http://127.0.0.1:8766/", "deep": "https://api.example.com/v2"}


def http(
    url: str,
    method: str = "GET",
    headers: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
) -> HttpSpec:
    return HttpSpec(
        method,
        compile_template(url),
        {name: compile_template(value) for name, value in (headers or {}).items()},
        {name: compile_template(value) for name, value in (query or {}).items()},
        None if body is None else compile_template(body),
    )


def made(spec: HttpSpec, **values: Any) -> Request:
    return build(spec, {"input": values}, BASES)


def tried(spec: HttpSpec, **values: Any) -> Request | Failure:
    try:
        return made(spec, **values)
    except StepError as error:
        return error.failure


def refused(spec: HttpSpec, **values: Any) -> Failure:
    failure = tried(spec, **values)
    assert isinstance(failure, Failure)
    return failure


def header(request: Request, name: str) -> str | None:
    return next((value for key, value in request.headers if key.lower() == name.lower()), None)


anything = (
    st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)
deep = st.recursive(
    st.none() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


# -- URLs --------------------------------------------------------------------------------------


@given(value=deep)
def test_no_value_changes_the_host_or_adds_a_segment_a_parameter_or_a_fragment(value: Any) -> None:
    spec = http("https://api.example.com:8443/users/{{input.x}}/orders?status={{input.x}}&page=1")
    request = tried(spec, x=value)
    if isinstance(request, Failure):
        assert request.kind is Kind.VALIDATION
        return
    url, parts = request.url, urlsplit(request.url)
    assert (parts.scheme, parts.netloc) == ("https", "api.example.com:8443")
    assert [*parts.path.split("/")[:2], parts.path.split("/")[3]] == ["", "users", "orders"]
    assert len(parts.path.split("/")) == 4
    assert parts.fragment == ""
    assert [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] == [
        "status",
        "page",
    ]
    assert url.isascii()
    assert url.isprintable()


@given(value=st.text(min_size=1))
def test_a_text_in_the_path_arrives_as_it_was(value: str) -> None:
    request = tried(http("http://h.test/a/{{input.x}}/b"), x=value)
    if isinstance(request, Failure):
        assert value in {".", ".."} or request.code in {"bad_text", "url_too_long"}
    else:
        assert unquote(urlsplit(request.url).path.split("/")[2]) == value


@given(value=st.text())
def test_a_text_in_the_query_arrives_as_it_was(value: str) -> None:
    url = made(http("http://h.test/", query={"q": "{{input.x}}"}), x=value).url
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [("q", value)]


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ("http://h.test/{{input.x}}", "a b/c?d#e", "http://h.test/a%20b%2Fc%3Fd%23e"),
        ("http://h.test/{{input.x}}", 3, "http://h.test/3"),
        ("http://h.test/{{input.x}}", "%2e%2e%2f", "http://h.test/%252e%252e%252f"),
        ("http://h.test/v{{input.x}}.json", "1", "http://h.test/v1.json"),
        ("http://h.test?x={{input.x}}", "1", "http://h.test/?x=1"),
        ("http://h.test", "1", "http://h.test/"),
        ("http://h.test/a b/ä/100%/%41", "1", "http://h.test/a%20b/%C3%A4/100%25/%41"),
        ("HTTP://h.test/?x={{input.x}}", None, "http://h.test/?x="),
        ("http://[2606:4700::1]:8080/{{input.x}}", "é", "http://[2606:4700::1]:8080/%C3%A9"),
        ("connector://demo/api/users/{{input.x}}", "3", "http://127.0.0.1:8766/api/users/3"),
        ("connector://deep/users/{{input.x}}", "3", "https://api.example.com/v2/users/3"),
        ("connector://deep", "3", "https://api.example.com/v2"),
    ],
)
def test_urls_are_built_as_written(template: str, value: Any, url: str) -> None:
    assert made(http(template), x=value).url == url


@pytest.mark.parametrize("value", [None, "", ".", "..", "x" * 9000, "\ud800"])
def test_a_value_that_would_address_something_else_is_refused(value: Any) -> None:
    failure = refused(http("http://h.test/users/{{input.x}}"), x=value)
    assert failure.kind is Kind.VALIDATION


def test_two_values_cannot_make_a_dot_segment_together() -> None:
    spec = http("http://h.test/a/{{input.x}}{{input.y}}/b")
    assert refused(spec, x=".", y=".").code == "bad_path_value"


def test_values_cannot_complete_an_escape_that_the_author_began() -> None:
    assert made(http("http://h.test/%{{input.x}}"), x="2e").url == "http://h.test/%252e"
    assert made(http("http://h.test/%2{{input.x}}"), x="f").url == "http://h.test/%252f"


@pytest.mark.parametrize(
    "template",
    [
        "{{input.x}}",
        "{{input.x}}/path",
        "http://{{input.x}}/path",
        "http://h.test{{input.x}}",
        "http://h{{input.x}}.test/",
        "http://h.test:80{{input.x}}/",
        "{{input.x}}://h.test/",
        "connector://{{input.x}}/a",
        "connector://demo{{input.x}}/a",
    ],
)
@pytest.mark.parametrize("value", ["evil.test", "/", "/evil", "?a", ":81", "@evil.test", ""])
def test_scheme_host_and_port_never_come_from_a_value(template: str, value: str) -> None:
    assert refused(http(template), x=value).kind is Kind.LOGIC


@pytest.mark.parametrize(
    "template",
    [
        "h.test/path",
        "//h.test/path",
        "ftp://h.test/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://user@h.test/",
        "http://user:pass@h.test/",
        "http://h.test:99999/",
        "http://h.test:/",
        "http://[fe80::1%25lo]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://h.test\\@evil.test/",
        "http://h\t.test/",
        "http://h.test/#part",
        "http://h.test/a/../b",
        "connector://nobody/a",
        "connector:///a",
    ],
)
def test_a_url_that_is_written_wrongly_is_refused(template: str) -> None:
    assert refused(http(template)).code in {"bad_url", "bad_path_value", "unknown_connector"}


@pytest.mark.parametrize(
    "base", ["ftp://h.test", "h.test", "http://u@h.test", "http://h.test/?a=1"]
)
def test_a_connector_with_an_unusable_base_is_refused(base: str) -> None:
    with pytest.raises(StepError) as caught:
        build(http("connector://odd/x"), {"input": {}}, {"odd": base})
    assert caught.value.failure.kind is Kind.LOGIC


def test_query_parameters_leave_out_null_and_repeat_lists() -> None:
    query = {
        "none": "{{input.none}}",
        "ids": "{{input.ids}}",
        "flag": "{{input.flag}}",
        "object": "{{input.object}}",
        "text": "a {{input.none}}b",
        "q&=": "c&d=e",
    }
    values = {"none": None, "ids": [1, None, "b&c"], "flag": True, "object": {"a": 1}}
    url = made(http("http://h.test/?own=1", query=query), **values).url
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [
        ("own", "1"),
        ("ids", "1"),
        ("ids", "b&c"),
        ("flag", "true"),
        ("object", '{"a":1}'),
        ("text", "a b"),
        ("q&=", "c&d=e"),
    ]


def test_declared_inputs_are_not_added_to_the_query_by_themselves() -> None:
    assert made(http("http://h.test/a"), taxRate=0.2).url == "http://h.test/a"


# -- headers -----------------------------------------------------------------------------------


@given(value=deep)
def test_a_header_value_is_one_line_of_plain_ascii_or_refused(value: Any) -> None:
    spec = http("http://h.test/", headers={"X-Value": "id {{input.x}}"})
    request = tried(spec, x=value)
    if isinstance(request, Failure):
        assert request.code == "bad_header"
        return
    text = header(request, "x-value")
    assert text is not None
    assert all(char == "\t" or " " <= char <= "~" for char in text)
    assert [name for name, _ in request.headers] == ["X-Value", "Accept"]


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "\x1b[31m", "é", "\x7f"]
)
def test_control_characters_in_a_header_value_are_refused(value: str) -> None:
    failure = refused(http("http://h.test/", headers={"X-Value": "{{input.x}}"}), x=value)
    assert (failure.kind, failure.code) == (Kind.VALIDATION, "bad_header")
    assert value not in failure.message


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Connection", "X Y", "X:Y", "X\r\nY", "", "é"],
)
def test_a_task_cannot_set_headers_that_frame_the_message(name: str) -> None:
    failure = refused(http("http://h.test/", headers={name: "1"}))
    assert (failure.kind, failure.code) == (Kind.LOGIC, "bad_header")


def test_a_header_that_is_null_is_left_out_and_spaces_round_it_are_cut() -> None:
    headers = {"X-None": "{{input.none}}", "X-Text": "  a b\t", "X-Flag": "{{input.flag}}"}
    request = made(http("http://h.test/", headers=headers), none=None, flag=True)
    assert request.headers == (
        ("X-Text", "a b"),
        ("X-Flag", "true"),
        ("Accept", "application/json"),
    )


def test_an_accept_header_of_the_author_is_kept() -> None:
    request = made(http("http://h.test/", headers={"accept": "text/csv"}))
    assert request.headers == (("accept", "text/csv"),)


# -- bodies ------------------------------------------------------------------------------------


def post(body: Any, kind: str | None = None) -> HttpSpec:
    headers = {} if kind is None else {"Content-Type": kind}
    return http("http://h.test/", "POST", headers, body=body)


@pytest.mark.parametrize(
    ("body", "declared", "values", "sent", "kind"),
    [
        ({"a": "{{input.x}}"}, None, {"x": 3}, b'{"a":3}', "application/json"),
        ("{{input.x}}", None, {"x": {"a": "\u00e4"}}, '{"a":"ä"}'.encode(), "application/json"),
        ("{{input.x | toJson}}", "application/json", {"x": {"a": 1}}, b'{"a":1}', None),
        ("{{input.x}}", "application/json", {"x": [1]}, b"[1]", None),
        ("{{input.x}}", "application/json", {"x": '{"a": 1}'}, b'{"a": 1}', None),
        ('{"a": {{input.x}}}', None, {"x": 1}, b'{"a": 1}', "application/json"),
        ("hello {{input.x}}", None, {"x": "you"}, b"hello you", "text/plain; charset=utf-8"),
        ("[note] {{input.x}}", None, {"x": 1}, b"[note] 1", "text/plain; charset=utf-8"),
        ("a=1&b={{input.x}}", FORM := "application/x-www-form-urlencoded", {"x": "c&d=e"},
         b"a=1&b=c%26d%3De", None),
        ({"a": "{{input.x}}", "b": None}, FORM, {"x": "1 2"}, b"a=1%202", None),
        ("{{input.x}}", FORM, {"x": "a=1&b=2"}, b"a=1&b=2", None),
        ("{{input.x}}", None, {"x": None}, None, None),
    ],
)  # fmt: skip
def test_bodies_are_sent_as_their_type_says(
    body: Any, declared: str | None, values: Any, sent: bytes | None, kind: str | None
) -> None:
    request = made(post(body, declared), **values)
    assert request.body == sent
    assert header(request, "content-type") == (declared or kind)


@given(value=deep)
def test_no_value_adds_a_field_to_a_json_text(value: Any) -> None:
    text = '{"name": "Order {{input.x}}", "raw": {{input.x}}, "admin": false}'
    body = made(post(text, "application/json"), x=value).body
    assert body is not None
    sent = json.loads(body)
    assert list(sent) == ["name", "raw", "admin"]
    assert sent["admin"] is False
    assert sent["raw"] == value


def test_a_text_that_says_it_is_json_and_is_not_is_refused() -> None:
    assert refused(post("{{input.x}}", "application/json"), x="no").code == "bad_body"


def test_reads_go_without_a_body() -> None:
    for method in ("GET", "HEAD"):
        request = made(http("http://h.test/", method, body={"a": 1}))
        assert request.body is None
        assert header(request, "content-type") is None


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"], {"a": "\ud800"}])
def test_half_a_surrogate_pair_cannot_be_sent(value: Any) -> None:
    assert refused(post("{{input.x}}"), x=value).code == "bad_text"
    assert refused(post({"a": "{{input.x}}"}, FORM), x=value).code == "bad_text"


def test_an_oversize_body_is_refused() -> None:
    assert refused(post("{{input.x}}"), x=["x" * 1000] * 6000).code == "body_too_large"


def test_a_value_that_is_not_json_is_refused() -> None:
    assert refused(post("{{input.x}}"), x=[float("nan")]).code == "bad_body"


# -- the key --------------------------------------------------------------------------------------


def test_the_key_goes_into_the_declared_header_and_nowhere_else() -> None:
    spec = replace(post({"a": 1}), key_header="Idempotency-Key", changes=True, not_sent=(409,))
    without, within = build(spec, {"input": {}}), build(spec, {"input": {}}, key="hr1_abc")
    assert within.headers == (*without.headers, ("Idempotency-Key", "hr1_abc"))
    assert replace(within, headers=without.headers) == without
    assert (without.changes, without.not_sent) == (True, (409,))
    assert build(post({"a": 1}), {"input": {}}, key="hr1_abc") == build(
        post({"a": 1}), {"input": {}}
    )
