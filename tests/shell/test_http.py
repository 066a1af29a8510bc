"""The HTTP connector against real servers: what comes back, what is refused, what is unknown."""

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import tracemalloc
import zlib
from typing import Any

import httpcore
import httpx
import pytest

from engine.core.errors import Failure, Kind, StepError
from engine.core.request import Request
from engine.shell.connectors.exchange import open_exchange
from engine.shell.connectors.http import HttpConnector
from engine.shell.connectors.inflate import Intake
from engine.shell.connectors.limits import HttpLimits
from tests.shell.loopback import Loopback, answer, saying, serving

SECONDS = 5.0
LIMITS = HttpLimits(connect=1.0, response=64 * 1024)


class Client:
    """A connector that may reach the loopback servers of one test, and only those."""

    def __init__(self, *servers: Loopback, limits: HttpLimits = LIMITS) -> None:
        allowed = {("127.0.0.1", server.port) for server in servers}
        self.http = HttpConnector(allowed, limits)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def get(self, url: str, *headers: tuple[str, str], seconds: float = SECONDS) -> Any:
        return await self.http.call(Request("GET", url, headers), seconds)

    async def post(self, url: str, body: bytes = b"{}", seconds: float = SECONDS) -> Any:
        headers = (("Content-Type", "application/json"),)
        return await self.http.call(Request("POST", url, headers, body), seconds)


async def failure_of(call: Any) -> Failure:
    with pytest.raises(StepError) as caught:
        await asyncio.wait_for(call, SECONDS)
    return caught.value.failure


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- what comes back ---------------------------------------------------------------------------


async def test_a_json_answer_becomes_a_value() -> None:
    async with serving(saying(answer(b'{"id": 3}'))) as server, Client(server) as client:
        assert await client.get(server.url("/users/3?x=1")) == {"id": 3}
    assert server.heads[0].startswith("GET /users/3?x=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in server.heads[0]


async def test_a_mutation_sends_its_body_and_headers_once() -> None:
    async with serving(saying(answer(b'{"ok": true}'))) as server, Client(server) as client:
        assert await client.post(server.url(), b'{"a":1}') == {"ok": True}
    assert server.bodies == [b'{"a":1}']
    assert "content-type: application/json" in server.heads[0].lower()


async def test_reads_share_a_connection_and_mutations_get_their_own() -> None:
    async with serving(saying(answer())) as server, Client(server) as client:
        for _ in range(3):
            await client.get(server.url())
        assert server.connections == 1
        for _ in range(2):
            await client.post(server.url())
        assert server.connections == 3


async def test_an_answer_without_a_body_is_null() -> None:
    raw = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with serving(saying(raw)) as server, Client(server) as client:
        assert await client.post(server.url()) is None


async def test_gzip_is_unpacked() -> None:
    body = answer(gzip.compress(b'{"a":1}'), "200 OK", "application/json", "Content-Encoding: gzip")
    async with serving(saying(body)) as server, Client(server) as client:
        assert await client.get(server.url()) == {"a": 1}


async def test_chunked_answers_are_put_together() -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
    )
    async with serving(saying(raw)) as server, Client(server) as client:
        assert await client.get(server.url()) == {"a": 1}


async def test_a_large_answer_is_decoded_whole() -> None:
    rows = [{"n": n, "text": "x" * 40} for n in range(8000)]
    body = answer(json.dumps(rows).encode())
    limits = HttpLimits(response=1024 * 1024)
    async with serving(saying(body)) as server, Client(server, limits=limits) as client:
        assert await client.get(server.url()) == rows


async def test_cookies_are_not_kept() -> None:
    raw = answer(b"{}", "200 OK", "application/json", "Set-Cookie: session=1; Path=/")
    async with serving(saying(raw)) as server, Client(server) as client:
        await client.get(server.url())
        await client.get(server.url())
        exchange = await client.http._open()
        assert len(exchange._client.cookies.jar) == 0
    assert "cookie" not in server.heads[1].lower()


