"""The page's listener: opened when needed, one for all processes, and gone in good order."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from engine import Refused, Settings, open_engine
from engine.app.engine import Engine
from mcp_server import console
from mcp_server.console import Console, sockets
from mcp_server.door import Door

pytestmark = pytest.mark.requirement("page-listener")
SECONDS = 10


@asynccontextmanager
async def process(folder: Path) -> AsyncGenerator[tuple[Engine, Console]]:
    """An engine and a page of its own on a database that others have open too."""
    settings = Settings(str(folder / "handrail.db"), work=False)
    async with open_engine(settings) as engine, Console(engine) as page:
        yield engine, page


async def title(url: str) -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
    return answer.text.partition("<title>")[2].partition("</title>")[0]


async def test_the_page_is_opened_when_it_is_first_needed_and_stays_where_it_was(
    tmp_path: Path,
) -> None:
    async with process(tmp_path) as (_, page):
        assert not page.serving
        url = await page.link()
        assert page.serving
        assert await page.link("apr_1") == f"{url}a/apr_1"
        assert "No approver yet" in await title(url)
    async with process(tmp_path) as (_, page):
        assert await page.link() == url


async def test_of_several_processes_one_serves_and_another_takes_over(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, second):
        async with process(tmp_path) as (_, first):
            url = await first.link()
            assert await second.link() == url
            assert (first.serving, second.serving) == (True, False)
            await second.served()
        assert await second.link() == url
        assert second.serving
        assert "No approver yet" in await title(url)


async def test_who_only_handed_the_address_out_takes_over_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "TEND", 0.02)
    async with process(tmp_path) as (_, second):
        async with process(tmp_path) as (_, first):
            url = await first.link()
            await second.link()
        async with asyncio.timeout(SECONDS):
            await second.taken_over.wait()
        assert "No approver yet" in await title(url)


async def test_a_port_that_a_stranger_took_is_given_up(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, page):
        url = await page.link()
    port = int(url.rstrip("/").rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        async with process(tmp_path) as (engine, page):
            other = await page.link()
            assert other != url
            kept = (await engine.approvals.installation()).console_port
            assert other == f"http://localhost:{kept}/"


async def test_two_that_open_it_at_once_end_up_with_one_address(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, one), process(tmp_path) as (_, two):
        first, second = await asyncio.gather(one.link(), two.link())
        assert first == second
        assert sorted([one.serving, two.serving]) == [False, True]


async def test_it_proves_whose_it_is_without_saying_the_secret(tmp_path: Path) -> None:
    async with process(tmp_path) as (engine, page):
        url = await page.link()
        port = int(url.rstrip("/").rpartition(":")[2])
        secret = (await engine.approvals.installation()).secret
        assert await sockets.ours(secret, port, "challenge")
        assert not await sockets.ours(secret[::-1], port, "challenge")
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{url}alive", params={"challenge": "challenge"})
        assert secret not in answer.text


async def test_a_door_leads_to_the_page_and_closes_it(tmp_path: Path) -> None:
    door = Door(lambda: open_engine(Settings(str(tmp_path / "handrail.db"), work=False)))
    async with door.held(0):
        url = await door.link("apr_1")
        assert url.endswith("/a/apr_1")
        assert "No approver yet" in await title(url)
    with pytest.raises(httpx.ConnectError):
        await title(url)


async def test_a_page_that_was_closed_is_not_opened_again(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, page):
        await page.close()
        with pytest.raises(Refused) as refused:
            await page.link()
    assert refused.value.code == "page_unavailable"
