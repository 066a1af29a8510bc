"""Processes that work side by side on one database, what they say, and the judgement afterwards.

Whatever is done to them, when all is over: every start that was acknowledged has ended well,
exactly once under its key; no step has two results; nothing ran outside that is not in the
journal or was not under way when something happened; the chain is whole, positions have no gaps,
and the tables are what the journal draws.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from engine import Engine, RunFilter, open_engine
from engine.core import events as ev
from tests.chaos.ledger import require
from tests.chaos.member import STEPS, Options, settings

LONG = 60.0
"""Seconds; bounds waits that take moments on an idle machine."""

OPEN = ("pending", "active", "paused")


class Member:
    """A process of the crew. What it has said is counted by its first word."""

    def __init__(self, options: Options) -> None:
        self.options = options
        command = [sys.executable, "-m", "tests.chaos.member", json.dumps(asdict(options))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.started: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.errors: Counter[str] = Counter()
        self._said: set[str] = set()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                with self._news:
                    self._take(line.split())
                    self._news.notify_all()
        with self._news:
            self._said.add("gone")
            self._news.notify_all()

    def _take(self, words: list[str]) -> None:
        self._said.add(words[0])
        if words[0] == "S":
            self.started[words[1]] = words[2]
        elif words[0] == "F":
            self.ended[words[1]] = words[2]
        elif words[0] == "E":
            self.errors[words[1]] += 1

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Return when something holds that depends on what it has said."""
        with self._news:
            require(self._news.wait_for(holds, LONG), f"{self.options.name}: {what} does not come")

    def begin(self) -> None:
        """Let it start runs, once it is open."""
        self.until(lambda: bool(self._said & {"R", "gone"}), "the opening")
        require("R" in self._said, "it did not open")
        self.say("go\n")

    def say(self, text: str) -> None:
        """Write to its input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def more(self, count: int = 1) -> None:
        """Return when it has seen the ends of `count` more runs."""
        wanted = len(self.ended) + count
        self.until(lambda: len(self.ended) >= wanted or "gone" in self._said, "progress")
        require(len(self.ended) >= wanted, "it ended by itself")

    def stop(self) -> None:
        """Stop it, as a debugger or a laptop's lid does; returns when all its threads stand."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """It dies at once."""
        self.process.kill()
        self.process.wait()
        self._reader.join(LONG)

    def finish(self) -> None:
        """It ends what it has begun, and then itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.until(lambda: "gone" in self._said, "the end")
        require(self.process.wait(LONG) == 0, f"it ended with {self.process.returncode}")


@dataclass(slots=True)
class Crew:
    """The members on one database, those that are gone among them."""

    options: Options
    members: list[Member] = field(default_factory=list)

    def join(self, count: int = 1) -> list[Member]:
        """Some more members, at work."""
        fresh = []
        for _ in range(count):
            fresh.append(Member(replace(self.options, name=f"m{len(self.members)}")))
            self.members.append(fresh[-1])
        for member in fresh:
            member.begin()
        return fresh

    @property
    def started(self) -> dict[str, str]:
        """Every start that was acknowledged: its id and its number."""
        return {run: n for member in self.members for run, n in member.started.items()}

    @property
    def errors(self) -> Counter[str]:
        """The typed errors that they met."""
        return sum((member.errors for member in self.members), Counter[str]())

    def close(self) -> None:
        """Nothing is left behind."""
        for member in self.members:
            if member.process.poll() is None:
                member.kill()
            for pipe in (member.process.stdin, member.process.stdout):
                if pipe is not None:
                    pipe.close()


@contextmanager
def crew(folder: Path, database: str = "", **more: object) -> Generator[Crew]:
    """A crew without members over a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = replace(Options(str(folder), database or str(folder / "h.db")), **more)  # type: ignore[arg-type]
    with ExitStack() as stack:
        made = Crew(options)
        stack.callback(made.close)
        yield made


async def judge(crew: Crew, database: str = "") -> Counter[str]:
    """Let everything come to its end, and hold it against what was promised; figures."""
    options = replace(crew.options, name="judge", database=database or crew.options.database)
    async with open_engine(settings(options)) as engine:
        await drained(engine)
    async with open_engine(settings(options, work=False)) as engine:
        history = History()
        async for recorded in engine.store.tail():
            history.read(recorded.position, recorded.stream, recorded.event)
        history.compare(crew.started)
        history.compare_outside(Path(options.folder))
        require(not (await engine.verify()).problems, "the chain is broken")
        before = await listed(engine)
        await engine.rebuild()
        require(before == await listed(engine), "the tables are not what the journal draws")
    ended = sum(len(member.ended) for member in crew.members)
    return Counter(runs=len(history.runs), acknowledged=len(crew.started), ended=ended)


async def drained(engine: Engine) -> None:
    """Return when every run has ended."""
    end = time.monotonic() + LONG
    for status in OPEN:
        while rows := (await engine.runs(RunFilter(status=status), limit=1)).rows:
            await engine.wait(rows[0].id, 1.0)
            require(time.monotonic() < end, f"{rows[0].id} does not end: {rows[0].status}")


async def listed(engine: Engine) -> list[object]:
    """Every run as lists show it."""
    rows: list[object] = []
    cursor = ""
    while True:
        page = await engine.runs(limit=100, cursor=cursor)
        rows += page.rows
        cursor = page.cursor
        if not cursor:
            return rows


@dataclass(slots=True)
class History:
    """What the journal says of all runs."""

    runs: dict[str, str] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    ends: dict[int, str] = field(default_factory=dict)
    results: Counter[tuple[int, str]] = field(default_factory=Counter)
    position: int = 0

    def read(self, position: int, stream: int, event: object) -> None:
        """Take in the next event."""
        require(position == self.position + 1, f"positions have a gap before {position}")
        self.position = position
        match event:
            case ev.RunStarted(uid=uid, key=key):
                require(uid not in self.runs, f"the id {uid} was given twice")
                self.runs[uid], self.numbers[stream] = key, key
            case ev.StepSucceeded(path=path):
                self.results[stream, path] += 1
            case ev.RunCompleted():
                self.ends[stream] = "completed"

    def compare(self, started: dict[str, str]) -> None:
        """Hold it against the starts that were acknowledged."""
        lost = started.items() - self.runs.items()
        require(not lost, f"acknowledged starts are lost: {lost}")
        keys = Counter(self.numbers.values())
        require(keys.total() == len(keys), "a start happened twice under one key")
        open_runs = self.numbers.keys() - self.ends.keys()
        require(not open_runs, f"runs have not ended well: {open_runs}")
        twice = [place for place, count in self.results.items() if count > 1]
        require(not twice, f"steps have two results: {twice}")

    def compare_outside(self, folder: Path) -> None:
        """Hold it against what happened outside."""
        marks = Counter((folder / "effects").read_text(encoding="utf-8").split("\n"))
        wanted = {f"{number} {step}" for number in self.numbers.values() for step in "ac"}
        require(wanted <= marks.keys(), "a step has a result and never ran")
        known = {f"{number} {step}" for number in self.numbers.values() for step in STEPS}
        strange = marks.keys() - known - {""}
        require(not strange, f"steps ran of runs that nobody knows: {list(strange)[:3]}")
