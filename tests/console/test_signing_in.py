"""Signing in: the PIN, what is seen without it, and where a session comes from and goes."""

from pathlib import Path

import pytest

from mcp_server.console.sessions import IDLE
from tests.console.room import FORM, PIN, Room
from tests.console.room import room as opened

COOKIE = "handrail_4711"


@pytest.mark.requirement("page-sessions")
async def test_without_the_pin_every_address_says_the_same(room: Room) -> None:
    approval = await room.asked_to_accept()
    person = room.person()
    pages = ["/", f"/a/{approval}", "/a/apr_nothing", "/decided", "/grants", "/r/x/y"]
    seen = {path: await person.open(path) for path in pages}
    assert {sheet.text for sheet in seen.values()} == {seen["/"].text}
    assert "Who is there?" in seen["/"].text
    assert seen[f"/a/{approval}"].value("next") == f"/a/{approval}"


@pytest.mark.requirement("page-sessions")
async def test_the_pin_opens_the_page_that_was_asked_for(room: Room) -> None:
    approval = await room.asked_to_accept()
    person = room.person()
    sheet = await person.sign_in(then=f"/a/{approval}")
    assert (sheet.status, sheet.path) == (200, f"/a/{approval}")
    first = sheet.answer.history[0]
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Ann" in sheet.text


@pytest.mark.parametrize(
    "then",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/a//evil.example",
     "javascript:x", "/login", "", "/a/x\r\nSet-Cookie: y=z", "/grants.evil\n"],
)  # fmt: skip
async def test_signing_in_leads_nowhere_else(room: Room, then: str) -> None:
    person = room.person()
    answer = (await person.sign_in(then=then)).answer.history[0]
    assert answer.headers["location"] == "/"


@pytest.mark.requirement("page-pin")
async def test_a_wrong_pin_says_how_many_tries_are_left_and_locks_in_the_end(room: Room) -> None:
    person = room.person()
    sheet = await person.sign_in("wrong pin")
    assert sheet.status == 403
    assert "4 tries are left" in sheet.text
    for _ in range(4):
        sheet = await person.sign_in("wrong pin")
    assert sheet.status == 429
    assert "opens again at" in sheet.text
    assert (await person.sign_in(PIN)).status == 429
    room.clock.time += 16 * 60 * 1_000_000
    assert (await person.sign_in(PIN)).status == 200


async def test_a_session_is_never_the_one_that_a_stranger_chose(room: Room) -> None:
    person = room.person()
    chosen = {"Cookie": f"{COOKIE}={'0' * 64}"}
    assert "Who is there?" in (await person.open("/", **chosen)).text
    answer = (await person.send("/login", [("pin", PIN)], FORM | chosen)).answer.history[0]
    assert "0" * 64 not in answer.headers["set-cookie"]
    assert "Who is there?" in (await room.person().open("/", **chosen)).text


async def test_signing_in_again_ends_the_session_before(room: Room) -> None:
    person = room.person()
    await person.sign_in()
    old = person.client.cookies[COOKIE]
    thief = room.person()
    thief.client.headers["Cookie"] = f"{COOKIE}={old}"
    assert "Who is there?" not in (await thief.open("/")).text
    await person.sign_in()
    assert "Who is there?" in (await thief.open("/")).text


async def test_signing_out_needs_a_form_of_the_page_and_ends_the_session(room: Room) -> None:
    person = room.person()
    home = await person.sign_in()
    assert (await person.send("/logout", [("token", "0" * 64)])).status == 403
    assert "Who is there?" not in (await person.open("/")).text
    assert "Signed out" in (await person.send("/logout", [("token", home.value("token"))])).text
    assert "Who is there?" in (await person.open("/")).text


@pytest.mark.requirement("page-sessions")
async def test_a_form_that_is_sent_too_late_decides_nothing(room: Room) -> None:
    approval = await room.asked_to_accept()
    person = room.person()
    sheet = await person.sign_in(then=f"/a/{approval}")
    room.clock.time += IDLE
    late = await person.press(sheet, "deny")
    assert late.status == 403
    assert "You were signed out, so nothing was decided" in late.text
    assert late.value("next") == f"/a/{approval}"


@pytest.mark.requirement("page-sessions")
async def test_who_comes_by_a_link_from_elsewhere_is_led_in_by_the_page_itself(room: Room) -> None:
    approval = await room.asked_to_accept()
    person = room.person()
    outside = await person.open(f"/a/{approval}", **{"Sec-Fetch-Site": "cross-site"})
    assert "Who is there?" not in outside.text
    (refresh,) = [g for t, g in outside.tags if t == "meta" and g.get("http-equiv") == "refresh"]
    assert refresh["content"] == f"0; url=/a/{approval}?again=1"
    again = await person.open(f"/a/{approval}?again=1", **{"Sec-Fetch-Site": "cross-site"})
    assert "Who is there?" in again.text


@pytest.mark.requirement("page-no-enrolment")
async def test_the_page_enrols_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path, enrolled=False) as room:
        person = room.person()
        sheet = await person.open("/")
        assert "handrail approver init" in sheet.text
        assert not [tag for tag, _ in sheet.tags if tag in {"input", "form", "button"}]
        assert (await person.sign_in("any pin at all")).answer.history == []
        assert not await room.engine.approvals.has_approver()


async def test_a_session_of_somebody_is_nobody_elses(room: Room) -> None:
    first, second = room.person(), room.person()
    await first.sign_in()
    assert "Who is there?" in (await second.open("/")).text
