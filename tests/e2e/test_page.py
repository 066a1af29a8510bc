"""A person decides at the approval page in a real browser that runs no script.

The engine is in this process, with a clock that moves when the test says so, and the browser is
Chromium. With HANDRAIL_SCREENSHOTS=folder it leaves pictures there.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine import Settings, open_engine
from mcp_server.console import Console
from tests.console.room import PIN, Room
from tests.console.room import room as opened
from tests.e2e.browsing import Tab, browser
from tests.e2e.conftest import Node
from tests.e2e.processes import Wire, environment
from tests.tree import ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.requirement("page-in-a-browser"),
]
SHOP = re.compile(r"POST (http://\S+)/api/orders")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Room]:
    async with opened(tmp_path, work=True) as found:
        yield found


@pytest.fixture
async def page(room: Room) -> AsyncGenerator[Console]:
    async with Console(room.engine) as found:
        yield found


@pytest.fixture
async def tab(node: Node, chromium: str, tmp_path: Path) -> AsyncGenerator[Tab]:
    async with browser(node, chromium, tmp_path / "browser.log") as found:
        yield found


async def look(tab: Tab, name: str) -> None:
    """Leave pictures of the page as it is: light, dark and on a phone."""
    kept = os.environ.get("HANDRAIL_SCREENSHOTS")
    if not kept:
        return
    for kind, width, scheme in (
        ("light", 1000, "light"), ("dark", 1000, "dark"), ("phone", 390, "light"),
    ):  # fmt: skip
        picture = os.path.join(kept, f"page-{name}-{kind}.png")  # whose folder the browser makes
        await tab.do("look", path=picture, width=width, scheme=scheme)


async def signed_in(tab: Tab, url: str) -> str:
    await tab.do("open", url=url)
    await tab.do("fill", label="PIN", value=PIN)
    return await tab.do("press", name="Sign in")


async def test_a_person_signs_in_reads_and_allows(room: Room, page: Console, tab: Tab) -> None:
    approval = await room.asked_to_accept()
    url = await page.link(approval)
    assert "Who is there?" in await tab.do("open", url=url)
    await look(tab, "sign-in")
    await tab.do("fill", label="PIN", value="wrong pin")
    assert "4 tries are left" in await tab.do("press", name="Sign in")
    text = await signed_in(tab, url)
    assert tab.url == url
    assert "default/one" in text
    await look(tab, "pending")
    await tab.do("fill", label="PIN", value=PIN)
    assert "Done." in await tab.do("press", name="Approve")
    await look(tab, "done")
    assert not next(each.pending for each in room.engine.workflows() if each.name == "one")
    assert [line for line in tab.complaints if "Refused to" in line and "favicon" not in line] == []


async def test_enter_in_a_field_decides_nothing(room: Room, page: Console, tab: Tab) -> None:
    approval = await room.asked_to_accept()
    await signed_in(tab, await page.link(approval))
    await tab.do("fill", label="PIN", value=PIN)
    await tab.do("key", key="Enter")
    assert (await room.engine.approvals.get(approval)).state == "pending"
    await tab.do("key", key="Tab")
    await tab.do("key", key="Tab")
    assert tab.focus == "Approve"
    await tab.do("key", key="Enter")
    assert "Done." in await tab.do("until", text="Done.")


async def test_a_page_cannot_be_put_into_a_frame(room: Room, page: Console, tab: Tab) -> None:
    url = await page.link(await room.asked_to_accept())
    await signed_in(tab, url)
    await tab.do("frame", url=url)
    assert "Approve" not in tab.text
    assert any("frame" in line.lower() for line in tab.complaints)


async def test_a_person_denies_and_what_ran_out_is_said_so(
    room: Room, page: Console, tab: Tab
) -> None:
    first = await room.asked_to_accept("one")
    second = await room.asked_to_accept("three")
    text = await signed_in(tab, await page.link())
    assert "2 things need you" in text
    await look(tab, "list")
    await tab.do("open", url=await page.link(first))
    await tab.do("fill", label="Comment", value="not today")
    assert "Denied." in await tab.do("press", name="Deny")
    assert "not today" in tab.text
    await tab.do("open", url=await page.link(second))
    room.clock.time = (await room.engine.approvals.get(second)).expires_at
    assert "You were signed out, so nothing was decided" in await tab.do("press", name="Deny")
    await tab.do("fill", label="PIN", value=PIN)
    assert "The time to decide is over" in await tab.do("press", name="Sign in")
    await look(tab, "expired")
    assert room.done == []


async def test_a_person_leaves_a_part_out_and_sees_the_rest_done(
    room: Room, page: Console, tab: Tab
) -> None:
    run = await room.parked("three")
    text = await signed_in(tab, await page.link(run.approval))
    assert "3 operations of 3" in text
    await look(tab, "run")
    await tab.do("tick", label="2 of 3", on=False)
    assert "2 operations of 2" in await tab.do("press", name="Approve")
    assert "second" not in tab.text
    await tab.do("fill", label="PIN", value=PIN)
    await tab.do("press", name="Approve")
    await tab.do("until", text="the run asks for more")  # the page looks again by itself
    assert sorted(room.done) == ["first", "third"]
    assert "second" in await tab.do("follow", name="Look at what it asks")
    await tab.do("fill", label="PIN", value=PIN)
    await tab.do("press", name="Approve")
    assert "completed" in await tab.do("until", text="Done.")
    assert room.done[2:] == ["second"]
    await look(tab, "run-done")


async def test_a_yes_is_taken_back_and_planned_anew(
    node: Node, chromium: str, tmp_path: Path
) -> None:
    async with opened(tmp_path, work=True) as room:
        run = await room.parked("one")
    async with (
        opened(tmp_path, enrolled=False) as room,
        Console(room.engine) as page,
        browser(node, chromium, tmp_path / "browser.log") as tab,
    ):
        await signed_in(tab, await page.link(run.approval))
        await tab.do("fill", label="PIN", value=PIN)
        assert "handrail worker" in await tab.do("press", name="Approve")
        await look(tab, "approved")
        assert "taken back" in await tab.do("press", name="Take the approval back")
        assert "Approve" in await tab.do("press", name="Make a fresh plan")
        assert tab.url != await page.link(run.approval)
        await tab.do("fill", label="PIN", value=PIN)
        assert "handrail worker" in await tab.do("press", name="Approve")
    async with opened(tmp_path, work=True, enrolled=False) as room:
        assert (await room.settled(run.id)).status == "completed"
        assert room.done == ["x"]


async def test_a_person_says_what_became_of_a_change(room: Room, page: Console, tab: Tab) -> None:
    run = await room.parked("one", {"what": "broken"})
    await signed_in(tab, await page.link(run.approval))
    await tab.do("fill", label="PIN", value=PIN)
    await tab.do("press", name="Approve")
    await room.settled(run.id)
    await tab.do("open", url=await page.link())
    await look(tab, "unknown")
    assert "happen?" in await tab.do("follow", name="change of default/one")
    await tab.do("pick", label="It happened")
    await tab.do("fill", label="What it answered", value='{"wrote": "by hand"}')
    await look(tab, "outcome")
    assert "by hand" in await tab.do("press", name="Go on")
    await look(tab, "outcome-said")
    await tab.do("fill", label="PIN", value=PIN)
    assert "Done." in await tab.do("press", name="Approve")
    ended = await room.settled(run.id)
    assert (ended.status, room.done) == ("completed", ["broken"])


async def test_a_person_allows_for_longer_and_takes_it_back(
    room: Room, page: Console, tab: Tab
) -> None:
    run = await room.parked("undoable", {"what": "first"})
    await signed_in(tab, await page.link(run.approval))
    assert "at most 20 operations" in await tab.do("follow", name="Always allow")
    await look(tab, "always")
    await tab.do("fill", label="PIN", value=PIN)
    await tab.do("press", name="Approve, and always allow this")
    await room.settled(run.id)
    again = await room.engine.start("undoable", {"what": "second"})
    assert (await room.settled(again.id)).status == "completed"
    assert "holds" in await tab.do("follow", name="Standing grants")
    await look(tab, "grants")
    assert "taken back" in await tab.do("press", name="Take back")


def claude(folder: Path) -> Wire:
    """The demo's server, started as Claude Desktop starts it."""
    command = [sys.executable, "-m", "mcp_server"]
    return Wire(command, env=environment(folder, HANDRAIL_DEMO="1"), cwd=ROOT, log=folder / "log")


