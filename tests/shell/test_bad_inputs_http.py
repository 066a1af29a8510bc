"""TRUST 4.7, 67 to 81, the whole way: a document that does it, a run of it, and what is left.

What each layer refuses is tested beside it (`test_guard.py`, `test_http.py`); here is what a
person sees: the run failed with a kind and a code of its own, nothing was reached, nothing was
kept, and the engine goes on. 80 (hostile archives) is about a feature that does not exist: there
are no connector packages, and no file is ever unpacked.
"""

import asyncio
import gzip
import resource
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, open_engine
from engine.app.settings import Settings
from engine.core.views import RunView
from tests.shell.deciding import asked
from tests.shell.documents import flow, write
from tests.shell.loopback import Loopback, Talk, answer, gzipped, saying, serving

SECONDS = 20.0
GROWN_MOST = 64 * 1024 * 1024
"""Bytes by which no bad input may let the process grow."""


def step(url: str, **request: Any) -> dict[str, Any]:
    http = {"method": "GET", "url": url, **request}
    return {"id": "a", "type": "http", "http": http, "timeout": "1s", "retry": "none"}


@asynccontextmanager
async def engine_at(
    tmp_path: Path, steps: Mapping[str, dict[str, Any]], *servers: Loopback, **more: Any
) -> AsyncGenerator[Engine]:
    folder = write(tmp_path / "documents", *(flow(name, [one]) for name, one in steps.items()))
    allowed = frozenset(("127.0.0.1", server.port) for server in servers)
    settings = Settings(str(tmp_path / "h.db"), (folder,), allowed_hosts=allowed, **more)
    async with open_engine(settings) as engine:
        yield engine


async def ran(engine: Engine, name: str = "w", **given: Any) -> RunView:
    async with asyncio.timeout(SECONDS):
        run = await engine.start(name, given)
        return await engine.wait(run.id, SECONDS)


async def told(engine: Engine, name: str = "w") -> tuple[str, str]:
    """Kind and code of the failure, which is never our bug; the engine is none the worse."""
    run = await ran(engine, name)
    assert run.failure is not None
    assert run.status.startswith(("failed:", "paused:")), run.status
    assert run.failure.kind != "internal"
    assert run.output == {}
    assert (await engine.run(run.id)).status == run.status
    return str(run.failure.kind), run.failure.code


TRICKS = [
    "http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://0x7f000001/",
    "http://0177.0.0.1/", "http://0/", "http://0.0.0.0/", "http://localhost/",
    "http://localhost./", "http://[::1]/", "http://[::]/", "http://[::ffff:7f00:1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/", "http://[2002:7f00:1::]/", "http://[fe80::1%25lo]/",
    "http://169.254.169.254/latest/meta-data/", "http://168.63.129.16/", "http://100.64.0.1/",
    "http://me@127.0.0.1/", "http://127.0.0.1\t/", "http://①②⑦.⓪.⓪.①/",
    "http://example.com%00.127.0.0.1/", "http://exa\\mple.com@127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1/", "http:///127.0.0.1/", "//127.0.0.1/",
]  # fmt: skip


@pytest.mark.requirement("gate-bad-inputs")
async def test_67_no_url_however_it_is_written_reaches_this_machine(tmp_path: Path) -> None:
    def at(url: str, port: int) -> str:
        head, slash, rest = url.partition("://")[2].partition("/")
        return url.replace(f"://{head}{slash}{rest}", f"://{head}:{port}{slash}{rest}", 1)

    async with serving(saying(answer(b'"reached"'))) as canary:
        steps = {f"w{number}": step(url) for number, url in enumerate(TRICKS)}
        steps |= {f"p{number}": step(at(url, canary.port)) for number, url in enumerate(TRICKS)}
        async with engine_at(tmp_path, steps) as engine:
            for name in steps:
                if name in {info.name for info in engine.workflows()}:
                    code = (await told(engine, name))[1]
                    assert code in {"blocked_address", "blocked_port", "bad_url", "dns_failed"}, (
                        name,
                        code,
                    )
                else:
                    problems = {each.code for each in engine.problems() if name in each.subject}
                    assert problems & {"bad_url", "unknown_workflow", "bad_text"}, (name, problems)
    assert canary.connections == 0


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "a@127.0.0.1", "x/../..", "", "[::1]", "a\r\nHost: b"]
)
async def test_67_no_host_comes_from_an_input(tmp_path: Path, host: str) -> None:
    reads = {**step("https://{{input.host}}/"), "input": {"host": host}}
    async with engine_at(tmp_path, {"w": reads}) as engine:
        assert await told(engine) == ("logic", "bad_url")


def redirect(target: str) -> bytes:
    return answer(b"", "302 Found", "", f"Location: {target}")


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        ("http://[::ffff:a9fe:a9fe]/", "blocked_address"),
        ("http://localhost:1/", "blocked_port"),
        ("file:///etc/passwd", "bad_url"),
        ("/again", "too_many_redirects"),
    ],
)
async def test_70_72_a_redirect_leads_nowhere_that_is_shut_and_ends(
    tmp_path: Path, target: str, code: str
) -> None:
    async with (
        serving(saying(redirect(target))) as server,
        engine_at(tmp_path, {"w": step(server.url())}, server) as engine,
    ):
        assert (await told(engine))[1] == code
        assert len(server.heads) <= 4


