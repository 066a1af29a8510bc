"""The workflows of the simulated world, in two editions, and what their steps will do.

What an attempt of a step does is fixed by the seed, the run's number, the step's path and the
attempt, so that it does not matter who makes it, or how often. Documents are compiled once per
process of ours and not once per simulated one: that is most of what a start costs.
"""

import json
import random
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from engine.app import engine as engines
from engine.app.catalogue import Shelf
from engine.core.definition import RawDocument, parse_documents, rebuild
from engine.core.model import Effect, Workflow
from engine.shell import library as libraries
from engine.shell.clock import Clock
from engine.shell.library import Library
from engine.store import Store
from tests.core.worlds import flow, look, task
from tests.sim.loop import PROCESS

ATTEMPTS = 3
TIMEOUT = 20.0
"""Seconds."""

FLOWS: Mapping[str, frozenset[str]] = {
    "line": frozenset("abc"),
    "fan": frozenset("abcde"),
    "nap": frozenset(("a", "z", "b")),
    "nest": frozenset(("a", "s/a", "s/b", "s/c", "b")),
    "narrow": frozenset("ab"),
    "pure": frozenset("pqa"),
    "each": frozenset(("a[0]", "a[1]", "a[2]", "b")),
    "safe": frozenset("ab"),
}
"""Workflows, and the steps that have succeeded when one is completed."""

LIMITS = {1: 2, 2: 1}
"""How many runs of `narrow` may be under way, by edition. In the others nothing is limited."""

UNLIMITED = 3
"""The first edition without limits; another follows."""

FUNCTIONS = {"look": Effect.READ, "add": Effect.PURE}


class Act(NamedTuple):
    """What one attempt of a step does: how long it takes, in seconds, and how it ends."""

    seconds: float
    outcome: str


@cache
def act(seed: int, number: int, path: str, attempt: int) -> Act:
    """The same answer for the same question, whoever asks."""
    dice = random.Random(f"{seed}/{number}/{path}")
    fortune, attempts = dice.random(), [Act(_seconds(dice), "ok") for _ in range(ATTEMPTS)]
    if fortune < 0.03:
        attempts[0] = Act(0.0, "permanent")
    elif fortune < 0.04:
        attempts[1] = Act(0.1, "bug")
        attempts[0] = Act(0.1, "transient")
    elif fortune < 0.07:
        attempts = [Act(one.seconds, "transient") for one in attempts]
    elif fortune < 0.25:
        for index in range(1 + int(dice.random() * 2)):
            attempts[index] = Act(attempts[index].seconds, "transient")
    elif fortune < 0.28:
        attempts[0] = Act(1e9, "timeout")
    return attempts[min(attempt, ATTEMPTS) - 1]


def _seconds(dice: random.Random) -> float:
    kind = dice.random()
    if kind < 0.4:
        return 0.0
    return dice.random() * (0.05 if kind < 0.7 else 2.0 if kind < 0.92 else 18.0)


def _step(name: str, *after: str, **more: Any) -> dict[str, Any]:
    given = {"n": "{{input.n}}"}
    if after:
        given["was"] = f"{{{{tasks.{after[0]}.output.token}}}}"
    return {"id": name, "taskRef": "t", "dependsOn": list(after), "input": given, **more}


def _flows() -> dict[str, list[dict[str, Any]]]:
    bare = {"n": "{{input.n}}"}
    flows = {
        "line": [_step("a"), _step("b", "a"), _step("c", "b")],
        "fan": [
            _step("a"),
            *(_step(name, "a") for name in "bcd"),
            _step("e", "c", "b", "d"),
        ],
        "nap": [_step("a"), {"id": "z", "taskRef": "nap", "dependsOn": ["a"]}, _step("b", "z")],
        "nest": [
            _step("a"),
            {"id": "s", "workflowRef": "line", "dependsOn": ["a"], "input": bare},
            _step("b", "s"),
        ],
        "narrow": [_step("a"), _step("b", "a")],
        "pure": [
            _step("p", taskRef="sum"),
            _step("q", "p", taskRef="sum"),
            _step("a", "q"),
        ],
        "each": [_step("a", forEach={"items": [1, 2, 3], "maxParallel": 2}), _step("b", "a")],
        "safe": [
            _step("a", fallback={"taskRef": "sum", "input": bare}),
            _step("b", "a"),
        ],
    }
    flows["nap"][2]["input"] = {"n": "{{input.n}}", "was": "{{tasks.a.output.token}}"}
    flows["nest"][2]["input"] = dict(flows["nap"][2]["input"])
    flows["each"][1]["input"] = bare
    return flows


@cache
def documents(edition: int) -> tuple[RawDocument, ...]:
    """Every document of an edition."""
    retry = {"policy": "exponential", "maxAttempts": ATTEMPTS, "initialDelay": "3s"}
    number = {"n": {"type": "integer", "required": True, "description": "A number."}}
    found = [
        look("t", timeout=f"{TIMEOUT:g}s", retry=retry),
        task("sum", type="python", python={"function": "add"}),
        task("nap", type="sleep", sleep={"duration": "25s"}),
    ]
    for name, steps in _flows().items():
        limit = {"concurrency": LIMITS[edition]} if name == "narrow" and edition in LIMITS else {}
        found.append(flow(name, steps, input=number, output={"edition": edition}, **limit))
    return tuple(RawDocument("sim.yaml", index, value) for index, value in enumerate(found))


@cache
def compiled(edition: int) -> list[Workflow]:
    """Every workflow of an edition."""
    found = parse_documents(documents(edition), FUNCTIONS)
    assert not found.errors, found.errors
    return list(found.workflows.values())


@cache
def _rebuilt(bundle: str) -> Workflow:
    return rebuild(json.loads(bundle), FUNCTIONS)


class SimShelf(Shelf):
    """A catalogue without folders: it publishes what the edition of its process holds."""

    def __init__(self, store: Store, clock: Clock, library: Library, *more: Any) -> None:
        self._store, self._clock, self._library, self._tenant = store, clock, library, more[2]

    async def refresh(self) -> bool:
        """Publish what is new."""
        await self._library.reread()
        await self._publish(compiled(getattr(PROCESS.get(), "edition", 1)))
        return True

    def find(self, name: str) -> tuple[str, str]:
        """There is one namespace."""
        return "default", name

    def close(self) -> None:
        """There is nothing to let go of."""


@contextmanager
def on_the_shelf() -> Generator[None]:
    """Give every engine the documents of its process's edition, compiled once for all of them."""
    changes: tuple[tuple[Any, str, Any], ...] = (
        (engines, "Shelf", SimShelf),
        (engines, "beside", lambda store: Path(store.place)),
        (libraries, "rebuild", lambda bundle, functions: _rebuilt(json.dumps(bundle))),
    )
    with ExitStack() as stack:
        for module, name, instead in changes:
            stack.enter_context(mock.patch.object(module, name, instead))
        yield
