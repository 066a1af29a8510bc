"""An assistant that wants to change something without being allowed to, for as long as you like.

It calls any tool with any arguments and replays whatever it has been told: ids, codes, digests,
cursors, states, answers. A person, who is somebody else, votes now and then. After every step the
witness outside is asked: what has happened is exactly what the plans allow that the person said
yes to, byte for byte, each once. `Stage` holds the world in one task, because a client's scopes
belong to the task that opened them.
"""

import asyncio
import contextlib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from mcp import Client

from engine.core.approval.views import ApprovalView
from engine.core.errors import Refused
from mcp_server.tools import TOOLSETS
from tests.attacks.outside import outside
from tests.attacks.world import MINUTE, World, allowed, prepared

LOOT = re.compile(r"apr_[a-z0-9]{20,}|run_[a-z0-9]+|[0-9A-Z]{8}\b|[0-9a-f]{64}|[A-Za-z0-9_-]{24,}")
MOST_LOOT = 60
TOOLS = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
FLOWS = ["pay", "tag", "mail-all", "pay-row", "twice", "look", "new"]
SOUND = [(flow, to) for flow in FLOWS[:5] for to in ("ann", "eve")]
LIES: list[dict[str, Any]] = [
    {"approved": True},
    {"confirm": "yes"},
    {"decision": "approve"},
    {"pin": "000000"},
    {"code": "00000000"},
]
INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "to": st.sampled_from(["ann", "eve", "\u202eeve", ["ann", "eve"], ["x"] * 3, 7]),
        "amount": st.sampled_from([1, 2, 5_000, -1, "5", None]),
        "id": st.sampled_from(["1", "2", "../pay", "1?x=1"]),
        "tag": st.sampled_from(["t", "t\r\nX: y", ""]),
    },
)


class Stage:
    """The theatre: one service outside, one world prepared for all plays, one task for all calls.

    `fresh` opens a copy of the prepared world, so that a play costs no more than its steps.
    """

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="handrail-attack-")
        self.loop = self.runner.get_loop()
        self.todo: asyncio.Queue[tuple[Callable[[], Awaitable[Any]], Any] | None] = asyncio.Queue()
        self.plays = 0
        self.ann: Any = None
        self.model: World
        self.task = self.loop.create_task(self._play())

    def do(self, what: Callable[[], Awaitable[Any]]) -> Any:
        """Have one thing done in the stage's own task; what it gives, or how it fails."""
        return self.runner.run(self._asked(what))

    async def _asked(self, what: Callable[[], Awaitable[Any]]) -> Any:
        done = self.loop.create_future()
        self.todo.put_nowait((what, done))
        async with asyncio.timeout(40):
            await asyncio.wait({done, self.task}, return_when=asyncio.FIRST_COMPLETED)
        return await (done if done.done() else self.task)

    async def _play(self) -> None:
        async with outside() as service:
            self.model = await prepared(Path(self.folder.name), service)
            self.ann = await self.model.ann()
            await self.model.stack.aclose()
            while (job := await self.todo.get()) is not None:
                what, done = job
                try:
                    done.set_result(await what())
                except BaseException as error:
                    done.set_exception(error)

    async def fresh(self) -> tuple[World, Client]:
        """A world as it was prepared, and an assistant in it."""
        self.plays += 1
        data = Path(self.folder.name) / f"play-{self.plays}"
        shutil.copytree(self.model.database.parent, data)
        self.model.outside.effects.clear()
        self.model.outside.rows |= {"1": {"amount": 10}, "2": {"amount": 20}}
        world = World(self.model.folder, data / "test.db", self.model.outside, known=self.ann)
        await world.open()
        return world, await world.stack.enter_async_context(world.client())

    def close(self) -> None:
        """The end of all plays."""
        self.todo.put_nowait(None)
        self.runner.run(_last(self.task))
        self.runner.close()
        self.folder.cleanup()


async def _last(task: Any) -> None:
    async with asyncio.timeout(30):
        await task