async def never_ends(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


async def trickles(server: Loopback, reader: Any, writer: Any) -> None:
    await server.take(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


BOMB = gzip.compress(b"\0" * 50_000_000)
BODIES: dict[str, tuple[Talk, str]] = {
    "73 a gigabyte, announced": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{"),
        "response_too_large",
    ),
    "73 a gigabyte, not announced": (never_ends, "response_too_large"),
    "74 gzip of one to a thousand": (saying(gzipped(BOMB)), "response_too_large"),
    "75 a header of a megabyte": (
        saying(answer(b"{}", "200 OK", "application/json", f"X-Long: {'x' * 1_048_576}")),
        "response_too_large",
    ),
    "76 chunks that never end": (trickles, "timeout"),
    "78 not the json it says": (saying(answer(b"<html>")), "bad_response"),
    "78 an image": (saying(answer(b"\x89PNG", "200 OK", "image/png")), "bad_response"),
    "78 json in a charset of its own": (
        saying(answer(b"{}", "200 OK", "application/json; charset=utf-7")),
        "bad_response",
    ),
    "78 two keys": (saying(answer(b'{"a": 1, "a": 2}')), "bad_response"),
    "78 deep": (saying(answer(b"[" * 50_000)), "bad_response"),
}


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize("name", BODIES)
async def test_73_to_78_an_answer_beyond_reason_is_a_failure_and_stays_small(
    tmp_path: Path, name: str
) -> None:
    talk, code = BODIES[name]
    async with (
        serving(talk) as server,
        engine_at(tmp_path, {"w": step(server.url())}, server) as engine,
    ):
        before = _most_memory()
        assert (await told(engine))[1] == code
        assert _most_memory() - before < GROWN_MOST
        assert (tmp_path / "h.db").stat().st_size < 4 * 1024 * 1024
        assert len(server.heads) == 1


def _most_memory() -> int:
    """The most bytes that this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.requirement("gate-bad-inputs")
async def test_71_credentials_do_not_follow_to_another_host(tmp_path: Path) -> None:
    async with serving(saying(answer(b"1"))) as there:
        target = there.url().replace("127.0.0.1", "localhost")
        async with serving(saying(redirect(target))) as here:
            reads = step(here.url(), headers={"Authorization": "Bearer x", "X-Api-Key": "y"})
            folder = {"w": reads}
            async with engine_at(tmp_path, folder, here, there) as engine:
                assert (await told(engine))[1] in {"blocked_port", "blocked_redirect"}
    assert there.connections == 0


@pytest.mark.requirement("gate-bad-inputs")
async def test_77_proxies_of_the_environment_are_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serving(saying(answer(b'"proxy"'))) as proxy,
        serving(saying(answer(b"1"))) as server,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        async with engine_at(tmp_path, {"w": step(server.url())}, server) as engine:
            assert (await ran(engine)).output == {"a": 1}
    assert proxy.connections == 0


@pytest.mark.requirement("gate-bad-inputs")
async def test_79_no_cookie_goes_from_one_tenant_or_call_to_the_next(tmp_path: Path) -> None:
    cookie = answer(b"1", "200 OK", "application/json", "Set-Cookie: session=theirs; Path=/")
    async with serving(saying(cookie)) as server:
        for tenant in ("acme", "globex", "globex"):
            async with engine_at(tmp_path, {"w": step(server.url())}, server, tenant=tenant) as one:
                await ran(one)
                await ran(one)
    assert len(server.heads) == 6
    assert not [head for head in server.heads if "cookie" in head.lower()]


@pytest.mark.requirement("gate-bad-inputs")
@pytest.mark.parametrize("claimed", ["task", "step", "connector"])
async def test_81_who_says_that_a_post_only_reads_waits_for_a_person(
    tmp_path: Path, claimed: str
) -> None:
    async with serving(saying(answer(b"1"))) as server:
        post = {**step(server.url(), method="POST"), "effect": "read"}
        base = {"kind": "Connector", "apiVersion": "t/v1", "metadata": {"name": "c"}}
        operation = {"method": "POST", "path": "/", "effect": "read"}
        spec = {"baseUrl": server.url().rstrip("/"), "operations": {"find": operation}}
        task = {"kind": "WorkflowTask", "apiVersion": "t/v1", "metadata": {"name": "t"}}
        body = {name: post[name] for name in ("type", "http", "effect")}
        steps = {"step": post, "task": {"id": "a", "taskRef": "t"},
                 "connector": {"id": "a", "connector": "c/find"}}  # fmt: skip
        write(
            tmp_path / "documents", {**base, "spec": spec}, {**task, "spec": body}, name="more.yaml"
        )
        async with engine_at(tmp_path, {"w": steps[claimed]}, server) as engine:
            view = await asked(engine.start("w", {}))
            assert view.kind == "version.accept"
            assert (await engine.runs()).rows == ()
    assert server.connections == 0