async def order(client: Wire) -> dict[str, Any]:
    """What the assistant's one call answers, each time that it is made."""
    given = {"userId": "3", "items": [{"productId": "prod-1", "quantity": 1}]}
    return await asyncio.to_thread(
        client.call, "execute_workflow", workflow="place-order", input=given
    )


async def orders(shop: str) -> int:
    """How much user 3 has ordered, as the shop itself says."""
    async with httpx.AsyncClient() as client:
        return len((await client.get(f"{shop}/api/users/3/orders")).json()["orders"])


@pytest.mark.requirement("demo-approved-on-the-page")
async def test_an_order_of_the_demo_is_allowed_on_the_page_and_placed_once(
    tab: Tab, tmp_path: Path
) -> None:
    async with open_engine(Settings(str(tmp_path / "handrail.db"), work=False)) as engine:
        await engine.approvals.enrol("Ann", PIN)
    with claude(tmp_path) as client:
        await asyncio.to_thread(client.shake_hands)
        asked = await order(client)
        assert asked["status"] == "approval_required"
        text = await signed_in(tab, asked["approveUrl"])
        assert asked["code"] in text
        await look(tab, "accept")
        await tab.do("fill", label="PIN", value=PIN)
        assert "Done." in await tab.do("press", name="Approve")

        seen: list[str] = []
        before: dict[str, int] = {}
        for _ in range(10):
            asked = await order(client)  # the same call finds the same run
            if asked["status"] == "completed":
                break
            if asked["status"] != "approval_required" or asked["approvalId"] in seen:
                continue
            seen.append(asked["approvalId"])
            text = await tab.do("open", url=asked["approveUrl"])
            assert asked["code"] in text
            before |= {shop: await orders(shop) for shop in SHOP.findall(text)}
            await look(tab, f"order-{len(seen)}")
            await tab.do("fill", label="PIN", value=PIN)
            await tab.do("press", name="Approve")
        assert asked["status"] == "completed"
        assert len(seen) == 2, "the order, and the payment that is known only after it"
        ((shop, count),) = before.items()
        assert await orders(shop) == count + 1