async def test_proxies_in_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(saying(answer(b'"proxied"'))) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        async with serving(saying(answer(b'"direct"'))) as server, Client(server) as client:
            assert await client.get(server.url()) == "direct"
    assert proxy.connections == 0


async def test_many_reads_at_once_all_come_back() -> None:
    async with serving(saying(answer(b"1"))) as server, Client(server) as client:
        answers = await asyncio.gather(*(client.get(server.url()) for _ in range(64)))
    assert answers == [1] * 64


# -- statuses ----------------------------------------------------------------------------------


async def test_an_error_status_is_judged_and_its_body_excerpted() -> None:
    raw = answer(b'{"error":"no\\u0000 such\r\n user"}', "404 Not Found")
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.kind, failure.code) == (Kind.PERMANENT, "http_404")
    assert failure.details["excerpt"] == '{"error":"no\\u0000 such user"}'
    assert "such" not in failure.message


async def test_a_retry_after_comes_along() -> None:
    raw = answer(b"", "429 Too Many", "", "Retry-After: 7")
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.kind, failure.retry_after) == (Kind.RATE_LIMITED, 7_000_000)


async def test_an_error_status_counts_even_when_its_body_never_ends() -> None:
    raw = b"HTTP/1.1 503 Down\r\nContent-Length: 100\r\n\r\nsorry"
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url(), seconds=0.2))
    assert failure.code == "http_503"


async def test_an_error_page_of_any_size_costs_little() -> None:
    raw = answer(b"x" * 5_000_000, "500 Oops", "text/html")
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert failure.code == "http_500"
    assert len(failure.details["excerpt"]) == 300


# -- redirects ---------------------------------------------------------------------------------


def redirect(to: str, status: str = "302 Found") -> bytes:
    return answer(b"", status, "", f"Location: {to}")


async def test_a_read_follows_redirects_on_its_own_host_and_keeps_its_headers() -> None:
    talk = saying(redirect("/b"), redirect("c", "307 Temporary"), answer(b'"there"'))
    async with serving(talk) as server, Client(server) as client:
        assert await client.get(server.url("/a/x"), ("Authorization", "Bearer t")) == "there"
    assert [head.split()[1] for head in server.heads] == ["/a/x", "/b", "/c"]
    assert all("authorization: bearer t" in head.lower() for head in server.heads)


class Street(httpcore.AsyncNetworkBackend):
    """A network on which public addresses are houses of this machine."""

    def __init__(self, **houses: int) -> None:
        self._houses = {f"93.184.215.{number}": port for number, port in enumerate(houses.values())}
        self._names = dict(zip(houses, self._houses, strict=True))

    async def resolve(self, host: str, port: int) -> list[str]:
        return [self._names[host.removesuffix(".test")]]

    async def connect_tcp(self, host: str, port: int, *rest: Any) -> httpcore.AsyncNetworkStream:
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self._houses[host], *rest)


async def test_a_redirect_to_another_host_goes_without_credentials() -> None:
    talk = saying(redirect("http://far.test/x"))
    async with serving(talk) as near, serving(saying(answer(b'"far"'))) as far:
        street = Street(near=near.port, far=far.port)
        exchange = open_exchange((), LIMITS, street.resolve, street)
        headers = (("Authorization", "Bearer t"), ("X-Api-Key", "k"), ("Accept", "text/json"))
        request = Request("GET", "http://near.test/", headers)
        assert await exchange.call(request, SECONDS) == "far"
        await exchange.close()
    assert "Bearer" in near.heads[0]
    assert "Host: far.test\r\n" in far.heads[0]
    assert "Accept: text/json\r\n" in far.heads[0]
    assert "Bearer" not in far.heads[0]
    assert "X-Api-Key" not in far.heads[0]


