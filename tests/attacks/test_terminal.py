"""Attack 17: an assistant with a shell types for the person, through a pipe or a terminal."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from engine.core.approval.gated import Gated
from engine.core.approval.views import ApprovalView
from tests.attacks.world import ASSISTANT, PIN, World
from tests.cli.person import person

pytestmark = [
    pytest.mark.requirement("attacks"),
    pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX"),
]


async def _question(world: World) -> ApprovalView:
    try:
        await world.engine.approvals.accept("new", requester=ASSISTANT)
    except Gated as gated:
        return gated.approval
    raise AssertionError("it was accepted already")


def _environment(world: World, **more: str) -> dict[str, str]:
    own = {"HANDRAIL_DATABASE_URL": str(world.database), "HANDRAIL_WORKFLOWS": str(world.folder)}
    return {**os.environ, **own, "TERM": "dumb", **more}


async def _pending(world: World) -> bool:
    return (await world.engine.versions("new"))[0].pending


def _piped(world: World, text: str, *words: str, **more: str) -> int:
    """The command in a session without a terminal, with everything on its stdin."""
    return subprocess.run(
        [sys.executable, "-m", "mcp_server.cli", *words],
        input=text.encode(),
        env=_environment(world, **more),
        capture_output=True,
        start_new_session=True,
        timeout=50,
        check=False,
    ).returncode


async def test_17_what_is_piped_in_decides_nothing(bare: World) -> None:
    view = await _question(bare)
    answers = f"{view.code}\n{PIN}\ny\n" * 3
    tries: list[tuple[str, ...]] = [
        ("approve", view.id),
        ("approve", view.id, "--yes"),
        ("approve", view.id, "--pin", PIN),
        ("accept", "new"),
    ]
    for words in tries:
        code = await asyncio.to_thread(_piped, bare, answers, *words, HANDRAIL_PIN=PIN)
        assert code != 0, words
        assert await _pending(bare)
    assert (await bare.engine.approvals.get(view.id)).state == "pending"


def _types(world: World, view: ApprovalView, code: str, *pins: str) -> int:
    """Somebody at a terminal who types these."""
    with person(_environment(world), "approve", view.id) as who:
        who.sees("type its code")
        who.types(code)
        for pin in pins:
            who.sees("PIN: ")
            who.types(pin)
        if pins and pins[-1] != PIN:
            who.sees("not the PIN")
            who.sees("PIN: ")
            who.interrupts()
        return who.ends()


@pytest.mark.timeout(120)
async def test_17_a_terminal_without_the_pin_decides_nothing(bare: World) -> None:
    view = await _question(bare)
    tries: list[Callable[[], int]] = [
        lambda: _types(bare, view, "00000000"),
        lambda: _types(bare, view, "y"),
        lambda: _types(bare, view, view.code, "000000", "111111"),
    ]
    for tried in tries:
        assert await asyncio.to_thread(tried) != 0
        assert await _pending(bare)
    assert await asyncio.to_thread(_types, bare, view, view.code, PIN) == 0
    assert (await bare.engine.approvals.get(view.id)).state == "done"
