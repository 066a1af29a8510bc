"""The HTTP connector when things go wrong under way: timeouts, lost answers, closing."""

import asyncio
import ipaddress
import ssl
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.core.errors import Kind
from engine.core.request import Request
from engine.shell.connectors.exchange import open_exchange
from engine.shell.connectors.http import HttpConnector
from engine.shell.connectors.limits import HttpLimits
from tests.shell.client import LIMITS, SECONDS, Client, Street, failure_of, unused_port
from tests.shell.loopback import Loopback, answer, gzipped, saying, serving

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


# -- TLS ---------------------------------------------------------------------------------------


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "near.test")])
    names = [x509.DNSName("near.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    born = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(born)
        .not_valid_after(born + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "near.pem"
    file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(tmp_path: Path) -> None:
    asked: list[str | None] = []
    context = self_signed(tmp_path)
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with serving(saying(answer()), context) as server:
        street = Street(near=server.port)
        exchange = open_exchange((), LIMITS, street.resolve, street)
        request = Request("POST", "https://near.test/", (), b"{}")
        failure = await failure_of(exchange.call(request, SECONDS))
        await exchange.close()
    assert (failure.kind, failure.code) == (Kind.PERMANENT, "tls_untrusted")
    assert (failure.details["sent"], failure.details["applied"]) == ("no", "no")
    assert asked == ["near.test"]  # the name is asked for, the vetted address is connected to


async def test_a_private_authority_is_trusted_through_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "near.pem"))
    async with serving(saying(answer(b"1")), context) as server:
        street = Street(near=server.port)
        exchange = open_exchange((), LIMITS, street.resolve, street)
        assert await exchange.call(Request("GET", "https://near.test/", ()), SECONDS) == 1
        await exchange.close()
    assert "Host: near.test\r\n" in server.heads[0]


async def test_what_nobody_classified_is_our_bug_and_keeps_its_text_to_itself() -> None:
    async def broken(host: str, port: int) -> Sequence[str]:
        raise RuntimeError("hush")

    connector = HttpConnector(resolve=broken)
    failure = await failure_of(connector.call(Request("GET", "http://near.test/", ()), SECONDS))
    await connector.close()
    assert (failure.kind, failure.code) == (Kind.INTERNAL, "unclassified")
    assert failure.cause == ("RuntimeError",)
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


async def test_a_mutation_that_waited_for_its_turn_in_vain_was_not_sent() -> None:
    limits = HttpLimits(connections=1)
    async with serving(silent) as server, Client(server, limits=limits) as client:
        first = asyncio.create_task(client.get(server.url(), seconds=1))
        await asyncio.wait_for(server.arrived.wait(), SECONDS)
        failure = await failure_of(client.post(server.url(), seconds=0.1))
        first.cancel()
    assert (failure.code, failure.details["sent"]) == ("timeout", "no")


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
