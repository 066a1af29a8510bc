"""Answers: what a status means, what a body is worth."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import Kind, StepError
from engine.core.response import applied, decode, excerpt, judge

HOUR = 3600 * 1_000_000


@pytest.mark.requirement("errors-at-source")
@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((401, 407, 511), Kind.AUTH),
        ((402, 403, 451), Kind.PERMISSION),
        ((404, 410, 501, 505), Kind.PERMANENT),
        ((408,), Kind.TIMEOUT),
        ((409, 412, 423, 428), Kind.PRECONDITION),
        ((425, 500, 502, 503, 504, 520, 599), Kind.TRANSIENT),
        ((429,), Kind.RATE_LIMITED),
        ((301, 302, 304, 307, 400, 405, 406, 413, 415, 418, 422), Kind.LOGIC),
    ],
)
def test_a_status_says_whose_move_it_is(statuses: tuple[int, ...], kind: Kind) -> None:
    for status in statuses:
        failure = judge(status, {})
        assert failure is not None
        assert (failure.kind, failure.code) == (kind, f"http_{status}")


@given(status=st.integers(200, 299))
def test_every_2xx_is_well(status: int) -> None:
    assert judge(status, {}) is None
    assert applied(status, {}) == "yes"


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0),
        ("2", 2_000_000),
        (" 30 ", 30_000_000),
        ("7200", HOUR),
        ("9" * 400, HOUR),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30_000_000),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 10:00:00 GMT", HOUR),
        ("Sat, 99 Nov 2026 10:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_an_hour(value: str, wait: int | None) -> None:
    headers = {"retry-after": value, "date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    failure = judge(503, headers)
    assert failure is not None
    assert failure.retry_after == wait


def test_a_retry_date_without_a_date_header_needs_our_own_time() -> None:
    headers = {"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}
    late, unknown = judge(429, headers, now=10_000_000), judge(429, headers)
    assert late is not None
    assert late.retry_after == 20_000_000
    assert unknown is not None
    assert unknown.retry_after is None


def test_retry_after_means_nothing_where_trying_again_will_not_help() -> None:
    failure = judge(404, {"retry-after": "5"})
    assert failure is not None
    assert failure.retry_after is None


@given(body=st.binary(max_size=4000))
def test_an_excerpt_is_short_and_printable(body: bytes) -> None:
    text = excerpt(body)
    assert len(text) <= 300
    assert text.isprintable()


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/json", b'{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        ("Application/JSON; Charset=UTF-8", b'"x"', "x"),
        ("application/problem+json", b"{}", {}),
        ("application/json", b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        ("application/json", b"12345678901234567890123", 12345678901234567890123),
        ("application/json", b'"\\ud83d\\ude00"', "\U0001f600"),
        ("application/json; charset=iso-8859-1", b'"\xe9"', "é"),
        ("text/plain", "grüße".encode(), {"text": "grüße"}),
        ("text/html; charset=windows-1252", b"\x80", {"text": "€"}),
        ("application/xml", b"<a/>", {"text": "<a/>"}),
        ("", b'{"a":1}', {"a": 1}),
        ("", b"plain", {"text": "plain"}),
        ("image/png", b"", None),
        ("application/json", b"", None),
    ],
)
def test_bodies_become_json_values(kind: str, body: bytes, value: Any) -> None:
    assert decode(200, kind, body) == value


def test_a_204_has_no_value_whatever_comes_with_it() -> None:
    assert decode(204, "application/json", b"junk") is None


@given(body=st.binary(max_size=200), kind=st.sampled_from(["", "application/json", "text/plain"]))
def test_a_body_is_a_value_or_a_bad_response_and_nothing_else(body: bytes, kind: str) -> None:
    failure = None
    try:
        decode(200, kind, body)
    except StepError as error:
        failure = error.failure
    assert failure is None or (failure.kind, failure.code) == (Kind.PERMANENT, "bad_response")


def nested(depth: int, leaf: bytes = b"1") -> bytes:
    return b'{"a":[' * (depth // 2) + leaf + b"]}" * (depth // 2)


def test_nesting_is_allowed_to_sixty_four_and_not_deeper() -> None:
    decode(200, "application/json", nested(64))
    decode(200, "application/json", b"[" + b"[]," * 100 + b"[]]")
    for depth in (66, 2_000, 200_000):
        with pytest.raises(StepError) as caught:
            decode(200, "application/json", nested(depth))
        assert caught.value.failure.details["reason"] == "too_deep"
