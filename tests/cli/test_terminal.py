"""Real processes on real pipes and terminals: interruption, progress, poor terminals."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import AMOUNTS

COMMAND = [sys.executable, "-m", "mcp_server.cli"]
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are POSIX")


@pytest.fixture
def environment(database: Path, folder: Path) -> dict[str, str]:
    """The environment of a person who has set the database and the folder."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")}  # fmt: skip
    return {
        **kept,
        "HANDRAIL_DATABASE_URL": str(database),
        "HANDRAIL_WORKFLOWS": str(folder),
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
    }


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    """Call `handrail` with its output in pipes."""
    return subprocess.run(
        [*COMMAND, *words], env=environment, capture_output=True, timeout=30, check=False
    )


@posix
def test_an_interruption_leaves_the_run_and_says_its_id(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "run", "nap", "rest=1h"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.match(r"run (\S+) is (active|paused:timer)\n", said)
        assert found, said
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert out == ""
    assert f"interrupted; the run {found[1]} is kept" in err
    assert "Traceback" not in err
    shown = run(environment, "show", found[1], "--json")
    assert b'"status": "paused:timer"' in shown.stdout


def on_a_terminal(environment: dict[str, str], *words: str, columns: int = 80) -> str:
    """What a terminal of that width receives, stdout and stderr together."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words], env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b"".join(_until_closed(ours))
    process.wait(timeout=10)
    return seen.decode("utf-8", "replace")


def _until_closed(terminal: int) -> Iterator[bytes]:
    try:
        while select.select([terminal], [], [], 20)[0]:
            part = os.read(terminal, 65_536)
            if not part:
                return
            yield part
    except OSError:  # how Linux says that the other end is closed
        return
    finally:
        os.close(terminal)


@posix
def test_a_terminal_gets_colours_and_lines_that_are_drawn_over(
    environment: dict[str, str],
) -> None:
    seen = on_a_terminal(environment, "run", "nap", "rest=1s")
    assert "\x1b[32m" in seen  # green
    assert "\x1b[?25l" in seen  # the cursor hides while lines are drawn over
    assert "\x1b[?25h" in seen
    assert "sleeping" in seen
    assert re.search(r"completed\x1b\[0m in ", seen)


@posix
@pytest.mark.parametrize("change", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(
    environment: dict[str, str], change: dict[str, str]
) -> None:
    seen = on_a_terminal({**environment, **change}, "run", "order-total", "--input", AMOUNTS)
    assert re.search(r"completed(\x1b\[0m)? in ", seen)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", seen)


@posix
def test_a_dumb_terminal_gets_plain_lines_only(environment: dict[str, str]) -> None:
    seen = on_a_terminal({**environment, "TERM": "dumb"}, "run", "nap", "rest=1s")
    assert "\x1b" not in seen
    assert "completed in" in seen


@posix
def test_a_narrow_terminal_gets_everything_within_its_width(environment: dict[str, str]) -> None:
    run(environment, "run", "order-total", "--input", AMOUNTS)
    plain = {**environment, "TERM": "dumb"}
    for words in (["workflows"], ["workflows", "order-total"], ["runs"], ["doctor"]):
        seen = on_a_terminal(plain, *words, columns=44)
        assert max(map(len, seen.splitlines())) <= 44, words


def test_a_pipe_that_knows_only_ascii_gets_ascii(environment: dict[str, str]) -> None:
    done = run(
        {**environment, "PYTHONIOENCODING": "ascii"}, "run", "order-total", "--input", AMOUNTS
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert b"+ order-total 1.0.0  completed in" in done.stdout


def test_progress_goes_to_stderr_and_the_result_to_stdout(environment: dict[str, str]) -> None:
    done = run(environment, "run", "nap", "rest=3s", "--json")
    assert done.returncode == 0
    assert done.stdout.startswith(b"{")
    assert done.stdout.rstrip().endswith(b"}")
    assert b"is completed" in done.stderr


@posix
def test_a_server_says_where_it_is_and_ends_in_good_order(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert re.search(r'"url": "http://127\.0\.0\.1:\d+/mcp"', "".join(lines))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "go on at the next start" in err
    assert "Traceback" not in err


@posix
def test_a_server_tells_a_person_how_to_connect(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        while "Ctrl-C ends it" not in (line := process.stderr.readline()):
            assert line, lines
            lines.append(line)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=15)
    said = "".join(lines)
    assert re.search(r"^  http://127\.0\.0\.1:\d+/mcp$", said, re.MULTILINE)
    entry = json.loads(said[said.index("{") : said.rindex("}") + 1])["mcpServers"]["handrail"]
    assert Path(entry["command"]).exists()
    assert entry["env"]["HANDRAIL_WORKFLOWS"] == environment["HANDRAIL_WORKFLOWS"]
    assert "mcp dev " in said
    typed = re.search(r"^  (\S+) connect claude-desktop$", said, re.MULTILINE)
    assert typed
    assert shutil.which(typed[1]), "the command that it tells to type is not there"
    assert out == ""


def test_over_stdio_it_speaks_the_protocol_and_nothing_else(environment: dict[str, str]) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {},
                   "clientInfo": {"name": "test", "version": "1"}},
    }  # fmt: skip
    done = subprocess.run(
        [*COMMAND, "serve", "--stdio"],
        input=json.dumps(hello).encode() + b"\n",
        env=environment,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["result"]["serverInfo"]["name"] == "handrail"
