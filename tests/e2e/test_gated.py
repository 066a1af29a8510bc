"""The same gated call by every official client, over both transports: each sees what it can, and
the change is made exactly once.

The demo's `notify-customer` writes a message, and the demo's own file says how many there are. In
one installation a policy lets forms count; in the other the shipped one wants the page or the
terminal. A person beside the servers, in this process, has the PIN.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

from engine import Settings, open_engine
from tests.e2e.conftest import Node
from tests.e2e.processes import HERE, environment, serve_demo
from tests.server.people import SMALL, Person

pytestmark = [pytest.mark.timeout(240), pytest.mark.requirement("gated-call-by-every-client")]

SECONDS = 90
Facts = dict[str, Any]
Call = Callable[[], Awaitable[Facts]]


@dataclass(frozen=True)
class Place:
    """An installation with a demo, served over HTTP, which can be started over stdio too."""

    folder: Path
    url: str

    def target(self, transport: str) -> dict[str, Any]:
        """What a client is told about the server."""
        if transport == "http":
            return {"url": self.url}
        settings = environment(self.folder, HANDRAIL_DEMO="1")
        return {"command": sys.executable, "args": ["-m", "mcp_server"], "env": settings}

    def messages(self, text: str) -> int:
        """How often the demo's service was told this."""
        with closing(sqlite3.connect(self.folder / "handrail-world.sqlite3")) as world:
            rows = world.execute("select body from thing where kind = 'notification'").fetchall()
        return sum(json.loads(body)["message"] == text for (body,) in rows)

    @asynccontextmanager
    async def person(self) -> AsyncGenerator[Person]:
        """Somebody with a PIN, beside the servers on the same database."""
        settings = Settings(database=str(self.folder / "handrail.db"), work=False)
        async with open_engine(settings) as engine:
            yield await Person(engine).enrols()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation under the shipped policy."""
    folder = tmp_path_factory.mktemp("strict")
    with serve_demo(folder) as served:
        yield Place(folder, served.url)


@pytest.fixture(scope="module")
def easy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation where a form counts for everything."""
    folder = tmp_path_factory.mktemp("easy")
    (folder / "policy.yaml").write_text(SMALL, "utf-8")
    with serve_demo(folder) as served:
        yield Place(folder, served.url)


def change(text: str) -> Facts:
    return {"workflow": "demo/notify-customer", "input": {"userId": "3", "message": text}}


@asynccontextmanager
async def python(place: Place, transport: str, era: Any, user: Any) -> AsyncGenerator[Any]:
    """The Python SDK's client, as a function that makes the call."""
    told = place.target(transport)
    server = told["url"] if "url" in told else StdioServerParameters(**told, cwd="/")
    async with Client(server, mode=era, elicitation_callback=user) as client:

        async def call(tool: str, given: Facts) -> Facts:
            answer = await client.call_tool(tool, given)
            facts: Facts | None = answer.structured_content
            assert facts is not None
            return facts

        yield call


async def decided_outside(call: Call, person: Person) -> list[str]:
    """Make a call, decide what it waits for, and make it again, until it is through."""
    seen = []
    while True:
        facts = await call()
        seen.append(facts["status"])
        if facts["status"] != "approval_required":
            return seen
        assert facts["approveUrl"].startswith("http://localhost:")
        assert facts["command"] == f"handrail approve {facts['approvalId']}"
        await person.approves(facts["approvalId"])


ERAS = pytest.mark.parametrize("era", ["legacy", "auto"])
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


@ERAS
@TRANSPORTS
async def test_the_python_client_answers_a_form(easy: Place, transport: str, era: Any) -> None:
    text, asked = f"form {transport} {era}", list[Any]()

    async def user(_: Any, params: Any) -> ElicitResult:
        asked.append(params)
        code = params.message.rpartition(" ")[2]
        return ElicitResult(action="accept", content={"decision": "approve", "code": code})

    with anyio.fail_after(SECONDS):
        async with easy.person(), python(easy, transport, era, user) as call:
            for _ in range(2):
                done = await call("execute_workflow", change(text))
                assert done["status"] == "completed"
    assert {each.mode for each in asked} == {"form"}
    assert text in asked[-1].message
    assert easy.messages(text) == 1


@ERAS
@TRANSPORTS
async def test_the_python_client_opens_the_page(strict: Place, transport: str, era: Any) -> None:
    text, asked = f"url {transport} {era}", list[Any]()
    with anyio.fail_after(SECONDS):
        async with strict.person() as person:

            async def user(_: Any, params: Any) -> ElicitResult:
                asked.append(params)
                await person.approves(params.url.rpartition("/")[2])
                return ElicitResult(action="accept")

            async with python(strict, transport, era, user) as call:
                done = await call("execute_workflow", change(text))
    assert done["status"] == "completed"
    assert {each.mode for each in asked} == {"url"}
    assert strict.messages(text) == 1


