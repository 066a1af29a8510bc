"""TRUST 3.1, line by line, against real sockets: did a mutation happen, or does nobody know?

`processed` is what the server knows; what the connector says must never contradict it. The
lines that need no declaration are in `test_http_failures.py` too, with their kinds.
"""

import asyncio
import gc
import gzip
import socket
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from engine.core.request import Request
from engine.shell.connectors.http import HttpConnector
from tests.shell.client import LIMITS, SECONDS, Client, failure_of, unused_port
from tests.shell.loopback import Loopback, Talk, answer, gzipped, saying, serving

JSON = (("Content-Type", "application/json"),)


def change(server: Loopback, method: str = "POST", **declared: Any) -> Request:
    body = None if method == "GET" else b"{}"
    return Request(method, server.url(), JSON, body, changes=True, **declared)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side is told of a broken connection, not of an end."""
    taken = writer.get_extra_info("socket")
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_before_reading(server: Loopback, reader: Any, writer: Any) -> None:
    server.arrived.set()
    reset(writer)


async def reset_after_reading(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    reset(writer)


async def close_before_reading(server: Loopback, reader: Any, writer: Any) -> None:
    server.arrived.set()


async def close_after_reading(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)


async def silent(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    await asyncio.Event().wait()


async def never_reads(server: Loopback, reader: Any, writer: Any) -> None:
    await asyncio.Event().wait()


async def continues_then_silent(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await writer.drain()
    await asyncio.Event().wait()


async def half_a_status(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 2")
    await writer.drain()


async def goes_quiet_in_the_body(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
    await writer.drain()
    await asyncio.Event().wait()


NOBODY_KNOWS: Sequence[Talk] = (
    reset_before_reading,
    reset_after_reading,
    close_before_reading,
    close_after_reading,
    silent,
    never_reads,
    continues_then_silent,
    half_a_status,
    saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", close=True),
)


@pytest.mark.requirement("gate-truth-table")
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("talk", NOBODY_KNOWS)
async def test_from_the_first_byte_to_the_status_nobody_knows(talk: Talk, method: str) -> None:
    async with serving(talk) as server, Client(server) as client:
        failure = await failure_of(client.http.call(change(server, method), 0.2))
    assert failure.details["applied"] == "unknown"
    assert failure.details["sent"] == ("yes" if failure.code == "http_101" else "unknown")
    assert server.connections == 1


async def test_what_never_left_is_known_not_to_have_happened() -> None:
    nobody = Loopback(unused_port())
    async with Client(nobody) as client:
        refused = await failure_of(client.http.call(change(nobody), SECONDS))

    async def no_name(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    lost = HttpConnector(limits=LIMITS, resolve=no_name)
    unknown = Request("POST", "http://nowhere.test/", JSON, b"{}", changes=True)
    dns = await failure_of(lost.call(unknown, SECONDS))
    await lost.close()
    for failure in (refused, dns):
        assert (failure.details["sent"], failure.details["applied"]) == ("no", "no"), failure.code


async def plain_text(server: Loopback, reader: Any, writer: Any) -> None:
    writer.write(answer())
    await reader.read()


@pytest.mark.parametrize("talk", [never_reads, plain_text, reset_before_reading])
async def test_a_handshake_that_fails_sends_nothing_and_leaves_no_socket(talk: Talk) -> None:
    async with serving(talk) as server, Client(server) as client:
        url = server.url().replace("http:", "https:")
        sent = Request("POST", url, JSON, b"{}", changes=True)
        failure = await failure_of(client.http.call(sent, 0.3))
    assert (failure.details["sent"], failure.details["applied"]) == ("no", "no"), failure.code
    gc.collect()  # a socket that nobody closed is told of here


@pytest.mark.requirement("gate-truth-table")
@pytest.mark.parametrize(
    "talk",
    [
        goes_quiet_in_the_body,
        saying(answer(b"<html>")),
        saying(answer(b"{", "201 Created")),
        saying(gzipped(b"junk")),
        saying(gzipped(gzip.compress(b"{}")[:-4]), close=True),
        saying(answer(b"{}", "200 OK", "application/json", "Content-Encoding: br")),
        saying(answer(b"{}", "200 OK", "image/png")),
        saying(answer(b"x" * 70_000)),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", close=True),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", close=True),
    ],
)
async def test_a_yes_that_cannot_be_read_is_a_yes_without_a_result(talk: Talk) -> None:
    async with serving(talk) as server, Client(server) as client:
        failure = await failure_of(client.http.call(change(server), 0.2))
    assert (failure.details["sent"], failure.details["applied"]) == ("yes", "yes")


@pytest.mark.requirement("gate-truth-table")
@pytest.mark.parametrize(
    ("status", "extra", "declared", "applied", "conflict"),
    [
        ("301 Moved", "Location: /x", {}, "no", False),
        ("307 Moved", "Location: /x", {}, "no", False),
        ("400 Bad", "", {}, "no", False),
        ("401 Who", "", {}, "no", False),
        ("404 Gone", "", {}, "no", False),
        ("422 Bad", "", {}, "no", False),
        ("408 Late", "", {}, "unknown", False),
        ("408 Late", "", {"not_sent": (408,)}, "no", False),
        ("409 Taken", "", {}, "no", True),
        ("409 Taken", "", {"not_sent": (409,)}, "no", True),
        ("412 Changed", "", {}, "no", True),
        ("423 Locked", "", {}, "unknown", False),
        ("423 Locked", "", {"not_sent": (423,)}, "no", False),
        ("425 Early", "", {}, "unknown", False),
        ("425 Early", "", {"not_sent": (425,)}, "no", False),
        ("429 Busy", "", {}, "unknown", False),
        ("429 Busy", "Retry-After: 1", {}, "no", False),
        ("429 Busy", "", {"not_sent": (429,)}, "no", False),
        ("500 Oops", "", {}, "unknown", False),
        ("500 Oops", "Retry-After: 1", {}, "unknown", False),
        ("500 Oops", "", {"atomic_5xx": True}, "no", False),
        ("502 Via", "", {}, "unknown", False),
        ("502 Via", "", {"not_sent": (502,)}, "no", False),
        ("503 Down", "", {}, "unknown", False),
        ("503 Down", "Retry-After: 1", {}, "no", False),
        ("503 Down", "", {"not_sent": (503,)}, "no", False),
        ("504 Late", "", {}, "unknown", False),
        ("504 Late", "", {"atomic_5xx": True}, "no", False),
        ("200 Fine", "", {"not_sent": (408,), "atomic_5xx": True}, "yes", False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_status_proves_what_the_table_and_the_connector_say(
    status: str, extra: str, declared: dict[str, Any], applied: str, conflict: bool, method: str
) -> None:
    body = b"<html>" if applied == "yes" else b""
    raw = answer(body, status, "application/json", *([extra] if extra else []))
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.http.call(change(server, method, **declared), SECONDS))
    assert (failure.details["applied"], failure.details["sent"]) == (applied, "yes")
    assert ("conflict" in failure.details) is conflict
    assert len(server.heads) == 1  # nothing was followed and nothing was sent again


async def test_an_answer_that_comes_before_the_body_is_through_counts() -> None:
    async def too_large(server: Loopback, reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"", "413 Too Large", "", "Connection: close"))
        await writer.drain()
        await reader.read()

    async with serving(too_large) as server, Client(server) as client:
        sent = Request("POST", server.url(), JSON, b"x" * 20_000_000, changes=True)
        failure = await failure_of(client.http.call(sent, 1))
    assert failure.details["applied"] in {"no", "unknown"}  # never yes, and no crash


async def test_a_server_that_stops_reading_leaves_it_open() -> None:
    async def stops(server: Loopback, reader: Any, writer: Any) -> None:
        await reader.readexactly(1000)
        await asyncio.Event().wait()

    async with serving(stops) as server, Client(server) as client:
        sent = Request("PUT", server.url(), JSON, b"x" * 20_000_000, changes=True)
        failure = await failure_of(client.http.call(sent, 0.5))
    assert failure.details["applied"] == "unknown"


async def test_a_read_that_changes_something_shares_no_connection() -> None:
    async with serving(saying(answer())) as server, Client(server) as client:
        await client.get(server.url())
        await client.http.call(change(server, "GET"), SECONDS)
        await client.get(server.url())
    assert server.connections == 2
    assert "connection: close" in server.heads[1].lower()
