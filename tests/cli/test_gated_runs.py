"""A run that would change something waits for a person, at the terminal or away from it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Gated, Requester
from mcp_server.opening import opened
from mcp_server.settings import ServerSettings
from tests.cli.person import Person, person

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")

PIN = "blue7kite"
ORDER = (
    "run",
    "demo/place-order",
    "--input",
    '{"userId": "3", "items": [{"productId": "prod-1", "quantity": 2}]}',
)


def on(database: Path, act: Callable[[Engine], Awaitable[Any]]) -> Any:
    """Do something with the engine of a database, in this process."""

    async def opening() -> Any:
        settings = ServerSettings(database=str(database), demo=True, work=False)
        async with opened(settings) as engine:
            return await act(engine)

    return asyncio.run(opening())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database in which Ann is enrolled and has accepted the demo's workflow."""
    place = tmp_path_factory.mktemp("shop")

    async def begin(engine: Engine) -> None:
        await engine.approvals.enrol("ann", PIN)
        ann = await engine.approvals.authenticate(PIN, channel="terminal")
        with pytest.raises(Gated) as gated:
            await engine.approvals.accept("demo/place-order", requester=Requester("terminal"))
        asked = gated.value.approval
        await engine.approvals.approve(asked.id, digest=asked.digest, approver=ann)

    on(place / "handrail.db", begin)
    return place


@pytest.fixture
def environment(shop: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a person, with a copy of that database."""
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    kept = {name: value for name, value in os.environ.items()
            if name not in ("FORCE_COLOR", "COLUMNS", "LINES", "HANDRAIL_WORKFLOWS")}  # fmt: skip
    return {
        **kept,
        "HANDRAIL_DATABASE_URL": str(tmp_path / "handrail.db"),
        "HANDRAIL_DEMO": "1",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
        "USER": "ann",
        "TERM": "dumb",
    }


def says_yes(ann: Person) -> str:
    """Read the plan that is shown, and allow it; what was read."""
    plan = ann.sees("type its code")
    ann.types(ann.code)
    ann.sees("PIN: ")
    ann.types(PIN)
    return plan


@pytest.mark.requirement("gated-at-a-terminal")
def test_whoever_starts_a_run_at_a_terminal_is_asked_and_sees_it_through(
    environment: dict[str, str],
) -> None:
    with person(environment, *ORDER) as ann:
        assert "create: POST http://127.0.0.1" in says_yes(ann)
        assert "PAY: POST http://127.0.0.1" in says_yes(ann)
        assert ann.ends() == 0, ann.seen
    assert "completed in" in ann.seen
    assert '"transactionId": "pay-1"' in ann.seen


@pytest.mark.parametrize(("answers", "code", "status"), [
    ([""], 5, "paused:approval"),
    (["no", PIN], 1, "failed:denied"),
])  # fmt: skip
def test_whoever_leaves_it_or_says_no_changes_nothing(
    environment: dict[str, str], answers: list[str], code: int, status: str
) -> None:
    with person(environment, *ORDER) as ann:
        for answer, prompt in zip(answers, ("type its code", "PIN: "), strict=False):
            ann.sees(prompt)
            ann.types(answer)
        assert ann.ends() == code, ann.seen
    assert status in ann.seen
    page = on(Path(environment["HANDRAIL_DATABASE_URL"]), lambda engine: engine.runs())
    run = on(Path(environment["HANDRAIL_DATABASE_URL"]), lambda engine: engine.run(page.rows[0].id))
    assert run.status == status
    assert [step.status for step in run.steps if step.path == "order"] != ["done"]


@pytest.mark.requirement("gated-at-a-terminal")
def test_away_from_a_terminal_it_says_what_waits_and_another_process_carries_it_out(
    environment: dict[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server.cli", *ORDER, "--json"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=50, check=False,
        start_new_session=True,
    )  # fmt: skip
    run = json.loads(done.stdout)
    assert (done.returncode, run["status"]) == (5, "paused:approval")
    said = done.stderr.decode()
    assert "create: POST http://127.0.0.1" in said
    assert f"handrail approve {run['approval']}" in said
    with person(environment, "approve", run["approval"], "--run") as ann:
        says_yes(ann)
        says_yes(ann)
        assert ann.ends() == 0, ann.seen
    assert "completed in" in ann.seen
