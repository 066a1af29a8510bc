"""`handrail secret`: typed by a person at a terminal, kept, listed without values, forgotten."""

import os
from pathlib import Path

import pytest

from engine.app.settings import Settings, kept_secrets
from tests.cli.conftest import Call
from tests.cli.person import person

VALUE = "sk-live-typed-0123456789"


@pytest.fixture
def environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A person's, without a keyring that a test could write to."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", str(database))
    kept = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return {**kept, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def value_of(database: Path, name: str) -> str:
    found = kept_secrets(Settings(str(database))).get("default", name, 0)
    return "" if found is None else found.value.reveal()


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
@pytest.mark.requirement("gate-secrets")
def test_a_value_is_typed_twice_and_never_shown(
    environment: dict[str, str], database: Path, call: Call
) -> None:
    words = ("secret", "set", "bank-key", "--host", "bank.example")
    with person(environment, *words, stdin=os.open(os.devnull, os.O_RDONLY)) as ann:
        ann.sees("The value of bank-key (not shown): ")
        ann.types(VALUE)
        ann.sees("Once more: ")
        ann.types(VALUE)
        ann.sees("bank-key is kept as version 1, for bank.example")
        assert ann.ends() == 0
        assert VALUE not in ann.seen
    assert value_of(database, "bank-key") == VALUE
    listed = call("secret", "list")
    assert "bank-key  version 1  bank.example" in listed.out
    assert VALUE not in listed.out + call("--json", "secret", "list").out


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(
    ("typed", "again", "told"),
    [(VALUE, f"{VALUE}x", "the two are not the same"), ("short", "short", "8 to 16,384")],
)
def test_a_value_that_is_not_meant_is_not_kept(
    environment: dict[str, str], database: Path, typed: str, again: str, told: str
) -> None:
    with person(environment, "secret", "set", "bank-key") as ann:
        ann.sees("(not shown): ")
        ann.types(typed)
        ann.sees("Once more: ")
        ann.types(again)
        ann.sees(told)
        assert ann.ends() == 2
    assert value_of(database, "bank-key") == ""


def test_without_a_terminal_nothing_is_asked_and_nothing_kept(
    environment: dict[str, str], database: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.cli.tty.DEVICE", "/nowhere/tty")
    done = call("secret", "set", "bank-key")
    assert done.code == 4
    assert "needs a person at a terminal" in done.err
    assert value_of(database, "bank-key") == ""


def test_a_value_is_never_an_argument(environment: dict[str, str], call: Call) -> None:
    assert call("secret", "set", "bank-key", VALUE).code == 2
    assert call("secret", "set").code == 2


def test_what_is_forgotten_is_gone(environment: dict[str, str], database: Path, call: Call) -> None:
    kept_secrets(Settings(str(database))).put("default", "bank-key", VALUE, (), 0)
    assert call("--json", "secret", "remove", "bank-key").json == {"removed": "bank-key"}
    assert call("secret", "remove", "bank-key").code == 2
    assert call("secret", "list").out.strip() == "none"
