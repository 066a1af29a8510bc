"""Attacks 10 to 16 and 28 on the approval page: phish, forge, frame, rebind, toss, scan, guess."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from engine.core.approval.gated import Gated
from engine.core.approval.views import ApprovalView
from mcp_server.console.app import application
from tests.attacks.world import ASSISTANT, MINUTE, PIN, World, refusal

pytestmark = pytest.mark.requirement("attacks")

PORT = 4711
ORIGIN = f"http://localhost:{PORT}"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


@dataclass
class Browser:
    """A browser that sends what it is told to; `secret` is its session cookie."""

    http: httpx.AsyncClient
    secret: dict[str, str] = field(default_factory=dict)

    async def post(
        self, path: str, fields: dict[str, str], sent: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(path, data=fields, headers=OURS if sent is None else sent)

    async def sign_in(self, pin: str = PIN) -> httpx.Response:
        answer = await self.post("/login", {"pin": pin, "next": "/"})
        self.secret = dict(self.http.cookies)
        return answer

    async def form(self, view: ApprovalView) -> dict[str, str]:
        """The hidden fields of the page of an approval, and a yes."""
        shown = (await self.http.get(f"/a/{view.id}")).text
        form = re.search(rf'<form[^>]*action="/a/{view.id}".*?</form>', shown, re.DOTALL)
        assert form is not None, shown
        inputs = [_attributes(tag) for tag in re.findall(r"<input([^>]*)>", form[0])]
        hidden = {
            one["name"]: one.get("value", "") for one in inputs if one.get("type") == "hidden"
        }
        return {**hidden, "decision": "approve", "pin": PIN}


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}


@asynccontextmanager
async def browsing(bare: World) -> AsyncGenerator[Browser]:
    app: Any = application(bare.engine, PORT, "ab" * 32)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as http:
        yield Browser(http)


async def _question(bare: World) -> ApprovalView:
    """What the page shows: the assistant wants a version accepted that nobody has accepted."""
    try:
        await bare.engine.approvals.accept("new", requester=ASSISTANT)
    except Gated as gated:
        return gated.approval
    raise AssertionError("it was accepted already")


async def _pending(bare: World) -> bool:
    return (await bare.engine.versions("new"))[0].pending


async def _untouched(bare: World, view: ApprovalView) -> None:
    assert (await bare.engine.approvals.get(view.id)).state == "pending"
    assert await _pending(bare)


async def test_10_a_link_alone_lets_nobody_decide_and_the_page_says_who_asks(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as bob:
        shown = await bob.http.get(f"/a/{view.id}", follow_redirects=True)
        assert view.plan.workflow not in shown.text
        assert view.digest not in shown.text
        await bob.post(f"/a/{view.id}", {"decision": "approve", "digest": view.digest})
        await _untouched(bare, view)
        await bob.sign_in()
        told = html.unescape((await bob.http.get(f"/a/{view.id}")).text)
        assert view.requester in " ".join(told.split())


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:9999"},
    {"Origin": "http://localhost"},
    {"Origin": f"https://localhost:{PORT}"},
    {"Origin": f"http://localhost:{PORT}.evil.example"},
    {"Origin": f"http://127.0.0.1:{PORT}"},
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Origin": ORIGIN, "Sec-Fetch-Site": "none"},
]


async def test_11_a_form_from_elsewhere_counts_for_nothing(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        await browser.sign_in()
        fields = await browser.form(view)
        for headers in FOREIGN:
            answer = await browser.post(f"/a/{view.id}", fields, headers)
            assert answer.status_code == 403, headers
            await _untouched(bare, view)
        assert (await browser.post(f"/a/{view.id}", fields)).status_code == 303
    assert not await _pending(bare)


async def test_12_no_answer_can_be_framed_cached_or_scripted(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        paths = ["/", f"/a/{view.id}", "/nothing", "/console.css", "/alive"]
        answers = [await browser.http.get(path) for path in paths]
        await browser.sign_in()
        answers += [await browser.http.get(path) for path in paths]
        answers.append(await browser.post("/login", {"pin": "x"}, {"Origin": "null"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert rule in policy
        assert "script-src" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert "no-store" in answer.headers["cache-control"]
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["referrer-policy"] == "same-origin"


HOSTS = [
    "evil.example",
    f"evil.example:{PORT}",
    f"localhost.evil.example:{PORT}",
    "localhost",
    "localhost:9999",
    f"localhost:{PORT}@evil.example",
    f"LOCALHOST.:{PORT}",
    f"0.0.0.0:{PORT}",
    f"[::ffff:127.0.0.1]:{PORT}",
    "",
]


async def test_13_the_page_goes_by_its_own_name_only(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        await browser.sign_in()
        fields = await browser.form(view)
        for host in HOSTS:
            headers = {**OURS, "Host": host}
            assert (await browser.post(f"/a/{view.id}", fields, headers)).status_code == 421
            got = await browser.http.get(f"/a/{view.id}", headers={"Host": host})
            assert got.status_code == 421, host
            assert view.code not in got.text
    await _untouched(bare, view)


async def test_14_a_stolen_cookie_alone_decides_nothing(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as ann, browsing(bare) as eve:
        await ann.sign_in()
        await eve.sign_in()
        hers = await eve.form(view)
        app: Any = application(bare.engine, PORT, "ab" * 32)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, cookies=ann.secret
        ) as elsewhere:
            thief = Browser(elsewhere)
            for fields in (hers, {"decision": "approve", "digest": view.digest}):
                await thief.post(f"/a/{view.id}", fields)
        stolen = Browser(ann.http)
        for fields in (
            hers,
            {"decision": "approve", "digest": view.digest},
            {"decision": "approve", "digest": view.digest, "token": ""},
        ):
            assert (await stolen.post(f"/a/{view.id}", fields)).status_code in {400, 403}
    await _untouched(bare, view)


async def test_14_a_stolen_session_destroys_nothing_without_the_pin(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        await browser.sign_in()
        fields = await browser.form(view)
        for pin in ("", "000000", "cobalt heron", PIN.upper()):
            await browser.post(f"/a/{view.id}", {**fields, "pin": pin})
            await _untouched(bare, view)
        assert (await browser.post(f"/a/{view.id}", fields)).status_code == 303
    assert not await _pending(bare)


async def test_14_a_cookie_that_was_planted_is_no_session(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        planted = {"Cookie": f"handrail_{PORT}={'ab' * 32}"}
        fields = {"pin": PIN, "next": "/"}
        signed = await browser.post("/login", fields, {**OURS, **planted})
        assert signed.status_code == 303
        assert "ab" * 32 not in signed.headers["set-cookie"]
        browser.http.cookies.clear()
        shown = await browser.http.get(f"/a/{view.id}", headers=planted)
        assert view.code not in shown.text


async def test_15_looking_at_a_link_changes_nothing(bare: World) -> None:
    view = await _question(bare)
    question = f"/a/{view.id}?decision=approve&digest={view.digest}"
    async with browsing(bare) as browser:
        for signed_in in (False, True):
            if signed_in:
                await browser.sign_in()
            size = (await bare.engine.verify()).events
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
                for path in (f"/a/{view.id}", question, "/"):
                    await browser.http.request(method, path)
            assert (await bare.engine.verify()).events == size
    await _untouched(bare, view)


async def test_16_guessing_the_pin_is_stopped_also_across_restarts_and_channels(
    bare: World,
) -> None:
    codes = []
    async with browsing(bare) as browser:
        for guess in range(3):
            codes.append((await browser.sign_in(f"00000{guess}")).status_code)
    await bare.restart()
    told = [
        await refusal(bare.engine.approvals.authenticate(f"1111{n}1", channel="terminal"))
        for n in range(4)
    ]
    assert [one.code for one in told][-1] == "locked_out"
    assert (await refusal(bare.person())).code == "locked_out"
    async with browsing(bare) as browser:
        assert (await browser.sign_in()).status_code == 429
        assert browser.secret == {}
    bare.clock.ahead += 16 * MINUTE
    assert (await bare.person()).assurance == "A2"
    assert 303 not in codes


async def test_28_a_tab_that_shows_an_old_plan_decides_nothing(bare: World) -> None:
    view = await _question(bare)
    async with browsing(bare) as browser:
        await browser.sign_in()
        old = await browser.form(view)
        bare.clock.ahead += 14 * MINUTE
        await browser.http.get("/")
        bare.clock.ahead += 2 * MINUTE
        fresh = await _question(bare)
        assert fresh.id != view.id
        for path in (f"/a/{view.id}", f"/a/{fresh.id}"):
            await browser.post(path, old)
            assert (await bare.engine.approvals.get(fresh.id)).state == "pending"
        swapped = {**await browser.form(fresh), "digest": view.digest}
        await browser.post(f"/a/{fresh.id}", swapped)
        await _untouched(bare, fresh)
