"""The world that is attacked: a real engine, a witness outside, a person with a PIN.

The person is the only one who may decide. Everybody else is an assistant: it calls tools through
the SDK's own client, and knows whatever any answer has told it.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.server import MCPServer

from engine.app.engine import Engine, open_engine
from engine.app.settings import Settings
from engine.core.approval.gated import Gated
from engine.core.approval.plan import Plan, Requester
from engine.core.approval.views import ApprovalView
from engine.core.errors import Refused
from engine.shell.clock import WorldClock
from mcp_server.door import Door
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from tests.attacks.documents import BANK, FLOWS, PENDING
from tests.attacks.outside import Outside, outside

PIN = "cobalt heron 7"
SECONDS = 20.0
ASSISTANT = Requester("stdio", client="assistant")
MINUTE = 60_000_000
Line = tuple[str, str, str]


class Skewed(WorldClock):
    """The real clock, set forward or back by a test."""

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> int:
        """Microseconds since the epoch, as this machine believes."""
        return super().now() + self.ahead


class Borrowed:
    """An engine that outlives the server which it is lent to: that server does not drain it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def drain(self) -> None:
        """Others work on with it."""


@dataclass
class World:
    """What a test has at hand. `engine` is the first engine on the database."""

    folder: Path
    database: Path
    outside: Outside
    clock: Skewed = field(default_factory=Skewed)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    made: Engine | None = None
    known: Any = None

    @property
    def engine(self) -> Engine:
        """The engine that is open."""
        assert self.made is not None
        return self.made

    def settings(self, **more: Any) -> Settings:
        """How an engine on this world's database is opened."""
        given: dict[str, Any] = {
            "database": str(self.database),
            "folders": (self.folder,),
            "allowed_hosts": frozenset({("127.0.0.1", self.outside.port)}),
            "clock": self.clock,
        }
        return Settings(**{**given, **more})

    @asynccontextmanager
    async def another(self, **more: Any) -> AsyncGenerator[Engine]:
        """One more engine on the same database, as a second process would have."""
        async with open_engine(self.settings(**more)) as engine:
            yield engine

    async def open(self, **more: Any) -> Engine:
        """Open the engine, after `close` again."""
        self.made = await self.stack.enter_async_context(open_engine(self.settings(**more)))
        return self.made

    async def restart(self, **more: Any) -> Engine:
        """Close the engine and open it again, as a restart does."""
        await self.stack.aclose()
        return await self.open(**more)

    # -- the assistant --------------------------------------------------------------------------

    def server(self, toolsets: str = "default,operate", engine: Engine | None = None) -> MCPServer:
        """A server over the engine that is open."""

        settings = ServerSettings(toolsets=frozenset(toolsets.split(",")), work=False)
        return build(settings, door=Door(lambda: self.lent(engine)))

    @asynccontextmanager
    async def lent(self, engine: Engine | None = None) -> AsyncGenerator[Engine]:
        """The engine that is open, for a server that must not end it."""
        yield Borrowed(engine or self.engine)  # type: ignore[misc]

    @asynccontextmanager
    async def client(
        self, mode: Any = "auto", engine: Engine | None = None, **more: Any
    ) -> AsyncGenerator[Client]:
        """An assistant's client, in memory."""
        server = self.server(engine=engine)
        async with Client(server, mode=mode, cache=None, **more) as client:
            yield client

    async def starts(self, name: str, given: Any, engine: Engine | None = None, **more: Any) -> str:
        """Start a workflow as the assistant does and wait until it rests; the run's id."""
        engine = engine or self.engine
        view = await engine.start(name, given, requester=ASSISTANT, **more)
        return (await engine.wait(view.id, SECONDS)).id

    async def asked(self, name: str, given: Any, **more: Any) -> ApprovalView:
        """Start a workflow that asks; what it asks."""
        run = await self.engine.run(await self.starts(name, given, **more))
        assert run.status == "paused:approval", (run.status, run.failure)
        page = await self.engine.approvals.list(limit=50)
        return next(view for view in page.rows if view.run == run.id)

    # -- the person -----------------------------------------------------------------------------

    async def person(self) -> Any:
        """Whoever knows the PIN, logging in now."""
        return await self.engine.approvals.authenticate(PIN, channel="terminal")

    async def ann(self) -> Any:
        """The person who logged in a while ago: a PIN takes its time."""
        self.known = self.known or await self.person()
        return self.known

    async def approves(self, view: ApprovalView, **more: Any) -> ApprovalView:
        """The person says yes to what they were shown."""
        who = await (self.person() if view.confirm else self.ann())
        given = {"digest": view.digest, "approver": who, "typed": view.typed_words}
        return await self.engine.approvals.approve(view.id, **{**given, **more})

    async def denies(self, view: ApprovalView) -> ApprovalView:
        """The person says no."""
        who = await self.ann()
        return await self.engine.approvals.deny(view.id, digest=view.digest, approver=who)

    async def accepts(self, *names: str) -> None:
        """The person accepts versions that change something."""
        for name in names:
            try:
                await self.engine.approvals.accept(name, "", requester=ASSISTANT)
            except Gated as gated:
                await self.approves(gated.approval)

    # -- the witness ----------------------------------------------------------------------------

    @property
    def happened(self) -> list[Line]:
        """Everything that was changed outside, in order."""
        return [effect.line for effect in self.outside.effects]

    async def settled(self, run_id: str) -> Any:
        """A run once it rests, and nothing that a person allowed of it is under way."""
        async with asyncio.timeout(SECONDS):
            while True:
                run = await self.engine.wait(run_id, SECONDS)
                if run.status != "paused:approval" or not await self._under_way(run.approval):
                    return run
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self.engine.moved()

    async def _under_way(self, approval: str) -> bool:
        if not approval:
            return False
        return (await self.engine.approvals.get(approval)).state in {"approved", "claimed"}

    async def quiet(self) -> None:
        """Until nothing moves any more: what could happen has happened."""
        for row in (await self.engine.runs(limit=100)).rows:
            if row.ended_at is None:
                await self.settled(row.id)