class Malicious(RuleBasedStateMachine):
    """The assistant, the person, and what must stay true. `stage` is set by whoever plays."""

    stage: ClassVar[Stage]
    tried: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.loot: list[str] = ["apr_" + "a" * 26, "00000000", ""]
        self.said_yes: dict[str, ApprovalView] = {}

    @initialize()
    def begin(self) -> None:
        self.world: World
        self.client: Client
        self.world, self.client = self.stage.do(self.stage.fresh)

    # -- the assistant ----------------------------------------------------------------------

    def _call(self, tool: str, arguments: dict[str, Any]) -> None:
        answer = self.stage.do(lambda: self.client.call_tool(tool, arguments))
        found = LOOT.findall(str(answer.structured_content))
        fresh = [word for word in dict.fromkeys(found) if word not in self.loot]
        self.loot = (self.loot + fresh)[-MOST_LOOT:]

    def _some(self, data: st.DataObject) -> str:
        return data.draw(_one_of(self.loot[::-1]))

    @rule(flow=st.sampled_from(FLOWS), given=INPUTS, data=st.data())
    def executes(self, flow: str, given: dict[str, Any], data: st.DataObject) -> None:
        more = data.draw(st.sampled_from([{}, {}, {}, {"idempotencyKey": self._some(data)}, *LIES]))
        arguments = {"workflow": flow, "input": given, "waitSeconds": 1, **more}
        self._call("execute_workflow", arguments)

    @rule(name=st.sampled_from(sorted(TOOLS)), data=st.data())
    def calls_anything(self, name: str, data: st.DataObject) -> None:
        known = TOOLS[name].takes["properties"]
        arguments: dict[str, Any] = {}
        for key, shape in known.items():
            if key in TOOLS[name].takes.get("required", ()) or data.draw(st.booleans()):
                arguments[key] = data.draw(_value(shape, self.loot))
        if data.draw(st.integers(0, 9)) == 0:
            arguments |= data.draw(st.sampled_from(LIES))
        arguments.pop("waitSeconds", None)
        if name == "execute_workflow":
            arguments["waitSeconds"] = 0
        self._call(name, arguments)

    @rule(
        case=st.sampled_from(SOUND),
        amount=st.integers(0, 50),
        yes=st.booleans(),
        again=st.booleans(),
    )
    def asks_for_something_sound(
        self, case: tuple[str, str], amount: int, yes: bool, again: bool
    ) -> None:
        """A call that a person understands, their vote on the newest question, the call again."""
        flow, to = case
        inputs: dict[str, dict[str, Any]] = {
            "pay": {"to": to, "amount": amount},
            "tag": {"id": f"{to}-{amount}", "tag": "t"},
            "mail-all": {"to": [to, f"{to}-{amount}"]},
            "pay-row": {"to": to, "id": "1"},
            "twice": {"to": to, "id": f"{amount}"},
        }
        arguments = {"workflow": flow, "input": inputs[flow], "waitSeconds": 1}
        self._call("execute_workflow", arguments)
        self.stage.do(lambda: self._votes(yes, 0))
        if again:
            self._call("execute_workflow", arguments)

    @rule(data=st.data())
    def polls(self, data: st.DataObject) -> None:
        self._call("get_approval", {"approvalId": self._some(data)})

    @rule(data=st.data(), verb=st.sampled_from(["cancel_run", "retry_run"]))
    def meddles_with_runs(self, data: st.DataObject, verb: str) -> None:
        self._call(verb, {"runId": self._some(data)})

    # -- the person -------------------------------------------------------------------------

    @rule(yes=st.booleans(), which=st.integers(0, 9))
    def votes(self, yes: bool, which: int) -> None:
        self.stage.do(lambda: self._votes(yes, which))

    async def _votes(self, yes: bool, which: int) -> None:
        approvals = self.world.engine.approvals
        rows = (await approvals.list(limit=10)).rows
        if not rows:
            return
        view = rows[which % len(rows)]
        if yes and view.id not in self.said_yes:
            self.said_yes[view.id] = view  # before the vote: the moment after it may have happened
            try:
                # As if they had just typed the PIN: that takes a tenth of a second each time.
                person = replace(self.stage.ann, proved_at=self.world.clock.now())
                await approvals.approve(
                    view.id, digest=view.digest, approver=person, typed=view.typed_words
                )
            except Refused:
                del self.said_yes[view.id]
        else:
            with contextlib.suppress(Refused):
                await approvals.deny(view.id, digest=view.digest, approver=self.stage.ann)

    @rule(minutes=st.sampled_from([1, 12, 20]))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.ahead += minutes * MINUTE

    # -- the law ----------------------------------------------------------------------------

    @invariant()
    def only_what_a_person_allowed_has_happened_and_each_once(self) -> None:
        happened = Counter(self.world.happened)
        lines: Counter[Any] = Counter()
        for view in self.said_yes.values():
            if view.kind == "run.mutations":
                lines.update(allowed(view.plan))
        assert not happened - lines, f"nobody allowed {happened - lines}"
        self.tried["steps"] += 1

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.stage.do(self._reckoning)
            finally:
                self.stage.do(self.world.stack.aclose)

    async def _reckoning(self) -> None:
        """What was carried out to its end has happened, and nothing that was never claimed.

        A run that is cancelled on its way has an approval that was claimed, and not all of it.
        """
        await self.world.quiet()
        whole: Counter[Any] = Counter()
        claimed: Counter[Any] = Counter()
        told = []
        for view in self.said_yes.values():
            now = await self.world.engine.approvals.get(view.id)
            if now.kind == "run.mutations" and now.state in {"claimed", "done"}:
                claimed.update(allowed(view.plan))
                whole.update(allowed(view.plan) if now.outcome == "ok" else ())
            told.append((now.state, now.outcome, now.comment, now.summary))
        happened = Counter(self.world.happened)
        assert not whole - happened, f"claimed and not done: {whole - happened} {told}"
        assert not happened - claimed, f"done and not claimed: {happened - claimed} {told}"
        self.tried.update(plays=1, votes=len(self.said_yes), changes=happened.total())


def _one_of(words: list[str]) -> st.SearchStrategy[str]:
    """One of these, by a number: what is drawn must not depend on how many there are by now."""
    return st.integers(0, 999).map(lambda number: words[number % len(words)])


def _value(shape: dict[str, Any], loot: list[str]) -> st.SearchStrategy[Any]:
    if "enum" in shape:
        return st.sampled_from([*shape["enum"], "other"])
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(-1, 60),
        "boolean": st.booleans(),
        "object": INPUTS,
        "string": _one_of([*FLOWS, *loot]) | st.text(max_size=20),
    }
    return kinds.get(str(shape.get("type")), st.none() | st.integers())