async def test_a_redirect_from_https_to_http_is_refused() -> None:
    here = httpx.Response(302, headers={"Location": "http://near.test/"})
    exchange = open_exchange((), LIMITS)
    with pytest.raises(StepError) as caught:
        exchange._redirect(Request("GET", "https://near.test/", ()), here)
    assert caught.value.failure.code == "insecure_redirect"
    await exchange.close()


async def test_endless_redirects_end() -> None:
    async with serving(saying(redirect("/again"))) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.code, len(server.heads)) == ("too_many_redirects", 4)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        ("http://127.1/", "blocked_address"),
        ("http://[::1]/", "blocked_address"),
        ("http://127.0.0.1:6379/", "blocked_port"),
        ("file:///etc/passwd", "bad_url"),
        ("http://user:pass@example.com/", "bad_url"),
    ],
)
async def test_a_redirect_into_a_private_place_is_refused(target: str, code: str) -> None:
    async with serving(saying(redirect(target))) as server, Client(server) as client:
        assert (await failure_of(client.get(server.url()))).code == code


async def test_an_exception_is_not_for_those_who_are_sent_there() -> None:
    inside = saying(answer(b'"secret"'))
    async with (
        serving(inside) as inner,
        serving(saying(redirect(inner.url()))) as outer,
        Client(inner, outer) as client,
    ):
        assert (await failure_of(client.get(outer.url()))).code == "blocked_redirect"
        assert await client.get(inner.url()) == "secret"


async def test_a_mutation_never_follows_a_redirect() -> None:
    talk = saying(redirect("/b", "307 Temporary"))
    async with serving(talk) as server, Client(server) as client:
        failure = await failure_of(client.post(server.url()))
    assert (failure.kind, failure.code, len(server.heads)) == (Kind.LOGIC, "http_307", 1)
    assert failure.details["applied"] == "no"


# -- bounds ------------------------------------------------------------------------------------


async def test_an_answer_that_says_it_is_too_large_is_not_read() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.kind, failure.code) == (Kind.PERMANENT, "response_too_large")


async def endless(server: Loopback, reader: Any, writer: asyncio.StreamWriter) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        await writer.drain()


async def test_an_answer_that_never_ends_is_cut_off() -> None:
    async with serving(endless) as server, Client(server) as client:
        assert (await failure_of(client.get(server.url()))).code == "response_too_large"


def gzipped(body: bytes) -> bytes:
    return answer(body, "200 OK", "application/json", "Content-Encoding: gzip")


async def test_a_gzip_bomb_is_cut_off_while_it_unpacks() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    async with serving(saying(gzipped(bomb))) as server, Client(server) as client:
        assert (await failure_of(client.get(server.url()))).code == "response_too_large"


def test_a_bomb_never_becomes_large_in_memory() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    intake = Intake("gzip", 64 * 1024, 200)
    tracemalloc.start()
    with pytest.raises(StepError):
        intake.feed(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


async def test_a_ratio_beyond_reason_is_refused_below_the_size_cap() -> None:
    bomb = gzip.compress(b"0" * 3_000_000)
    talk = saying(gzipped(bomb))
    async with serving(talk) as server, Client(server, limits=HttpLimits()) as client:
        failure = await failure_of(client.get(server.url()))
    assert failure.details["reason"] == "ratio"


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"{}")[:-6],
        gzip.compress(b"{}") + b"more",
        gzip.compress(b"{}") + gzip.compress(b"{}"),
        b"not gzip at all",
        zlib.compress(b"{}"),
    ],
)
async def test_broken_compression_is_a_bad_response(body: bytes) -> None:
    async with serving(saying(gzipped(body))) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.kind, failure.code) == (Kind.PERMANENT, "bad_response")


async def test_an_encoding_nobody_asked_for_is_a_bad_response() -> None:
    raw = answer(b"x", "200 OK", "application/json", "Content-Encoding: br, gzip")
    async with serving(saying(raw)) as server, Client(server) as client:
        assert (await failure_of(client.get(server.url()))).details["reason"] == "encoding"


