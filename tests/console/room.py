"""A person at the approval page: a real engine, the page over ASGI, and a browser's habits.

The browser keeps cookies, sends Origin and fetch metadata with forms, and fills in the forms that
it was shown; a test may have it do otherwise.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from engine import Gated, Move, Requester, Settings, open_engine
from engine.app.engine import Engine
from engine.core.model import Effect
from engine.core.views import RunView
from engine.shell.acts import PythonTask
from engine.shell.clock import TestClock
from mcp_server.console.app import application

PORT = 4711
SECONDS = 20
ORIGIN = f"http://localhost:{PORT}"
PIN = "correct horse"
CLAUDE = Requester("stdio", client="claude-ai")
FORM = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}

DOCUMENTS = """
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: write}
spec:
  type: python
  description: Changes something.
  python: {function: write}
  retry: {policy: none}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: one}
spec:
  description: Changes one thing.
  input: {what: {type: string, required: true, description: What}}
  tasks:
    - {id: change, taskRef: write, input: {what: "{{input.what}}"}}
---
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: set}
spec:
  type: python
  description: Changes something that can be changed back.
  python: {function: write}
  verb: update
  reversible: true
---
kind: Workflow
apiVersion: t/v1
metadata: {name: undoable}
spec:
  description: Changes one thing that can be changed back.
  input: {what: {type: string, required: true, description: What}}
  tasks:
    - {id: change, taskRef: set, input: {what: "{{input.what}}"}}
---
kind: Workflow
apiVersion: t/v1
metadata: {name: three}
spec:
  description: Changes three things.
  tasks:
    - {id: a, taskRef: write, input: {what: first}}
    - {id: b, taskRef: write, input: {what: second}}
    - {id: c, taskRef: write, input: {what: third}}
"""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "input" and given.get("name") and self._sent(given):
            self.fields.append((given["name"] or "", given.get("value") or ""))

    @staticmethod
    def _sent(given: dict[str, str | None]) -> bool:
        return given.get("type") not in {"checkbox", "radio"} or "checked" in given


@dataclass
class Sheet:
    """A page as a reader sees it."""

    answer: httpx.Response
    fields: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.answer.text)
        self.fields, self.tags = reader.fields, reader.tags

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return self.answer.request.url.path

    @property
    def text(self) -> str:
        """The words, blanks folded."""
        import html

        body = self.answer.text.partition("<body>")[2]
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def buttons(self) -> list[str]:
        """What can be pressed."""
        found = [given for tag, given in self.tags if tag == "button" and "name" in given]
        return [given.get("value") or "" for given in found]

    def value(self, name: str) -> str:
        """What a field holds before anybody types."""
        return dict(self.fields)[name]


@dataclass
class Person:
    """Somebody at a browser."""

    client: httpx.AsyncClient

    async def open(self, path: str, **headers: str) -> Sheet:
        """Follow an address to its end."""
        return Sheet(await self.client.get(path, headers=headers, follow_redirects=True))

    async def send(
        self, path: str, fields: list[tuple[str, str]], headers: dict[str, str] | None = None
    ) -> Sheet:
        """Send a form, and go where it leads."""
        body = urlencode(fields).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = FORM if headers is None else headers
        return Sheet(
            await self.client.post(
                path, content=body, headers={**kind, **sent}, follow_redirects=True
            )
        )

    async def sign_in(self, pin: str = PIN, then: str = "/") -> Sheet:
        return await self.send("/login", [("pin", pin), ("next", then)])

    async def press(self, sheet: Sheet, decision: str, **typed: str) -> Sheet:
        """Fill the form of a page in and press a button."""
        path = next(
            given["action"] or ""
            for tag, given in sheet.tags
            if tag == "form" and given.get("action") not in {"/logout", "/login"}
        )
        leave = sheet.fields[0] if sheet.fields[0][0] == "token" else None
        fields = [each for each in sheet.fields if each is not leave]
        fields = [(name, typed.get(name, value)) for name, value in fields]
        fields += [(n, v) for n, v in typed.items() if n not in dict(fields)]
        return await self.send(path, [*fields, *([("decision", decision)] if decision else [])])


@dataclass
class Room:
    """What a test has at hand."""

    engine: Engine
    clock: TestClock
    app: Any
    done: list[str]

    def person(self) -> Person:
        transport = httpx.ASGITransport(self.app)
        return Person(httpx.AsyncClient(transport=transport, base_url=ORIGIN))

    async def asked_to_accept(self, name: str = "one") -> str:
        """The approval that an assistant gets when it wants a pending version."""
        try:
            await self.engine.approvals.accept(name, requester=CLAUDE)
        except Gated as gated:
            return gated.approval.id
        raise AssertionError("it was accepted already")

    async def parked(self, name: str = "one", given: Any = None) -> RunView:
        """A run that waits for a person."""
        await self.accept(name)
        given = given or ({"what": "x"} if name == "one" else {})
        started = await self.engine.start(name, given, requester=CLAUDE)
        run = await self.engine.wait(started.id, 10)
        assert run.status == "paused:approval"
        return run

    async def until(self, run_id: str, holds: Callable[[RunView], Awaitable[bool]]) -> RunView:
        """The run once something holds of it; looks each time that something has moved."""
        async with asyncio.timeout(SECONDS):
            while True:
                moved = asyncio.ensure_future(self.engine.moved())
                await asyncio.sleep(0)  # so that nothing moves unheard between looking and waiting
                run = await self.engine.run(run_id)
                if await holds(run):
                    moved.cancel()
                    return run
                await moved

    async def settled(self, run_id: str) -> RunView:
        """The run once it rests and no yes is about to move it."""

        async def rests(run: RunView) -> bool:
            if run.whose_move in {Move.ENGINE, Move.CLOCK}:
                return False
            view = await self.engine.approvals.get(run.approval) if run.approval else None
            return view is None or view.state not in {"approved", "claimed"}

        return await self.until(run_id, rests)

    async def accept(self, name: str) -> None:
        """Accept a version as a person would."""
        approver = await self.engine.approvals.authenticate(PIN, channel="page")
        view = await self.engine.approvals.get(await self.asked_to_accept(name))
        await self.engine.approvals.approve(view.id, digest=view.digest, approver=approver)


@asynccontextmanager
async def room(folder: Path, *, work: bool = False, enrolled: bool = True) -> AsyncGenerator[Room]:
    """An engine of its own with a page over it."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    (documents / "all.yaml").write_text(DOCUMENTS)
    done: list[str] = []

    async def write(given: Any) -> Any:
        done.append(given["what"])
        if given["what"] == "broken":
            raise RuntimeError("and nobody knows what became of it")
        return {"wrote": given["what"]}

    clock = TestClock()
    settings = Settings(
        str(folder / "handrail.db"), (documents,), clock=clock, work=work,
        functions={"write": PythonTask(write, Effect.MUTATION)},
    )  # fmt: skip
    async with open_engine(settings) as engine:
        if enrolled:
            await engine.approvals.enrol("Ann", PIN)
        yield Room(engine, clock, application(engine, PORT, "secret"), done)
