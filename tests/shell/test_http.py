"""The HTTP connector against real servers: what comes back, and what is refused."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from typing import Any

import httpx
import pytest

from engine.core.errors import Kind, StepError
from engine.core.request import Request
from engine.shell.connectors.exchange import open_exchange
from engine.shell.connectors.inflate import Intake
from engine.shell.connectors.limits import HttpLimits
from tests.shell.client import LIMITS, SECONDS, Client, Street, failure_of
from tests.shell.loopback import Loopback, answer, gzipped, saying, serving

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


async def test_more_calls_than_connections_wait_their_turn() -> None:
    limits = HttpLimits(connections=2)
    async with serving(saying(answer(b"1"))) as server, Client(server, limits=limits) as client:
        answers = await asyncio.gather(*(client.get(server.url()) for _ in range(20)))
    assert answers == [1] * 20
    assert server.connections <= 2


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


async def test_a_redirect_stays_among_the_hosts_of_its_connector() -> None:
    async with serving(saying(redirect("http://other.test/"))) as server, Client(server) as client:
        sent = Request("GET", server.url(), (), hosts=("127.0.0.1", "127.0.0.2:80"))
        assert (await failure_of(client.http.call(sent, SECONDS))).code == "foreign_redirect"
        named = Request("GET", server.url(), (), hosts=("127.0.0.1", "other.test"))
        assert (await failure_of(client.http.call(named, SECONDS))).code == "dns_failed"


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
        gzip.compress(b"{}", mtime=0)[:-6],
        gzip.compress(b"{}", mtime=0) + b"more",
        gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0),
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
