"""A server over a real engine on a database of its own, and the documents it serves."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.server import MCPServer

from engine.app.engine import Engine, open_engine
from engine.app.settings import Settings
from engine.core.approval.gated import Gated
from engine.core.approval.plan import Requester
from engine.core.errors import Failure, Kind, StepError
from engine.core.model import Effect
from engine.shell.acts import PythonTask
from engine.shell.clock import Clock, WorldClock
from mcp_server.door import Door
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from tests.server.people import Person

DOCUMENTS = """
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: greet}
spec: {type: python, description: Says hello., category: talk, python: {function: greet}}
---
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: fail}
spec: {type: python, description: Always fails., python: {function: fail}, retry: {policy: none}}
---
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: wait}
spec: {type: python, description: Waits for the test., python: {function: wait}}
---
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: write}
spec: {type: python, description: Changes something., python: {function: write}}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: hello}
spec:
  description: Says hello to a person by name.
  categories: [Talk]
  tags: [greeting]
  input:
    name: {type: string, required: true, description: Whom to greet}
    times: {type: integer, default: 1, description: How often}
  tasks:
    - id: say
      taskRef: greet
      input: {name: "{{input.name}}"}
  output: {said: "{{tasks.say.output.said}}"}
  examples:
    - {name: one, input: {name: Ann}}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: breaks}
spec:
  description: Fails in its second step.
  tasks:
    - {id: first, taskRef: greet, input: {name: Bob}}
    - {id: second, taskRef: fail, dependsOn: [first]}
  output: {said: "{{tasks.first.output.said}}", never: "{{tasks.second.output}}"}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: long}
spec:
  description: Takes as long as the test wants.
  tasks:
    - {id: before, taskRef: greet, input: {name: Eve}}
    - {id: hold, taskRef: wait, dependsOn: [before]}
  output: {ok: true}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: changes}
spec:
  description: Changes something outside.
  input:
    what: {type: string, required: true, description: What to change}
  tasks:
    - {id: change, taskRef: write, input: {what: "{{input.what}}"}}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: hello, namespace: other}
spec:
  description: Another hello.
  tasks:
    - {id: say, taskRef: default/greet, input: {name: Zoe}}
  output: {said: "{{tasks.say.output.said}}"}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: broken}
spec:
  description: Refers to a task that is not there.
  tasks:
    - {id: x, taskRef: gret}
"""


@dataclass
class World:
    """What a test has at hand."""

    folder: Path
    database: Path
    broken: bool = True
    cut: bool = False
    auto_execute: bool = False
    go: anyio.Event = field(default_factory=anyio.Event)
    engine: Engine | None = None
    clock: Clock = field(default_factory=WorldClock)
    changes: list[str] = field(default_factory=list)

    def functions(self) -> Mapping[str, PythonTask]:
        return {
            "greet": PythonTask(self.greet, Effect.READ),
            "fail": PythonTask(self.fail, Effect.READ),
            "wait": PythonTask(self.wait, Effect.READ),
            "write": PythonTask(self.change, Effect.MUTATION),
        }

    async def greet(self, given: Any) -> Any:
        return {"said": f"hello {given['name']}"}

    async def change(self, given: Any) -> Any:
        self.changes.append(given["what"])
        if self.cut:
            raise ConnectionError("the line was cut after it was sent")
        return {"changed": given["what"]}

    async def fail(self, given: Any) -> Any:
        if self.broken:
            raise StepError(Failure(Kind.PERMANENT, "no_luck", "no luck ![x](http://evil/?d=1)"))
        return {"fine": True}

    async def wait(self, given: Any) -> Any:
        await self.go.wait()
        return {"waited": True}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Engine]:
        settings = Settings(
            database=str(self.database),
            folders=(self.folder,),
            functions=self.functions(),
            clock=self.clock,
            auto_execute=self.auto_execute,
        )
        async with open_engine(settings) as self.engine:
            yield self.engine

    def server(self, toolsets: str = "default") -> MCPServer[Door]:
        settings = ServerSettings(toolsets=frozenset(toolsets.split(",")))
        return build(settings, door=Door(self.open))

    @asynccontextmanager
    async def client(self, mode: Any = "auto", toolsets: str = "default") -> AsyncGenerator[Client]:
        async with Client(self.server(toolsets), mode=mode, cache=None) as client:
            yield client

    def allow(self, policy: str) -> None:
        """Put a policy beside the database."""
        (self.database.parent / "policy.yaml").write_text(policy, "utf-8")

    async def person(self, client: Client) -> Person:
        """Somebody who is set up to decide here, outside of the protocol."""
        await client.call_tool("list_workflows", {})
        assert self.engine is not None
        return await Person(self.engine).enrols()

    @asynccontextmanager
    async def decided(self, client: Client) -> AsyncGenerator[Person]:
        """A person who is set up to decide and has accepted the workflow that changes things."""
        person = await self.person(client)
        assert self.engine is not None
        try:
            await self.engine.approvals.accept("changes", requester=Requester("terminal"))
        except Gated as gated:
            await person.approves(gated.approval.id)
        yield person

    async def ended(self, run_id: str) -> None:
        """Wait until a run is over."""
        assert self.engine is not None
        with anyio.fail_after(10):
            while (await self.engine.wait(run_id, 10)).ended_at is None:
                with anyio.move_on_after(1):
                    await self.engine.moved()


def world(folder: Path) -> World:
    """A world in an empty folder."""
    documents = folder / "workflows"
    documents.mkdir()
    (documents / "all.yaml").write_text(DOCUMENTS, "utf-8")
    return World(documents, folder / "test.db")
