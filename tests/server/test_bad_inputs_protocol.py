"""Bad inputs 1 to 19: each gets a typed error at once, and nothing is recorded or traced.

Over HTTP here; what `strict` refuses is refused over stdio by the same code, and one process below
is shown the same lines. The number of each case stands before its name:

1 depth, 2 a key twice, 3 no numbers, 4 5,000 digits, 5 ids, 6 a batch, 7 half a surrogate pair,
8 NUL in a name, 9 no UTF-8, 10 sizes, 11 a packed body: `test_what_is_no_message`;
12 unknown method, 13 header and body, 14 version: `test_a_message_that_does_not_fit`;
15 an argument too many: `test_approved_is_no_argument_of_any_tool`; 16 kinds:
`test_an_argument_of_another_kind` (1.0 is a whole number in JSON Schema, and is taken as one);
17 cursors: `test_a_cursor_that_is_not_ours`; 18 tool names: `test_a_name_that_looks_like_a_tool`;
19 resources: `test_an_address_that_leads_out`.
"""

import gzip
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from mcp_server import strict
from mcp_server.tools import TOOLSETS
from tests.server.bad_inputs import Target, target, unmoved
from tests.server.marks import bad_inputs
from tests.server.test_stdio import MODERN, started

pytestmark = bad_inputs

TOOLS = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
MISMATCH = -32020
CALL = '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":%s}'
GOOD = '{"name":"list_runs","arguments":{}}'


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Generator[Target]:
    with target(tmp_path_factory.mktemp("bad")) as found:
        yield found


def message(id: str = "1", params: str = GOOD) -> bytes:
    return (CALL % (id, params)).encode()


DEEP = '{"a":' * 100 + "1" + "}" * 100
NO_MESSAGES: dict[str, bytes] = {
    "1 100,000 levels": b"[" * 100_000,
    "1 100,000 objects": b'{"a":' * 100_000,
    "1 100 levels in the arguments": message(params=f'{{"name":"list_runs","arguments":{DEEP}}}'),
    "2 a key twice": message(params='{"approve":false,"approve":true}'),
    "2 the method twice": b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    "2 twice, once escaped": message(params='{"approve":false,"\\u0061pprove":true}'),
    "3 NaN": message(params='{"a":NaN}'),
    "3 Infinity": message(params='{"a":Infinity}'),
    "3 -Infinity": message(params='{"a":-Infinity}'),
    "3 1e999": message(params='{"a":1e999}'),
    "4 5,000 digits": message(params='{"a":' + "9" * 5000 + "}"),
    "4 5,000 decimals": message(params='{"a":0.' + "9" * 5000 + "}"),
    "5 an id of 401 digits": message("1" + "0" * 400),
    "6 a batch": b"[" + message() + b"," + message("2") + b"]",
    "6 an empty batch": b"[]",
    "6 no object": b"7",
    "6 a text": b'"tools/call"',
    "6 nothing": b"null",
    "7 half a pair": message(params='{"a":"\\ud800"}'),
    "7 half a pair in a key": message(params='{"\\udc00":1}'),
    "7 half a pair in the id": message('"\\ud83d"'),
    "9 no UTF-8": message()[:-1] + b',"x":"\xff"}',
    "9 UTF-16": message().decode().encode("utf-16"),
    "9 an overlong form": b'{"id":"\xc0\xaf"}',
    "9 a mark at the beginning": b"\xef\xbb\xbf" + message(),
    "11 packed, and nobody says so": gzip.compress(b" " * 10_000_000),
    "an empty body": b"",
    "two messages": message() + message("2"),
    "a text of 256 KiB and one": message(params='{"a":"' + "x" * (256 * 1024 + 1) + '"}'),
    "10,001 keys": message(params=json.dumps({str(key): 0 for key in range(10_001)})),
}  # fmt: skip


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25", ""], ids=["now", "then", "ever"])
@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_what_is_no_message(bad: Target, body: bytes, version: str) -> None:
    lines = [f"MCP-Protocol-Version: {version}"] if version else []
    with unmoved(bad):
        reply = bad.send(*lines, body=body)
    assert reply.status == 400
    assert reply.error["code"] in {strict.PARSE_ERROR, strict.INVALID_REQUEST}
    assert len(reply.body) < 1_000


@pytest.mark.parametrize("id", ["null", "1.5", "true", "[]", "{}", "1e3"])
def test_an_id_that_is_none(bad: Target, id: str) -> None:  # 5
    with unmoved(bad):
        lines = (
            "MCP-Protocol-Version: 2026-07-28",
            "Mcp-Method: tools/call",
            "Mcp-Name: list_runs",
        )
        reply = bad.send(*lines, body=message(id))
    assert reply.status == 400
    assert reply.error["code"] == strict.INVALID_REQUEST
    assert json.loads(reply.body)["id"] is None


