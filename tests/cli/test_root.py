"""The command itself: what it lists, what it suggests, what it does not import."""

import json
import os
import subprocess
import sys

import click
import pytest

from mcp_server.cli import main
from mcp_server.cli.root import COMMANDS, handrail

HEAVY = ("mcp", "mcp_types", "httpx", "rich", "pydantic", "engine.core", "anyio", "asyncio")


def run(*words: str) -> tuple[int, str, str]:
    """A real call of the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server.cli", *words],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"]])
def test_help_and_version_import_nothing_of_weight(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from mcp_server.cli import main\n"
        f"main({words!r})\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.requirement("runs-without-fcntl")
def test_no_command_needs_a_posix_terminal_to_be_imported() -> None:
    code = (
        "import sys\n"
        "for name in ('fcntl', 'termios', 'pwd', 'grp', 'resource', 'tty', 'curses'):\n"
        "    sys.modules[name] = None\n"
        "from mcp_server.cli.root import COMMANDS, handrail\n"
        "assert all(handrail.get_command(None, name) for name in COMMANDS)\n"
        "import mcp_server.cli.paint.timeline, mcp_server.cli.follow\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


def test_help_lists_every_command_with_its_purpose() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for name, entry in COMMANDS.items():
        assert name in out
        assert entry.purpose in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_takes_the_common_options(name: str) -> None:
    command = handrail.get_command(click.Context(handrail), name)
    assert command is not None
    assert command.name == name
    assert command.help
    given = {option for parameter in command.params for option in parameter.opts}
    assert given >= {"--json", "--db", "--workflows", "--demo", "--no-color"}
    missing = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert missing == []


def test_a_word_that_is_no_command_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rnu"]) == 2
    assert "did you mean `handrail run`?" in capsys.readouterr().err


def test_an_option_that_does_not_exist_gets_a_suggestion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["runs", "--whose-mov", "person"]) == 2
    err = capsys.readouterr().err
    assert "--whose-move" in err
    assert "handrail runs --help" in err


def test_wrong_usage_is_one_json_value_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["error"]["code"] == "usage"


def test_a_shell_can_complete_commands_and_options() -> None:
    asked = {"COMP_WORDS": "handrail run --d", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server.cli"],
        env={**os.environ, **asked, "_HANDRAIL_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "plain,--dry-run" in done.stdout.splitlines()


def test_no_command_at_all_shows_the_help_and_is_wrong_usage() -> None:
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "Commands:" in err


def test_a_reader_that_stops_reading_is_no_error_of_ours() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mcp_server.cli", "connect", "other"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=30) == 141
    assert "Traceback" not in err
