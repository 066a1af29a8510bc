"""A small cluster on one machine: PostgreSQL, three workers, two HTTP servers. `make cluster`.

Everything is started as a user would start it, with the demo's workflows. The database is a new
one that keeps what it acknowledges, and it is gone with its folder when the cluster stops. Of
each process one line is printed, what they say themselves goes to stderr.

Usage: python -m tests.cluster [PORT PORT]
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.postgres import Server, server

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
WORKERS = 3
COMMAND = (sys.executable, "-m", "mcp_server.cli")
PATIENCE = 30
"""Seconds that a process gets to end in good order."""


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def environment(url: str, home: Path) -> dict[str, str]:
    """What every process of the cluster sees; files of its own go below `home`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HANDRAIL_")}
    places = {"XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    return {**kept, **places, "HANDRAIL_DATABASE_URL": url, "HANDRAIL_DEMO": "1"}


@contextmanager
def member(words: Sequence[str], env: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    """A process that answers with JSON once it is ready; it is told to stop at the end."""
    process = subprocess.Popen(
        [*COMMAND, *words, "--json"],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the one who started them all
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def ready(process: subprocess.Popen[str]) -> dict[str, object]:
    """What it says when it is ready; raises RuntimeError when it ends before."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.rstrip() == "}":
            found: dict[str, object] = json.loads(text)
            return found
    raise RuntimeError(f"a member of the cluster ended: {process.args!r}")


def run(database: Server, ports: Sequence[str], stop: threading.Event) -> None:
    """Start everything, say where it is, and wait until `stop` is set."""
    env = environment(database.url(), database.folder / "home")
    with ExitStack() as stack:
        serve = [("serve", "--http", "--no-work", "--port", port) for port in ports]
        # The first of all publishes the documents and serves the demo, the others find them.
        for words in serve:
            process = stack.enter_context(member(words, env))
            say(f"server    {ready(process)['url']}  pid {process.pid}")
        names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
        works = [stack.enter_context(member(("worker", "--name", name), env)) for name in names]
        for name, process in zip(names, works, strict=True):
            ready(process)
            say(f"{name}  pid {process.pid}")
        say(f"database  {database.url()}")
        say("Ready; `handrail workers --db DATABASE` lists who works. Ctrl-C stops everything.")
        stop.wait()
        say("Stopping.")


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server(**DURABLE) as database:
        home = database.folder / "home"
        home.mkdir(mode=0o777)
        run(database, sys.argv[1:3] or ("8765", "8766"), stop)


if __name__ == "__main__":
    main()