BIG = b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"' + b"x" * 5 * 1024 * 1024 + b'"}'
CHUNKED = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
SIZES: dict[str, tuple[tuple[str, ...], bytes, set[int]]] = {
    "10 five mebibytes": ((), BIG, {413}),
    "10 five mebibytes in chunks": (
        ("Content-Length: -", "Transfer-Encoding: chunked"), CHUNKED * 80 + b"0\r\n\r\n", {413},
    ),
    "10 chunks that are none": (
        ("Content-Length: -", "Transfer-Encoding: chunked"), b"zz\r\nxx\r\n", {400},
    ),
    "10 a length that is too small": (("Content-Length: 5",), message(), {400}),
    "10 a length that is no number": (("Content-Length: five",), message(), {400}),
    "10 a negative length": (("Content-Length: -5",), message(), {400}),
    "10 two lengths": (("Content-Length: 5", "Content-Length: 50"), message(), {400}),
    "10 a length and chunks": (
        ("Transfer-Encoding: chunked", f"Content-Length: {len(message())}"), message(), {400},
    ),
    "11 packed": (("Content-Encoding: gzip",), gzip.compress(b" " * 10_000_000), {415}),
    "11 packed twice": (("Content-Encoding: gzip, br",), b"x", {415}),
    "24 another kind": (("Content-Type: text/plain",), message(), {415}),
    "24 nearly the kind": (("Content-Type: application/jsonx",), message(), {415}),
    "24 a form": (("Content-Type: application/x-www-form-urlencoded",), b"a=1", {415}),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "body", "statuses"), SIZES.values(), ids=SIZES)
def test_a_body_that_is_not_as_it_must_be(
    bad: Target, lines: tuple[str, ...], body: bytes, statuses: set[int]
) -> None:
    with unmoved(bad):
        try:
            reply = bad.send(*lines, body=body)
        except ConnectionResetError:  # it was answered while we still wrote
            return
    assert reply.status in statuses


MISFITS: dict[str, tuple[dict[str, Any], tuple[str, ...], set[int], int]] = {
    "12 an unknown method": ({"method": "approvals/approve"}, (), {404, 400}, -32601),
    "12 a method with a NUL": (
        {"method": "tools/call\0"}, ("Mcp-Method: tools/call",), {400}, MISMATCH,
    ),
    "13 another method": ({"method": "tools/list"}, ("Mcp-Method: tools/call",), {400}, MISMATCH),
    "13 another tool": (
        {"method": "tools/call", "name": "execute_workflow", "arguments": {}},
        ("Mcp-Name: list_runs",), {400}, MISMATCH,
    ),
    "13 no method": ({"method": "tools/list"}, ("Mcp-Method: -",), {400}, MISMATCH),
    "13 two methods": (
        {"method": "tools/list"}, ("Mcp-Method: tools/list", "Mcp-Method: tools/call"), {400},
        MISMATCH,
    ),
    "13 another version": (
        {"method": "tools/list"}, ("MCP-Protocol-Version: 2099-01-01",), {400}, MISMATCH,
    ),
    "14 a version nobody speaks": (
        {"method": "tools/list", "meta": {
            "io.modelcontextprotocol/protocolVersion": "2099-01-01",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "0"}}},
        ("MCP-Protocol-Version: 2099-01-01",), {400}, -32022,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "lines", "statuses", "code"), MISFITS.values(), ids=MISFITS)
def test_a_message_that_does_not_fit(
    bad: Target, asked: dict[str, Any], lines: tuple[str, ...], statuses: set[int], code: int
) -> None:
    with unmoved(bad):
        reply = bad.ask(*lines, **asked)
    assert reply.status in statuses
    assert reply.error["code"] == code


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("extra", ["approved", "confirm", "force", "__proto__"])
def test_approved_is_no_argument_of_any_tool(bad: Target, tool: str, extra: str) -> None:  # 15
    with unmoved(bad):
        facts = bad.call(tool, **{extra: True})
    assert facts["code"] == "invalid_arguments"
    assert any(each["name"] == extra for each in facts["arguments"])


@pytest.mark.parametrize("value", ["5", True, 1.5, None, [5], {"a": 5}, 10**30, -1])
def test_an_argument_of_another_kind(bad: Target, value: Any) -> None:  # 16
    with unmoved(bad):
        facts = bad.call("list_runs", limit=value)
    assert facts["code"] == "invalid_arguments"