def allowed(plan: Plan) -> list[Line]:
    """What a plan allows, as the witness would see it."""
    found = []
    for op in plan.ops:
        request = op.args["request"]
        path = "/" + request["url"].split("/", 3)[3]
        found.append((request["method"], path, request["body"] or ""))
    return found


def said(result: Any) -> dict[str, Any]:
    """The structured part of a tool's answer."""
    facts: dict[str, Any] = result.structured_content or json.loads(result.content[0].text)
    return facts


async def refusal(call: Any) -> Refused:
    """The refusal that a call ends with."""
    try:
        await call
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


async def prepared(
    folder: Path,
    service: Outside,
    *,
    accept: bool = True,
    enrolled: bool = True,
    policy: str = "",
    **more: Any,
) -> World:
    """A world in an empty folder, with its engine open."""
    documents = folder / "workflows"
    documents.mkdir()
    bank = BANK.replace("http://127.0.0.1:1", service.url)
    for name, text in (("bank", bank), ("flows", FLOWS), ("new", PENDING)):
        (documents / f"{name}.yaml").write_text(text, encoding="utf-8")
    data = folder / "data"
    data.mkdir()
    if policy:
        (data / "policy.yaml").write_text(policy, encoding="utf-8")
    world = World(documents, data / "test.db", service)
    await world.open(**more)
    if enrolled:
        await world.engine.approvals.enrol("Ann", PIN)
    if enrolled and accept:
        await world.accepts("pay", "tag", "mail-all", "pay-row", "twice")
    return world


@asynccontextmanager
async def attacked(folder: Path, **more: Any) -> AsyncGenerator[World]:
    """A world in an empty folder, as `prepared` makes it, until the block ends.

    With `accept` a person has accepted the usual workflows.
    """
    async with outside() as service:
        world = await prepared(folder, service, **more)
        try:
            yield world
        finally:
            await world.stack.aclose()
