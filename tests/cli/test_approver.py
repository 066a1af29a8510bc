"""A person decides at a terminal, with PIN and code; nobody and nothing else does."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine import Engine, Gated, Requester, Settings, open_engine
from mcp_server.cli.pins import weak
from tests.cli.conftest import SLOW
from tests.cli.person import person

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")

PIN = "blue7kite"


def on(database: Path, act: Callable[[Engine], Awaitable[Any]]) -> Any:
    """Do something with the engine of a database, in this process."""

    async def opened() -> Any:
        settings = Settings(str(database), (database.parent / "flows",), work=False)
        async with open_engine(settings) as engine:
            return await act(engine)

    return asyncio.run(opened())


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a database in which Ann is enrolled and asked; and the approval's id."""
    place = tmp_path_factory.mktemp("begun")
    (place / "flows").mkdir()
    (place / "flows" / "more.yaml").write_text(SLOW, encoding="utf-8")

    async def ask(engine: Engine) -> str:
        await engine.approvals.enrol("ann", PIN)
        with pytest.raises(Gated) as gated:
            await engine.approvals.accept("pay", requester=Requester("stdio", client="claude"))
        return gated.value.approval.id

    return place, str(on(place / "handrail.db", ask))


@pytest.fixture
def approval(begun: tuple[Path, str], tmp_path: Path) -> str:
    """Something that waits for Ann, in a database of this test's own; its id."""
    shutil.copytree(begun[0], tmp_path, dirs_exist_ok=True)
    return begun[1]


@pytest.fixture
def environment(database: Path) -> dict[str, str]:
    """The environment of a person who has set the database and the folder."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("FORCE_COLOR", "COLUMNS", "LINES")}  # fmt: skip
    return {
        **kept,
        "HANDRAIL_DATABASE_URL": str(database),
        "HANDRAIL_WORKFLOWS": str(database.parent / "flows"),
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
        "USER": "ann",
        "TERM": "xterm-256color",
    }


def without_terminal(environment: dict[str, str], *words: str) -> tuple[int, Any]:
    """Call a command that has no terminal at all; exit code and JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server.cli", *words, "--json"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
        start_new_session=True,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def state(database: Path, approval: str) -> str:
    return str(on(database, lambda engine: engine.approvals.get(approval)).state)


# -- the PIN -----------------------------------------------------------------------------------


@pytest.mark.requirement("pin-at-a-terminal")
def test_a_pin_is_typed_twice_and_appears_nowhere(
    environment: dict[str, str], database: Path
) -> None:
    with person(environment, "approver", "init") as ann:
        ann.sees("New PIN")
        ann.types("password1")
        ann.sees("Not this one")
        ann.sees("New PIN")
        ann.types(PIN)
        ann.sees("Once more")
        ann.types("something else")
        ann.sees("not the same")
        ann.sees("New PIN")
        ann.types(PIN)
        ann.sees("Once more")
        ann.types(PIN)
        assert ann.ends() == 0
    assert PIN not in ann.seen
    files = list(database.parent.glob("handrail.db*"))
    assert all(PIN.encode() not in path.read_bytes() for path in files)
    assert on(database, lambda engine: engine.approvals.approvers()) == ("ann",)


@pytest.mark.parametrize(
    "pin", ["", "12345", "aaaaaa", "ababab", "abcdefg", "987654", "qwertyui", "password1", "ann99"]
)
def test_a_pin_that_everybody_would_try_is_no_pin(pin: str) -> None:
    assert weak(pin, "ann")


@pytest.mark.parametrize("pin", ["193847", PIN, "ein ganzer Satz", "пароль-мой"])
def test_any_other_pin_will_do(pin: str) -> None:
    assert weak(pin, "ann") == ""