LISTS = ("list_workflows", "list_tasks", "search_workflows", "list_runs")


@pytest.mark.parametrize("tool", LISTS)
@pytest.mark.parametrize(
    "cursor",
    ["x", "=", "../../etc/passwd", "cjE6LTE", "cjE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "\0",
     "cjI6MQ", "é", "' or 1=1 --"],
)  # fmt: skip
def test_a_cursor_that_is_not_ours(bad: Target, tool: str, cursor: str) -> None:  # 17
    if "cursor" not in TOOLS[tool].takes["properties"]:
        pytest.skip("it has no pages")
    needed = {"query": "hello"} if tool == "search_workflows" else {}
    with unmoved(bad):
        facts = bad.call(tool, cursor=cursor, **needed)
    assert facts["code"] == "invalid_cursor"


def test_a_cursor_of_another_list_is_not_taken(bad: Target) -> None:  # 17
    cursor = bad.call("list_workflows", limit=1)["nextCursor"]
    with unmoved(bad):
        for tool in ("list_tasks", "list_runs"):
            assert bad.call(tool, cursor=cursor)["code"] == "invalid_cursor"
        assert bad.call("list_workflows", cursor=cursor[:-2] + "AA")["code"] == "invalid_cursor"


@pytest.mark.parametrize(
    "name",
    ["x" * 129, "x" * 100_000, "get_r\u057dn", "get_run\u200b", "Get_Run", " get_run", "get_run\0",
     "get_run/../cancel_run", "", "\u202enur_teg"],
    ids=ascii,
)  # fmt: skip
def test_a_name_that_looks_like_a_tool(bad: Target, name: str) -> None:  # 8, 18
    with unmoved(bad):
        body = json.loads(message())
        body["params"] = {"name": name, "arguments": {"runId": "x"}}
        session = f"Mcp-Session-Id: {_session(bad)}"
        reply = bad.send(session, body=json.dumps(body).encode())
    facts = _of(reply.body)["result"]["structuredContent"]
    assert facts["code"] == "unknown_tool"
    assert len(reply.body) < 4_000
    assert "\u200b" not in reply.body.decode()


@pytest.mark.parametrize("name", ["hello\0", "hello\n", "../hello", "hello'--", "h" * 300])
def test_a_name_that_looks_like_a_workflow(bad: Target, name: str) -> None:  # 8
    with unmoved(bad):
        for tool in ("get_workflow_details", "execute_workflow"):
            assert bad.call(tool, workflow=name)["code"] == "unknown_workflow"


def _session(bad: Target) -> str:
    hello = {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "t", "version": "0"},
    }  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
    found: str = bad.send(body=json.dumps(body).encode()).header("mcp-session-id")
    return found


def _of(body: bytes) -> dict[str, Any]:
    """The message in a body, whether it comes as JSON or as an event."""
    text = body.decode()
    lines = [
        line[5:] for line in text.splitlines() if line.startswith("data:") and line[5:].strip()
    ]
    found: dict[str, Any] = json.loads(lines[-1] if lines else text)
    return found


@pytest.mark.parametrize(
    "uri",
    ["workflow://../../etc/passwd", "workflow://%2e%2e/%2e%2e/etc/passwd", "file:///etc/passwd",
     "workflow://..%2f..%2fetc%2fpasswd", "handrail://guides/../../pyproject.toml",
     "handrail://guides/%2e%2e/%2e%2e/pyproject", "run://../x", "http://169.254.169.254/", "x",
     "workflow://hello/schema/../../../x", "schema://tool/../../x", "workflow://", "file://"],
)  # fmt: skip
def test_an_address_that_leads_out(bad: Target, uri: str) -> None:  # 19
    with unmoved(bad):
        reply = bad.ask(method="resources/read", uri=uri)
    assert reply.error["code"] in {-32602, -32002}
    assert b"root:" not in reply.body


async def test_over_stdio_the_same_lines_are_refused_by_one_process(tmp_path: Path) -> None:
    async with started(tmp_path) as wire:
        for name, body in NO_MESSAGES.items():
            if b"\n" in body or not body.strip():
                continue  # a line break ends a line, and an empty line is none
            await wire.say(body)
            answer = await wire.hear()
            assert answer["error"]["code"] in {strict.PARSE_ERROR, strict.INVALID_REQUEST}, name
        await wire.say(BIG)
        assert "larger than" in (await wire.hear())["error"]["message"]
        assert "tools" in (await wire.ask("tools/list", {"_meta": MODERN}, 99))["result"]
    assert wire.process.stderr is not None
    assert b"Traceback" not in await wire.process.stderr.read()
