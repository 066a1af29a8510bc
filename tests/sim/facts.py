"""What was committed, kept beside the database by somebody who is told of each transaction.

It keeps the laws that can be judged at a commit: places without gaps, one end of a run, one result
of a step, one run of a key, limits where leases are given, and who may bury whom. It also
remembers which leases were taken from their owners: only those excuse a worker that goes on.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.store.batch import Line
from tests.sim.database import Host, Move

LEASE = 30.0
"""Seconds; what `Pace` says."""

BUCKET = 10.0
BUSY = 2_500
"""Statements in so many seconds that no amount of honest work explains here."""

ENDS = frozenset({"run.completed", "run.failed", "run.cancelled"})
STOPPED = frozenset({"run.cancelled", "run.retried"})
"""Ends that somebody else may bring about while a worker is at it."""


@dataclass(slots=True)
class Success:
    """A step's recorded result."""

    version: int
    output: Any
    actor: str
    source: str


@dataclass(slots=True)
class Story:
    """One run, as its lines tell it."""

    number: int
    flow: str
    edition: str
    key: str
    uid: str
    retry_of: int | None
    deadline: bool
    version: int = 0
    end: str = ""
    retried_by: str = ""
    steps: dict[str, Success] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, int, str, bool]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether it never moves again."""
        return bool(self.end)


class Facts:
    """The journal and the leases. `wrong` is told of every broken law."""

    def __init__(self, time: Callable[[], float], wrong: Callable[[str], None]) -> None:
        self._time, self._wrong = time, wrong
        self.position = 0
        self.versions: Counter[int] = Counter()
        self.stories: dict[int, Story] = {}
        self.by_uid: dict[str, int] = {}
        self.keys: dict[str, int] = {}
        self.leases: dict[int, tuple[int, int]] = {}
        self.taken: set[tuple[int, int]] = set()
        self.given_up: set[tuple[int, int]] = set()
        self.hosts: dict[int, Host] = {}
        self.beats: dict[int, tuple[float, float]] = {}
        self.lives: dict[int, Host] = {}
        self.most = 0
        self.limits: dict[int, int] = {}
        self._limited: dict[int, dict[str, int]] = {}
        self.asked_by: Counter[str] = Counter()
        self._bucket = (0, Counter[str]())
        self.trace: Callable[..., None] = lambda *what: None

    # -- what the driver tells -----------------------------------------------------------------

    def committed(
        self, host: Host, lines: Sequence[Line], moves: Sequence[Move], late: bool
    ) -> None:
        """One transaction."""
        for line in lines:
            self._line(line)
            if late:
                self.given_up.add((line[2], line[3]))
        for move in moves:
            self._moved(host, move, late)
        if moves:
            self._limits(moves)
        if lines or moves:
            shown = [(line[2], line[3], line[4]) for line in lines]
            self.trace("commit", host.name, shown, list(moves), late)

    def worker(self, host: Host, number: int, *, gone: bool) -> None:
        """A worker's row was renewed, or deleted."""
        now = self._time()
        before, last = self.beats.get(number, (now, now))
        if not gone:
            self.beats[number] = (last, now)
            return
        owner = self.hosts.get(number)
        self.trace("buried" if owner is not host else "left", host.name, number)
        if owner is host or owner is None or self.lives.get(number) is not owner:
            return
        # A beat may have come while its silence was being judged.
        silence = max(now - last, last - before if now - last < LEASE / 2 else 0.0)
        if silence + 0.1 < LEASE:
            self._wrong(f"{host.name} buried {owner.name}, which was silent for {silence:.1f} s")

    def asked(self, host: Host, statement: str) -> None:
        """A statement: too many of them in a short time mean that somebody spins."""
        name = host.name
        self.asked_by[name] += 1
        bucket = int(self._time() / BUCKET)
        if bucket != self._bucket[0]:
            self._bucket = (bucket, Counter())
        counts = self._bucket[1]
        counts[name] += 1
        if counts[name] == BUSY:
            self._wrong(f"{name} spins: {BUSY} statements within {BUCKET:g} s, now {statement}")

    # -- lines ---------------------------------------------------------------------------------

    def _line(self, line: Line) -> None:
        position, _, stream, version, kind, _, _, actor, body = line[:9]
        if position != self.position + 1:
            self._wrong(f"position {position} comes after {self.position}")
        if version != self.versions[stream] + 1:
            self._wrong(f"stream {stream} goes from {self.versions[stream]} to {version}")
        self.position, self.versions[stream] = position, version
        event = json.loads(body)
        if kind == "run.started":
            self._started(stream, event)
        elif kind.startswith("version."):
            self._published(stream, kind, event)
        story = self.stories.get(stream)
        if story is not None:
            story.version = version
            self._told(stream, story, kind, event, version, actor)

    def _told(
        self, stream: int, story: Story, kind: str, event: Any, version: int, actor: str
    ) -> None:
        if story.over and kind != "run.retried":
            self._wrong(f"{kind} in run {stream}, which had ended ({story.end})")
        if kind in ENDS:
            story.end = kind
        elif kind == "run.retried":
            self._retried(stream, story, event)
        elif kind == "step.succeeded":
            self._succeeded(stream, story, event, version, actor)
        elif kind == "step.failed":
            self._failed(story, event)

    def _started(self, stream: int, event: Any) -> None:
        self.stories[stream] = Story(
            event["input"]["n"], event["workflow"], event["version"], event.get("key", ""),
            event["uid"], event.get("retry_of"), event.get("deadline") is not None,
        )  # fmt: skip
        self.by_uid[event["uid"]] = stream
        key = event.get("key", "")
        if key and self.keys.setdefault(key, stream) != stream:
            self._wrong(f"runs {self.keys[key]} and {stream} were started under one key, {key}")

    def _published(self, stream: int, kind: str, event: Any) -> None:
        limits = self._limited.setdefault(stream, {})
        if kind == "version.published":
            spec = event["bundle"]["workflow"]["spec"]
            limits[event["version"]] = spec.get("concurrency", 0)
        elif kind == "version.default_set":
            self.limits[stream] = limits[event["version"]]

    def _retried(self, stream: int, story: Story, event: Any) -> None:
        if story.retried_by:
            self._wrong(f"run {stream} was retried twice")
        story.retried_by = event["by"]
        story.end = story.end or "run.retried"

    def _succeeded(self, stream: int, story: Story, event: Any, version: int, actor: str) -> None:
        path = event["path"]
        if path in story.steps:
            self._wrong(f"step {path} of run {stream} succeeded twice")
        source = event.get("source", "")
        story.steps[path] = Success(version, event["output"], actor, source)

    def _failed(self, story: Story, event: Any) -> None:
        path, attempt = event["path"], event["attempt"]
        again = event.get("again_at")
        story.again[path] = again or 0
        if any(one[:2] == (path, attempt) for one in story.failures):
            self._wrong(f"attempt {attempt} of {path} of run {story.uid} failed twice")
        story.failures.append((path, attempt, event["failure"]["code"], again is None))

    # -- leases --------------------------------------------------------------------------------

    def _moved(self, host: Host, move: Move, late: bool) -> None:
        run, before, after, lane = move
        if before and (late or self.hosts.get(before) is not host):
            self.taken.add((before, run))
        if after:
            self.leases[run] = (after, lane)
        else:
            self.leases.pop(run, None)

    def _limits(self, moves: Sequence[Move]) -> None:
        if self.most and any(move[2] for move in moves) and len(self.leases) > self.most:
            self._wrong(f"{len(self.leases)} runs are under way, but {self.most} may be")
        for lane in {move[3] for move in moves if move[2] and move[3]}:
            held = sum(1 for _, place in self.leases.values() if place == lane)
            if held > self.limits[lane]:
                self._wrong(f"{held} runs of a workflow are under way; {self.limits[lane]} may be")

    def holds(self, worker: int, run: int) -> bool:
        """Whether a worker has the lease of a run now."""
        return self.leases.get(run, (0, 0))[0] == worker

    def excused(self, worker: int, run: int) -> bool:
        """Whether a lease was ever taken from a worker by somebody else, or the run was ended."""
        return (worker, run) in self.taken or self.stories[run].end in STOPPED