async def test_a_header_of_a_megabyte_is_refused() -> None:
    raw = answer(b"{}", "200 OK", "application/json", "X-Large: " + "a" * 1_000_000)
    async with serving(saying(raw)) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.code, failure.details["reason"]) == ("response_too_large", "header")


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("application/json", b"<html>", "invalid_json"),
        ("application/json", b'{"a":1,"a":2}', "duplicate_key"),
        ("application/json", b"[" * 65 + b"]" * 65, "too_deep"),
        ("application/json", b"[" * 100_000, "too_deep"),
        ("application/json", b"NaN", "invalid_json"),
        ("application/json", b"1e999", "invalid_json"),
        ("application/json", b"1" * 5000, "invalid_json"),
        ("application/json", b'"\\ud800"', "invalid_json"),
        ("application/json", b'"\xff"', "charset"),
        ("application/json; charset=utf-7", b"{}", "charset"),
        ("image/png", b"\x89PNG", "not_text"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_a_bad_response(
    kind: str, body: bytes, reason: str
) -> None:
    talk = saying(answer(body, kind=kind))
    async with serving(talk) as server, Client(server, limits=HttpLimits()) as client:
        failure = await failure_of(client.get(server.url()))
    assert (failure.kind, failure.code) == (Kind.PERMANENT, "bad_response")
    assert failure.details["reason"] == reason


# -- what goes wrong under way -----------------------------------------------------------------


async def silent(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    await asyncio.Event().wait()


async def hang_up(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)


async def deaf(server: Loopback, reader: Any, writer: Any) -> None:
    await asyncio.Event().wait()


async def test_a_silent_server_is_a_timeout() -> None:
    async with serving(silent) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url(), seconds=0.1))
    assert (failure.kind, failure.code) == (Kind.TIMEOUT, "timeout")
    assert "sent" not in failure.details


async def test_the_read_limit_is_shorter_than_the_whole() -> None:
    limits = HttpLimits(read=0.1)
    async with serving(silent) as server, Client(server, limits=limits) as client:
        assert (await failure_of(client.get(server.url()))).code == "read_timeout"


async def test_a_refused_connection_is_a_network_failure() -> None:
    nobody = Loopback(unused_port())
    async with Client(nobody) as client:
        failure = await failure_of(client.get(nobody.url()))
    assert (failure.kind, failure.code) == (Kind.NETWORK, "connect_failed")
    assert failure.retryable


async def test_plain_text_where_tls_is_expected_is_a_network_failure() -> None:
    async def plain(server: Loopback, reader: asyncio.StreamReader, writer: Any) -> None:
        writer.write(answer())
        await reader.read()

    async with serving(plain) as server, Client(server) as client:
        failure = await failure_of(client.get(server.url().replace("http:", "https:")))
    assert (failure.kind, failure.code) == (Kind.NETWORK, "tls_failed")


async def test_a_blocked_address_is_a_permission_and_names_the_setting() -> None:
    async with Client() as client:
        failure = await failure_of(client.get("http://127.0.0.1/"))
    assert (failure.kind, failure.code) == (Kind.PERMISSION, "blocked_address")
    assert "HANDRAIL_ALLOWED_HOSTS" in failure.hint


async def test_the_details_name_the_host_but_not_what_the_query_carries() -> None:
    nobody = Loopback(unused_port())
    async with Client(nobody) as client:
        failure = await failure_of(client.get(nobody.url("/x?token=hush")))
    assert failure.details["host"] == f"127.0.0.1:{nobody.port}"
    assert "hush" not in repr(failure)


def truncated(raw: bytes) -> Any:
    return saying(raw, close=True)