@ERAS
@TRANSPORTS
async def test_the_python_client_without_elicitation_is_told_where(
    strict: Place, transport: str, era: Any
) -> None:
    text = f"none {transport} {era}"
    with anyio.fail_after(SECONDS):
        async with strict.person() as person, python(strict, transport, era, None) as call:
            again = partial(call, "execute_workflow", change(text))
            seen = await decided_outside(again, person)
            assert await decided_outside(again, person) == ["completed"]
    assert seen[0] == "approval_required"
    assert seen[-1] == "completed"
    assert strict.messages(text) == 1


@dataclass(frozen=True)
class TypeScript:
    """The client of npm's @modelcontextprotocol/client; each call is a process."""

    node: Node
    place: Place
    transport: str
    era: str
    way: str

    async def __call__(self, given: Facts) -> Facts:
        told = json.dumps(self.place.target(self.transport))
        command = [str(self.node.folder / "node"), "gated.mjs", told, self.era, self.way]
        done = await anyio.to_thread.run_sync(
            lambda: subprocess.run(
                [*command, "execute_workflow", json.dumps(given)],
                cwd=HERE, env=self.node.environment(), capture_output=True, text=True,
                timeout=SECONDS, check=False,
            )
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        facts: Facts = json.loads(done.stdout)
        return facts


@pytest.mark.node
@ERAS
@TRANSPORTS
async def test_the_typescript_client_answers_a_form(
    node: Node, easy: Place, transport: str, era: str
) -> None:
    text = f"ts form {transport} {era}"
    async with easy.person():
        answer = await TypeScript(node, easy, transport, era, "form")(change(text))
    assert answer["result"]["status"] == "completed"
    assert {each["mode"] for each in answer["asked"]} == {"form"}
    assert easy.messages(text) == 1


@pytest.mark.node
@ERAS
@TRANSPORTS
async def test_the_typescript_client_opens_the_page(
    node: Node, strict: Place, transport: str, era: str
) -> None:
    text = f"ts url {transport} {era}"
    async with strict.person() as person, anyio.create_task_group() as group:
        group.start_soon(person.approves_everything)
        answer = await TypeScript(node, strict, transport, era, "url")(change(text))
        group.cancel_scope.cancel()
    assert answer["result"]["status"] == "completed"
    assert {each["mode"] for each in answer["asked"]} == {"url"}
    assert strict.messages(text) == 1


@pytest.mark.node
@ERAS
async def test_the_typescript_client_without_elicitation_is_told_where(
    node: Node, strict: Place, era: str
) -> None:
    text = f"ts none {era}"
    client = TypeScript(node, strict, "http", era, "none")

    async def call() -> Facts:
        answer = await client(change(text))
        assert answer["asked"] == []
        facts: Facts = answer["result"]
        return facts

    async with strict.person() as person:
        seen = await decided_outside(call, person)
    assert seen[-2:] == ["approval_required", "completed"]
    assert strict.messages(text) == 1


@pytest.mark.node
@pytest.mark.parametrize("era", ["legacy", "modern"])
@TRANSPORTS
async def test_the_inspector_is_told_where(
    node: Node, strict: Place, transport: str, era: str
) -> None:
    text = f"inspector {transport} {era}"

    async def call() -> Facts:
        options = ["--cli", "--format", "json", "--quiet", "--protocol-era", era]
        given = ["--method", "tools/call", "--tool-name", "execute_workflow"]
        given += ["--tool-args-json", json.dumps(change(text))]
        run = partial(node.run, "mcp-inspector", *options, *given, *_inspected(strict, transport))
        done = await anyio.to_thread.run_sync(run)
        assert done.returncode == 0, done.stdout + done.stderr
        facts: Facts = json.loads(done.stdout)["result"]["structuredContent"]
        return facts

    async with strict.person() as person:
        seen = await decided_outside(call, person)
    assert seen[-2:] == ["approval_required", "completed"]
    assert strict.messages(text) == 1


def _inspected(place: Place, transport: str) -> list[str]:
    if transport == "http":
        return ["--transport", "http", place.url]
    settings = {"HANDRAIL_DEMO": "1", "HANDRAIL_DATABASE_URL": str(place.folder / "handrail.db")}
    told = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
    return [*told, "--cwd", "/", "--", sys.executable, "-m", "mcp_server"]