def test_another_pin_needs_the_one_before(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    with person(environment, "approver", "init") as ann:
        assert ann.ends() == 4
        assert "there is a PIN already" in ann.seen
    for old, code in (("not known", 4), (PIN, 0)):
        with person(environment, "approver", "change") as somebody:
            somebody.sees("The old PIN")
            somebody.types(old)
            for prompt in ("New PIN", "Once more"):
                somebody.sees(prompt)
                somebody.types("red8horse")
            assert somebody.ends() == code, somebody.seen
    with pytest.raises(Exception, match="that is not the PIN"):
        on(database, lambda engine: engine.approvals.authenticate(PIN, channel="terminal"))


# -- deciding ----------------------------------------------------------------------------------


@pytest.mark.requirement("pin-at-a-terminal")
def test_a_plan_is_allowed_with_its_code_and_the_pin_whatever_stdin_is(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{PIN}\n{PIN}\n{PIN}\n".encode())
    os.close(writing)
    with person(environment, "approve", approval, stdin=reading) as ann:
        os.close(reading)
        plan = ann.sees("type its code")
        assert "Accept default/pay 1.0.0" in plan
        assert "POST https://bank.example.com/payments" in plan
        ann.types(ann.code.lower())
        ann.sees("PIN: ")
        ann.types(PIN)
        assert ann.ends() == 0, ann.seen
        assert "Allowed and done" in ann.seen
    assert PIN not in ann.seen
    shown = on(database, lambda engine: engine.approvals.get(approval))
    assert (shown.state, shown.decided_by, shown.channel) == ("done", "ann", "terminal")


@pytest.mark.requirement("pin-at-a-terminal")
@pytest.mark.parametrize("words", [("approve",), ("approver", "init")])
def test_without_a_terminal_nothing_is_decided(
    environment: dict[str, str], database: Path, approval: str, words: tuple[str, ...]
) -> None:
    more = [approval] if words == ("approve",) else []
    code, told = without_terminal(environment, *words, *more)
    assert (code, told["error"]["code"]) == (4, "needs_terminal")
    assert state(database, approval) == "pending"


@pytest.mark.requirement("pin-at-a-terminal")
def test_five_wrong_pins_close_the_door_in_every_process(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    seen = ""
    for guesses in (["guess-0", "guess-1", "guess-2"], ["guess-3", "guess-4"], [PIN]):
        with person(environment, "approve", approval) as somebody:
            somebody.sees("type its code")
            somebody.types(somebody.code)
            for guess in guesses:
                somebody.sees("PIN: ")
                somebody.types(guess)
            assert somebody.ends() == 4
            seen = somebody.seen
    assert "too many wrong PINs" in seen
    assert re.search(r"until \d{4}-\d\d-\d\d\s", seen)
    assert state(database, approval) == "pending"


def test_another_code_ends_it_before_the_pin(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    with person(environment, "approve", approval) as ann:
        ann.sees("type its code")
        ann.types("00000000")
        assert ann.ends() == 4
        assert "that is not the code of this plan" in ann.seen
        assert "PIN: " not in ann.seen
    assert state(database, approval) == "pending"


@pytest.mark.requirement("pin-at-a-terminal")
@pytest.mark.parametrize("prompt", ["type its code", "PIN: "])
def test_an_interruption_leaves_everything_as_it_was(
    environment: dict[str, str], database: Path, approval: str, prompt: str
) -> None:
    with person(environment, "approve", approval) as ann:
        ann.sees("type its code")
        if prompt == "PIN: ":
            ann.types(ann.code)
            ann.sees("PIN: ")
        ann.interrupts()
        assert ann.ends() == 130, ann.seen
        assert "nothing was decided" in ann.seen
        assert "Traceback" not in ann.seen
    assert state(database, approval) == "pending"


def test_a_no_is_kept_with_its_reason(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    with person(environment, "deny", approval, "--comment", "wrong bank") as ann:
        ann.sees("PIN: ")
        ann.types(PIN)
        assert ann.ends() == 0
        assert "Denied" in ann.seen
    shown = on(database, lambda engine: engine.approvals.get(approval))
    assert (shown.state, shown.comment) == ("denied", "wrong bank")
    with person(environment, "approve", approval) as ann:
        assert ann.ends() == 4
        assert "denied already" in ann.seen


@pytest.mark.requirement("gated-at-a-terminal")
def test_a_gated_command_asks_there_and_then_and_then_does_it(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    with person(environment, "accept", "pay") as ann:
        ann.sees("A person has to allow this; nothing was changed so far.")
        ann.sees("type its code")
        ann.types(ann.code)
        ann.sees("PIN: ")
        ann.types(PIN)
        assert ann.ends() == 0, ann.seen
        assert "pay 1.0.0 is accepted." in ann.seen
    assert state(database, approval) == "done"


@pytest.mark.requirement("gated-at-a-terminal")
def test_without_a_terminal_a_gated_command_says_what_waits_and_how_to_decide(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    code, told = without_terminal(environment, "accept", "pay")
    error = told["error"]
    assert (code, error["code"], error["details"]["approvalId"]) == (
        5,
        "approval_required",
        approval,
    )
    assert f"handrail approve {approval}" in error["hint"]
    assert state(database, approval) == "pending"


# -- first run ---------------------------------------------------------------------------------


def test_whoever_connects_a_client_is_offered_a_pin_and_may_leave_it(
    environment: dict[str, str], database: Path
) -> None:
    (database.parent / "flows").mkdir()
    config = str(database.parent / "claude.json")
    for answer in ("", PIN):
        with person(environment, "connect", "claude-desktop", "--config", config) as ann:
            ann.sees("New PIN")
            ann.types(answer)
            if answer:
                ann.sees("Once more")
                ann.types(answer)
            assert ann.ends() == 0, ann.seen
            assert ("The PIN of ann is set." in ann.seen) is bool(answer)
    assert on(database, lambda engine: engine.approvals.approvers()) == ("ann",)
    with person(environment, "connect", "claude-desktop", "--config", config) as ann:
        assert ann.ends() == 0
        assert "PIN" not in ann.seen


def test_the_page_is_open_for_as_long_as_the_command_runs(
    environment: dict[str, str], database: Path, approval: str
) -> None:
    with person({**environment, "BROWSER": "true"}, "approvals", "--open") as ann:
        said = ann.sees("Ctrl-C ends it.")
        link = re.findall(r"http://localhost:\d+/", said)[0]
        assert "PIN" in httpx.get(link, follow_redirects=True).text
        ann.interrupts()
        assert ann.ends() == 0, ann.seen
    with pytest.raises(httpx.ConnectError):
        httpx.get(link)


def test_whoever_starts_a_server_at_a_terminal_is_offered_a_pin_first(
    environment: dict[str, str], database: Path
) -> None:
    (database.parent / "flows").mkdir()
    with person(environment, "serve", "--port", "0") as ann:
        ann.sees("New PIN")
        ann.types("")
        ann.sees("`handrail approver init` does it at any time.")
        ann.sees("Ctrl-C ends it")
        ann.interrupts()
        assert ann.ends() == 0, ann.seen
    assert not on(database, lambda engine: engine.approvals.has_approver())