@pytest.mark.parametrize(
    ("talk", "kind", "sent", "applied"),
    [
        (hang_up, Kind.NETWORK, "unknown", "unknown"),
        (silent, Kind.TIMEOUT, "unknown", "unknown"),
        (truncated(b"what is this\r\n\r\n"), Kind.NETWORK, "unknown", "unknown"),
        (truncated(b"HTTP/1.1 100 Continue\r\n\r\n"), Kind.NETWORK, "unknown", "unknown"),
        (truncated(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), Kind.NETWORK, "yes", "yes"),
        (truncated(gzipped(b"junk")), Kind.PERMANENT, "yes", "yes"),
        (saying(answer(b"<html>")), Kind.PERMANENT, "yes", "yes"),
        (saying(answer(b"", "400 Bad")), Kind.LOGIC, "yes", "no"),
        (saying(answer(b"", "409 Conflict")), Kind.PRECONDITION, "yes", "no"),
        (saying(answer(b"", "408 Late")), Kind.TIMEOUT, "yes", "unknown"),
        (saying(answer(b"", "429 Busy")), Kind.RATE_LIMITED, "yes", "unknown"),
        (saying(answer(b"", "429 Busy", "", "Retry-After: 1")), Kind.RATE_LIMITED, "yes", "no"),
        (saying(answer(b"", "503 Down", "", "Retry-After: 1")), Kind.TRANSIENT, "yes", "no"),
        (saying(answer(b"", "500 Oops")), Kind.TRANSIENT, "yes", "unknown"),
        (saying(answer(b"", "504 Late")), Kind.TRANSIENT, "yes", "unknown"),
    ],
)
async def test_a_failed_mutation_says_how_far_it_got(
    talk: Any, kind: Kind, sent: str, applied: str
) -> None:
    async with serving(talk) as server, Client(server) as client:
        failure = await failure_of(client.post(server.url(), seconds=0.3))
    assert failure.kind is kind
    assert (failure.details["sent"], failure.details["applied"]) == (sent, applied)
    assert len(server.heads) == 1


async def test_a_mutation_that_could_not_connect_was_not_sent() -> None:
    nobody = Loopback(unused_port())
    async with Client(nobody) as client:
        failure = await failure_of(client.post(nobody.url()))
    assert (failure.details["sent"], failure.details["applied"]) == ("no", "no")


async def test_a_mutation_to_a_blocked_address_was_not_sent() -> None:
    async with Client() as client:
        failure = await failure_of(client.post("http://10.0.0.1/"))
    assert (failure.details["sent"], failure.details["applied"]) == ("no", "no")


async def test_a_large_body_that_is_not_read_to_its_end_is_unknown() -> None:
    async with serving(deaf) as server, Client(server) as client:
        failure = await failure_of(client.post(server.url(), b"x" * 20_000_000, seconds=0.5))
    assert (failure.kind, failure.details["sent"]) == (Kind.TIMEOUT, "unknown")


# -- cancelling and closing --------------------------------------------------------------------


async def test_cancelling_a_call_closes_its_connection() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def talk(server: Loopback, reader: asyncio.StreamReader, writer: Any) -> None:
        await server.take(reader)
        arrived.set()
        assert await reader.read() == b""  # the client has hung up
        gone.set()

    async with serving(talk) as server, Client(server) as client:
        call = asyncio.create_task(client.get(server.url()))
        await asyncio.wait_for(arrived.wait(), SECONDS)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), SECONDS)


async def test_a_closed_connector_opens_anew() -> None:
    async with serving(saying(answer(b"1"))) as server, Client(server) as client:
        assert await client.get(server.url()) == 1
        await client.http.close()
        assert await client.get(server.url()) == 1
        assert server.connections == 2


def test_the_http_libraries_are_not_imported_before_the_first_call() -> None:
    code = (
        "import sys; from engine.shell.connectors.http import HttpConnector; HttpConnector();"
        "sys.exit(any(name in sys.modules for name in ('httpx', 'httpcore', 'h11')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 0
