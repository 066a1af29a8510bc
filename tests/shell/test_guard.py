"""The guard: no spelling, name or answer leads a request into a private network."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import pytest

from engine.core.errors import Kind, StepError
from engine.shell.guard import Guard, check_url, system_resolve

PUBLIC = "93.184.215.14"


class Wire(httpcore.AsyncNetworkBackend):
    """A network that notes where it was asked to connect; `dead` addresses refuse."""

    def __init__(self, *dead: str) -> None:
        self.reached: list[str] = []
        self._dead = dead

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.reached.append(host)
        if host in self._dead:
            raise httpcore.ConnectError("refused")
        return httpcore.AsyncMockStream([])


def answering(*rounds: Sequence[str]) -> Any:
    """A resolver that gives one answer after the other; the last one repeats."""
    left = list(rounds)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def refusal(guard: Guard, host: str, port: int = 80) -> str:
    with pytest.raises(StepError) as caught:
        await asyncio.wait_for(guard.connect_tcp(host, port), 5)
    assert caught.value.failure.kind is Kind.PERMISSION
    return caught.value.failure.code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "localhost",
        "::1",
        "::",
        "::ffff:7f00:1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fe80::1%lo",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "5f00::1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "10.0.0.1",
        "172.31.255.1",
        "192.168.0.1",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
@pytest.mark.requirement("guarded-network")
async def test_no_spelling_of_a_private_address_is_reached(host: str) -> None:
    wire = Wire()
    code = await refusal(Guard(resolve=system_resolve, network=wire), host)
    assert (code, wire.reached) == ("blocked_address", [])


@pytest.mark.parametrize(
    "url",
    [
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com%00.evil.test/",
        "http://[fe80::1%25lo]/",
        "http://exa\tmple.com/",
        "http://example.com/\r\nX-Evil: 1",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::1/",
        "http://example.com:99999/",
        "http:///etc/passwd",
        "ftp://example.com/",
        "file:///etc/passwd",
        "unix:///var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
        "example.com/",
        "",
    ],
)
def test_a_url_that_is_not_plain_http_to_a_plain_host_is_refused(url: str) -> None:
    with pytest.raises(StepError) as caught:
        check_url(url)
    assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.LOGIC, "bad_url")


async def test_a_public_name_is_connected_to_the_address_that_was_vetted() -> None:
    wire = Wire()
    await Guard(resolve=answering([PUBLIC]), network=wire).connect_tcp("example.com", 443)
    assert wire.reached == [PUBLIC]


async def test_one_private_answer_among_public_ones_refuses_them_all() -> None:
    wire = Wire()
    code = await refusal(Guard(resolve=answering([PUBLIC, "10.0.0.7"]), network=wire), "mixed.test")
    assert (code, wire.reached) == ("blocked_address", [])


async def test_a_name_that_answers_differently_the_second_time_is_refused_then() -> None:
    wire = Wire()
    guard = Guard(resolve=answering([PUBLIC], ["127.0.0.1"]), network=wire)
    await guard.connect_tcp("rebind.test", 80)
    assert await refusal(guard, "rebind.test") == "blocked_address"
    assert wire.reached == [PUBLIC]


async def test_an_answer_with_a_zone_is_refused() -> None:
    guard = Guard(resolve=answering(["fe80::1%eth0"]), network=Wire())
    assert await refusal(guard, "zone.test") == "blocked_address"


async def test_an_answer_that_is_no_address_is_refused() -> None:
    guard = Guard(resolve=answering(["/var/run/docker.sock"]), network=Wire())
    assert await refusal(guard, "odd.test") == "blocked_address"


@pytest.mark.parametrize("port", [22, 25, 2375, 6379, 8080, 0, 65535])
async def test_other_ports_are_shut_even_on_public_hosts(port: int) -> None:
    wire = Wire()
    code = await refusal(Guard(resolve=answering([PUBLIC]), network=wire), "example.com", port)
    assert (code, wire.reached) == ("blocked_port", [])


async def test_the_refusal_names_the_setting_and_the_pair_to_add() -> None:
    with pytest.raises(StepError) as caught:
        await Guard(network=Wire()).connect_tcp("127.0.0.1", 8080)
    assert "127.0.0.1:8080" in caught.value.failure.hint
    assert "HANDRAIL_ALLOWED_HOSTS" in caught.value.failure.hint


async def test_an_exception_opens_exactly_its_host_and_port() -> None:
    wire = Wire()
    guard = Guard({("Intranet.test.", 8080)}, answering(["10.0.0.7"]), wire)
    await guard.connect_tcp("intranet.test", 8080)
    assert wire.reached == ["10.0.0.7"]
    assert await refusal(guard, "intranet.test", 80) == "blocked_address"
    assert await refusal(guard, "other.test", 8080) == "blocked_port"
    assert await refusal(guard, "10.0.0.7", 8080) == "blocked_port"


@pytest.mark.parametrize("answer", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"])
async def test_an_exception_never_opens_link_local_or_credential_addresses(answer: str) -> None:
    guard = Guard({("intranet.test", 80)}, answering([answer]), Wire())
    assert await refusal(guard, "intranet.test") == "blocked_address"


async def test_unix_sockets_are_refused() -> None:
    with pytest.raises(StepError) as caught:
        await Guard(network=Wire()).connect_unix_socket("/var/run/docker.sock")
    assert caught.value.failure.kind is Kind.PERMISSION


async def test_the_next_vetted_address_is_tried_when_one_refuses() -> None:
    wire = Wire(PUBLIC)
    guard = Guard(resolve=answering([PUBLIC, "2606:4700::1111"]), network=wire)
    await guard.connect_tcp("example.com", 443, timeout=5)
    assert wire.reached == [PUBLIC, "2606:4700::1111"]


async def test_when_no_address_answers_the_last_refusal_is_raised() -> None:
    with pytest.raises(httpcore.ConnectError):
        await Guard(resolve=answering([PUBLIC]), network=Wire(PUBLIC)).connect_tcp("x.test", 80)


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a..b", "x" * 70 + ".test", "\0"])
async def test_a_name_that_cannot_be_resolved_is_a_network_failure(host: str) -> None:
    async def resolve(name: str, port: int) -> Sequence[str]:
        if name.endswith(".invalid"):
            raise OSError("no such name")
        return await system_resolve(name, port)

    with pytest.raises(StepError) as caught:
        await Guard(resolve=resolve, network=Wire()).connect_tcp(host, 80)
    assert (caught.value.failure.kind, caught.value.failure.code) == (Kind.NETWORK, "dns_failed")


async def test_a_name_without_any_address_is_a_network_failure() -> None:
    with pytest.raises(StepError) as caught:
        await Guard(resolve=answering([]), network=Wire()).connect_tcp("empty.test", 80)
    assert caught.value.failure.code == "dns_failed"


async def test_a_silent_resolver_is_not_waited_for() -> None:
    async def silent(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    guard = Guard(resolve=silent, network=Wire())
    with pytest.raises(httpcore.ConnectTimeout):
        await asyncio.wait_for(guard.connect_tcp("silent.test", 80, timeout=0.05), 5)
