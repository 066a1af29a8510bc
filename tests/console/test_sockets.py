"""The page's sockets: on loopback alone, on both of its addresses, and known by a proof."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from mcp_server.console import sockets

pytestmark = pytest.mark.requirement("page-listener")


def test_the_page_listens_on_loopback_alone_and_says_that_it_is_tcp() -> None:
    found = sockets.bind(0)
    assert found
    assert {each.getsockname()[0] for each in found} <= {"127.0.0.1", "::1"}
    assert len({each.getsockname()[1] for each in found}) == 1
    assert {each.proto for each in found} == {socket.IPPROTO_TCP}
    for each in found:
        each.close()


def test_a_port_that_somebody_has_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        assert sockets.bind(stranger.getsockname()[1]) is None


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_a_port_of_which_somebody_has_the_other_address_is_not_taken() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as stranger:
        assert sockets.bind(stranger.getsockname()[1]) is None


@asynccontextmanager
async def answering(answer: bytes) -> AsyncGenerator[int]:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_only_who_knows_the_secret_passes_for_one_of_us() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        assert not await sockets.ours("secret", port, "c")
    async with answering(b"HTTP/1.1 200 OK\r\n\r\nsecret") as port:
        assert not await sockets.ours("secret", port, "c")
    async with answering(b"nonsense") as port:
        assert not await sockets.ours("secret", port, "c")
    assert not await sockets.ours("secret", port, "c")


def test_a_proof_from_another_port_or_to_another_challenge_proves_nothing() -> None:
    proofs = {sockets.proof("s", 1, "c"), sockets.proof("s", 2, "c"), sockets.proof("s", 1, "d")}
    assert len(proofs | {sockets.proof("t", 1, "c")}) == 4


async def test_who_says_nothing_is_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not await sockets.ours("secret", silent.getsockname()[1], "c")
