"""The edge of the approval page: whose requests count, and what every answer carries."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from mcp_server.console import guard

PORT = 4711
ORIGIN = f"http://localhost:{PORT}"
GOOD = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Content-Type": guard.FORM.decode()}


class Room:
    """What lies behind the guard: it counts who gets in, and can fall over."""

    def __init__(self) -> None:
        self.entered: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        if request.url.path == "/fall":
            raise RuntimeError("the PIN 123456 was wrong")
        self.entered.append(await request.body())
        await PlainTextResponse("in")(scope, receive, send)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def client(room: Room) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(guard.Guard(room, PORT))
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN)


@pytest.mark.requirement("page-forms")
async def test_a_form_of_our_own_page_gets_in(client: httpx.AsyncClient, room: Room) -> None:
    answer = await client.post("/a/x", content=b"pin=1", headers=GOOD)
    assert (answer.status_code, room.entered) == (200, [b"pin=1"])


@pytest.mark.requirement("page-forms")
async def test_a_browser_that_sends_no_fetch_metadata_is_known_by_its_origin(
    client: httpx.AsyncClient, room: Room
) -> None:
    headers = {name: value for name, value in GOOD.items() if name != "Sec-Fetch-Site"}
    assert (await client.post("/a/x", content=b"", headers=headers)).status_code == 200


@pytest.mark.requirement("page-forms")
@pytest.mark.parametrize(
    "wrong",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{PORT + 1}", "Sec-Fetch-Site": "same-site"},
        {"Origin": f"http://127.0.0.1:{PORT}"},
        {"Origin": f"https://localhost:{PORT}"},
        {"Origin": None},
        {"Origin": None, "Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": ORIGIN + ".evil.example"},
    ],
)
async def test_a_form_from_anywhere_else_decides_nothing(
    client: httpx.AsyncClient, room: Room, wrong: dict[str, str | None]
) -> None:
    headers = {name: value for name, value in (GOOD | wrong).items() if value is not None}
    answer = await client.post("/a/x", content=b"decision=approve", headers=headers)
    assert (answer.status_code, room.entered) == (403, [])


@pytest.mark.requirement("page-hosts")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "localhost",
        f"localhost:{PORT + 1}",
        "localhost:evil.com",
        f"localhost.:{PORT}",
        f"LOCALHOST:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"0.0.0.0:{PORT}",
        f"[::]:{PORT}",
        "",
    ],
)
async def test_a_name_that_is_not_ours_reaches_nothing(
    client: httpx.AsyncClient, room: Room, host: str
) -> None:
    for method in ("GET", "POST"):
        answer = await client.request(method, "/", headers=GOOD | {"Host": host})
        assert answer.status_code in {400, 421}
    assert room.entered == []


async def test_the_addresses_of_loopback_lead_to_the_one_name(
    client: httpx.AsyncClient, room: Room
) -> None:
    for host in (f"127.0.0.1:{PORT}", f"[::1]:{PORT}"):
        answer = await client.get("/a/x?again=1", headers={"Host": host})
        assert answer.headers["location"] == f"{ORIGIN}/a/x?again=1"
        answer = await client.post("/a/x", headers=GOOD | {"Host": host})
        assert answer.status_code == 403
    assert room.entered == []


async def test_a_header_that_decides_may_come_once(client: httpx.AsyncClient, room: Room) -> None:
    twice = [*GOOD.items(), ("Origin", "https://evil.example")]
    answer = await client.post("/a/x", content=b"", headers=twice)
    assert (answer.status_code, room.entered) == (400, [])


@pytest.mark.requirement("page-forms")
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"", 415),
        ({"Content-Type": "text/plain"}, b"", 415),
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({"Content-Encoding": "gzip"}, b"", 415),
        ({}, b"x" * (guard.LARGEST + 1), 413),
    ],
)
async def test_a_form_is_urlencoded_and_small(
    client: httpx.AsyncClient, room: Room, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await client.post("/a/x", content=body, headers=GOOD | headers)
    assert (answer.status_code, room.entered) == (status, [])


async def test_a_form_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch, room: Room
) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.01)
    sent: list[Any] = []

    async def silent() -> Any:
        import asyncio

        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in GOOD.items()]
    headers.append((b"host", f"localhost:{PORT}".encode()))
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await guard.Guard(room, PORT)(scope, silent, send)
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_there_are_no_other_methods(
    client: httpx.AsyncClient, room: Room, method: str
) -> None:
    assert (await client.request(method, "/", headers=GOOD)).status_code == 405
    assert room.entered == []


@pytest.mark.requirement("page-headers")
async def test_every_answer_keeps_out_of_frames_caches_and_scripts(
    client: httpx.AsyncClient,
) -> None:
    for answer in (
        await client.get("/"),
        await client.get("/fall"),
        await client.post("/"),
        await client.get("/", headers={"Host": "evil.example"}),
    ):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_fault_of_ours_is_told_without_what_was_in_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/fall")
    assert answer.status_code == 500
    assert "123456" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
