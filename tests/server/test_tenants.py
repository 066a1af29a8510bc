"""Two tenants on one database: what belongs to the one does not exist for the other.

Bad inputs 34 (the ids of another tenant, on every tool) and 36 (ids that are guessed).
"""

import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from engine import Engine, Settings, open_engine
from engine.core.approval.plan import Requester
from mcp_server.door import Door
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from mcp_server.tools import TOOLSETS
from tests.server.marks import bad_inputs
from tests.server.people import PIN, Person
from tests.server.test_tools import call
from tests.server.world import World

pytestmark = [bad_inputs, pytest.mark.requirement("tenants-apart")]

TOOLS = {tool.name: tool for tools in TOOLSETS.values() for tool in tools}
IDS = re.compile(r".*Id$|id")
FILLED: dict[str, Any] = {"workflow": "hello", "query": "hello", "step": "change",
                          "verdict": "happened"}  # fmt: skip
"""Something that can be meant for each argument that a tool needs beside an id."""
TAKEN = [(name, argument) for name, tool in TOOLS.items()
         for argument in tool.takes["properties"] if IDS.fullmatch(argument)]  # fmt: skip
UNKNOWN = frozenset({"unknown_run", "unknown_approval", "unknown_outcome"})


@dataclass
class Tenants:
    """What acme has, and globex's way in."""

    acme: Engine
    globex: Engine
    client: Client
    run: str
    approval: str
    person: Person

    @property
    def stolen(self) -> dict[str, str]:
        """Ids of acme, by the argument that takes them."""
        return {"runId": self.run, "executionId": self.run, "approvalId": self.approval}


@asynccontextmanager
async def opened(world: World, tenant: str) -> AsyncGenerator[Engine]:
    settings = Settings(
        database=str(world.database), folders=(world.folder,), functions=world.functions(),
        tenant=tenant,
    )  # fmt: skip
    async with open_engine(settings) as engine:
        yield engine


@pytest.fixture
async def tenants(world: World) -> AsyncGenerator[Tenants]:
    async with AsyncExitStack() as stack:
        acme = await stack.enter_async_context(opened(world, "acme"))
        globex = await stack.enter_async_context(opened(world, "globex"))

        @asynccontextmanager
        async def here() -> AsyncGenerator[Engine]:
            yield globex

        everything = ServerSettings(toolsets=frozenset(TOOLSETS))
        server = build(everything, door=Door(here))
        client = await stack.enter_async_context(Client(server, cache=None))
        person = await Person(acme).enrols()
        run, approval = await _waiting(acme, person)
        yield Tenants(acme, globex, client, run, approval, person)


async def _waiting(engine: Engine, person: Person) -> tuple[str, str]:
    """A run that waits for a person, and its approval."""
    from engine.core.approval.gated import Gated

    try:
        await engine.approvals.accept("changes", requester=Requester("terminal"))
    except Gated as gated:
        await person.approves(gated.approval.id)
    view = await engine.start("changes", {"what": "the price"}, requester=Requester("terminal"))
    view = await engine.wait(view.id, 10)
    assert view.status == "paused:approval"
    return view.id, view.approval


def test_every_argument_that_takes_an_id_is_tried() -> None:
    assert {argument for _, argument in TAKEN} == {"runId", "executionId", "approvalId"}
    assert {"get_run", "cancel_run", "retry_run", "get_approval"} <= {name for name, _ in TAKEN}


@pytest.mark.parametrize(("name", "argument"), TAKEN)
async def test_an_id_of_another_tenant_is_an_unknown_one(  # 34
    tenants: Tenants, name: str, argument: str
) -> None:
    needed = TOOLS[name].takes.get("required", [])
    given = {each: FILLED[each] for each in needed if each != argument}
    before = await tenants.acme.run(tenants.run)
    answer = await call(tenants.client, name, **given, **{argument: tenants.stolen[argument]})
    assert answer["isError"]
    assert answer["code"] in UNKNOWN
    guessed = secrets.token_hex(16)
    same = await call(tenants.client, name, **given, **{argument: guessed})
    assert same["code"] == answer["code"]
    said = answer["message"].replace(tenants.stolen[argument], "")
    assert said == same["message"].replace(guessed, ""), "the answers tell the two apart"
    assert await tenants.acme.run(tenants.run) == before


async def test_lists_show_what_is_of_this_tenant_alone(tenants: Tenants) -> None:
    assert (await call(tenants.client, "list_runs"))["runs"] == []
    grouped = await call(tenants.client, "list_runs", groupFailures=True)
    assert grouped["groups"] == []
    assert (await tenants.globex.approvals.list(open_only=False)).rows == ()
    assert (await tenants.acme.approvals.list(open_only=False)).rows != ()
    needing = await tenants.globex.approvals.needing()
    assert not needing.approvals
    assert not needing.outcomes
    versions = await call(tenants.client, "manage_versions", workflow="changes")
    assert all("paused" not in str(each.get("runs", "")) for each in versions["versions"])


async def test_a_run_of_another_tenant_cannot_be_read_as_a_resource(tenants: Tenants) -> None:
    for id in (tenants.run, secrets.token_hex(16)):
        with pytest.raises(MCPError, match="no run"):
            await tenants.client.read_resource(f"run://{id}")


async def test_an_idempotency_key_of_another_tenant_is_free(tenants: Tenants) -> None:
    given = {"workflow": "hello", "input": {"name": "Ann"}, "idempotencyKey": "k"}
    theirs = await tenants.acme.start("hello", {"name": "Ann"}, key="k")
    ours = await call(tenants.client, "execute_workflow", **given)
    assert ours["executionId"] != theirs.id


@pytest.mark.parametrize("verb", ["get", "approve", "deny", "revoke", "withdraw", "replan"])
async def test_nobody_decides_for_another_tenant(tenants: Tenants, verb: str) -> None:
    from engine import Refused

    there = await tenants.acme.approvals.get(tenants.approval)
    ours = await Person(tenants.globex).enrols()
    approver = await ours.engine.approvals.authenticate(PIN, channel="page")
    calls: dict[str, dict[str, Any]] = {
        "get": {}, "revoke": {"approver": approver},
        "approve": {"digest": there.digest, "approver": approver, "code": there.code},
        "deny": {"digest": there.digest, "approver": approver},
        "withdraw": {"requester": Requester("terminal")},
        "replan": {"requester": Requester("terminal")},
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        await getattr(tenants.globex.approvals, verb)(tenants.approval, **calls[verb])
    assert refused.value.code == "unknown_approval"
    assert await tenants.acme.approvals.get(tenants.approval) == there


async def test_ids_cannot_be_guessed(tenants: Tenants) -> None:  # 36
    """An approval's id is 128 bits of chance; a run's id has a time and 74 bits of chance."""
    runs = [await tenants.acme.start("hello", {"name": "Ann"}, key=f"k{n}") for n in range(20)]
    assert len({run.id[-12:] for run in runs}) == 20
    assert re.fullmatch(r"apr_[0-9a-z]{26}", tenants.approval)
