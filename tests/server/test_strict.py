"""JSON at the edge: everything that other parsers take too kindly is refused, nothing else is."""

import json

import pytest
from hypothesis import given

from mcp_server import strict
from tests.server import views

CASES = {
    "a key twice": b'{"id":1,"a":{"approve":false,"approve":true}}',
    "NaN": b'{"id":1,"a":NaN}',
    "infinity": b'{"id":1,"a":-Infinity}',
    "a float beyond every float": b'{"id":1,"a":1e999}',
    "a number of 5,000 digits": b'{"id":1,"a":' + b"9" * 5000 + b"}",
    "half a surrogate pair": b'{"id":1,"a":"\\ud800"}',
    "the other half": b'{"id":1,"a":"\\udc00x"}',
    "65 levels": b'{"id":1,"a":' + b"[" * 64 + b"]" * 64 + b"}",
    "a text of 256 KiB and one": b'{"id":1,"a":"' + b"x" * (strict.LONGEST_TEXT + 1) + b'"}',
    "10,001 keys": json.dumps({"id": 1, **{str(n): 0 for n in range(10_000)}}).encode(),
}
BROKEN = {
    "100,000 levels": b"[" * 100_000,
    "no JSON": b"{'id': 1}",
    "no UTF-8": b'{"id":1,"a":"\xff"}',
    "two values": b"{} {}",
    "nothing": b"",
    "more than a mebibyte": b'"' + b"x" * strict.LARGEST + b'"',
}


@pytest.mark.parametrize("body", CASES.values(), ids=CASES.keys())
def test_a_message_that_breaks_a_rule_is_refused_under_its_id(body: bytes) -> None:
    fault = strict.fault(body)
    assert fault is not None
    assert fault.id == 1
    answer = json.loads(fault.body())
    assert answer["error"]["code"] in (strict.PARSE_ERROR, strict.INVALID_REQUEST)


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_is_refused_without_an_id(body: bytes) -> None:
    fault = strict.fault(body)
    assert fault is not None
    assert fault.id is None


@pytest.mark.parametrize("body", [b"[]", b'[{"id":1}]', b"7", b"null", b"true", b'"x"'])
def test_only_an_object_is_a_message(body: bytes) -> None:
    fault = strict.fault(body)
    assert fault is not None
    assert (fault.code, fault.id) == (strict.INVALID_REQUEST, None)
    assert "no JSON object" in fault.message


@pytest.mark.parametrize("id", ["null", "true", "1.5", "[]", "{}"])
def test_an_id_of_the_wrong_kind_is_not_repeated(id: str) -> None:
    fault = strict.fault(f'{{"id":{id},"a":NaN}}'.encode())
    assert fault is not None
    assert fault.id is None


@given(views.JSON)
def test_ordinary_json_passes(value: object) -> None:
    assert strict.fault(json.dumps({"id": 1, "a": value}).encode()) is None
    assert strict.fault(json.dumps({"id": 1, "a": value}, ensure_ascii=False).encode()) is None


def test_the_limits_themselves_are_allowed() -> None:
    assert strict.fault(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}") is None
    assert strict.fault(b'{"a":"\\ud83d\\ude00"}') is None
    assert strict.fault(b'{"a":"' + b"x" * strict.LONGEST_TEXT + b'"}') is None
