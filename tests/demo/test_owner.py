"""Who serves the demo: one owner at a time, on a port that lasts."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server.demo import Demo
from mcp_server.demo.health import answers
from mcp_server.demo.owner import bind
from tests.shell.loopback import Loopback, answer, saying, serving

SECONDS = 5.0
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def demos(folder: Path, count: int, port: int = 0) -> AsyncIterator[list[Demo]]:
    made = [Demo(folder, port=port) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            await each.close()


async def ensured(demo: Demo) -> str:
    return await asyncio.wait_for(demo.ensure(), SECONDS)


async def get(address: str, path: str) -> Any:
    def fetch() -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{address}{path}", timeout=SECONDS) as answer:
            return json.load(answer)

    return await asyncio.to_thread(fetch)


async def test_the_first_who_needs_the_world_serves_it(tmp_path: Path) -> None:
    async with demos(tmp_path, 1) as [demo]:
        address = await ensured(demo)
        assert (await get(address, "/api/users/3"))["name"] == "Clementine Bauch"
        assert demo.owner
        assert await ensured(demo) == address


async def test_the_others_find_it_and_do_not_bind(tmp_path: Path) -> None:
    async with demos(tmp_path, 3) as three:
        addresses = {await ensured(demo) for demo in three}
        assert len(addresses) == 1
        assert [demo.owner for demo in three] == [True, False, False]


async def test_of_many_at_once_one_serves(tmp_path: Path) -> None:
    async with demos(tmp_path, 8) as many:
        addresses = await asyncio.gather(*(ensured(demo) for demo in many))
        assert len(set(addresses)) == 1
        assert sum(demo.owner for demo in many) == 1


async def test_when_the_owner_is_gone_another_takes_over_on_the_same_port(tmp_path: Path) -> None:
    async with demos(tmp_path, 2) as [first, second]:
        address = await ensured(first)
        await ensured(second)
        await first.close()
        assert not await answers("127.0.0.1", int(address.rpartition(":")[2]), "any")
        assert await ensured(second) == address
        assert second.owner


async def test_the_port_is_remembered_and_the_state_is_kept(tmp_path: Path) -> None:
    async with demos(tmp_path, 1) as [demo]:
        address = await ensured(demo)
        assert (await get(address, "/api/flaky/every/9"))["calls"] == 1
    async with demos(tmp_path, 1) as [demo]:
        assert await ensured(demo) == address
        assert (await get(address, "/api/flaky/every/9"))["calls"] == 2


async def test_two_databases_have_two_worlds(tmp_path: Path) -> None:
    async with demos(tmp_path / "a", 1) as [one], demos(tmp_path / "b", 1) as [other]:
        assert await ensured(one) != await ensured(other)
        assert (one.owner, other.owner) == (True, True)


@pytest.mark.parametrize(
    "manner",
    [
        saying(answer(b'{"world": "another"}')),
        saying(answer(b"[]")),
        saying(answer(b"not json")),
        saying(answer(b"{}", "404 Not Found")),
        saying(b"SSH-2.0-OpenSSH\r\n\r\n", close=True),
    ],
)
async def test_a_stranger_on_the_port_leads_to_a_new_one(tmp_path: Path, manner: Any) -> None:
    async with serving(manner) as stranger, demos(tmp_path, 2, stranger.port) as [one, other]:
        address = await ensured(one)
        assert address != f"127.0.0.1:{stranger.port}"
        assert await ensured(other) == address
        assert (one.owner, other.owner) == (True, False)


async def test_a_silent_stranger_is_not_waited_for(tmp_path: Path) -> None:
    async def silent(server: Loopback, reader: Any, writer: Any) -> None:
        await reader.read()

    async with serving(silent) as stranger:
        assert not await answers("127.0.0.1", stranger.port, "any", seconds=0.1)


async def test_a_file_that_is_no_world_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "demo-world.sqlite3").write_bytes(b"not a database" * 100)
    async with demos(tmp_path, 1) as [demo]:
        with pytest.raises(OSError, match=r"demo-world\.sqlite3"):
            await ensured(demo)


async def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    async with demos(tmp_path / "file", 1) as [demo]:
        with pytest.raises(OSError, match="file"):
            await ensured(demo)


async def test_a_port_that_somebody_listens_on_cannot_be_bound() -> None:
    ours = bind(0)
    assert ours is not None
    assert bind(ours.getsockname()[1]) is None
    assert ours.proto == socket.IPPROTO_TCP
    ours.close()


CHILD = """
import asyncio, sys
from pathlib import Path
from mcp_server.demo import Demo

async def main():
    demo = Demo(Path(sys.argv[1]), port=0)
    sys.stdout.write(await demo.ensure() + "\\n")
    sys.stdout.flush()
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_owner_is_replaced_and_its_state_survives(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(tmp_path), stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert child.stdout is not None
        line = await asyncio.wait_for(child.stdout.readline(), 4 * SECONDS)
        address = line.decode().strip()
        async with demos(tmp_path, 1) as [demo]:
            assert await ensured(demo) == address
            assert not demo.owner
            await get(address, "/api/flaky/every/9")
            child.send_signal(signal.SIGKILL)
            await asyncio.wait_for(child.wait(), SECONDS)
            assert await ensured(demo) == address
            assert demo.owner
            assert (await get(address, "/api/flaky/every/9"))["calls"] == 2
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
