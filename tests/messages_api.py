"""The Messages API on loopback: it says what a test wrote down, and keeps what it was asked.

A real server, so that the real client, its time limits and its reading are tested. `say` puts
answers in a row, the last one for ever. What a model would think is the test's business.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KEY = "sk-ant-test-0123456789abcdef"
Answer = Callable[["Asked"], Awaitable[Response]]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """The user's message without the marks round it."""
        return "\n".join(self.message.split("\n")[1:-1])

    @property
    def message(self) -> str:
        """The user's message."""
        return str(self.body["messages"][0]["content"])


@dataclass
class MessagesApi:
    """The service while it listens."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: list[Answer] = field(default_factory=list)

    def say(self, *answers: Answer) -> None:
        """Answer with these, one after the other."""
        self._answers[:] = answers

    async def answer(self, request: Request) -> Response:
        """The route of POST /v1/messages."""
        asked = Asked(dict(request.headers), json.loads(await request.body()))
        self.asked.append(asked)
        self.arrived.set()
        next_one = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return await next_one(asked)


@asynccontextmanager
async def messages_api(*answers: Answer) -> AsyncIterator[MessagesApi]:
    """The service on a free port, until the block ends."""
    api = MessagesApi()
    api.say(*answers)
    app = Starlette(routes=[Route("/v1/messages", api.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    api.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    turning = asyncio.create_task(server.main_loop())
    try:
        yield api
    finally:
        server.should_exit = server.force_exit = True
        await turning
        await server.shutdown()


def saying(value: Any) -> Answer:
    """A whole answer whose text is this value as JSON."""
    return texting(json.dumps(value))


def texting(text: str, stop: str = "end_turn") -> Answer:
    """An answer with this text that ended so."""
    return replying(200, message(text, stop))


def message(text: str, stop: str = "end_turn") -> dict[str, Any]:
    """The body of an answer."""
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": text}], "stop_reason": stop, "stop_sequence": None,
        "usage": {"input_tokens": 120, "output_tokens": 30},
    }  # fmt: skip


def failing(status: int, kind: str, said: str = "no", **headers: str) -> Answer:
    """An error as the API tells one; `retry_after="3"` becomes the header `retry-after`."""
    body = {"type": "error", "error": {"type": kind, "message": said}}
    return replying(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def replying(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Any answer: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(asked: Asked) -> Response:
        return Response(data, status, {"content-type": "application/json", **(headers or {})})

    return answer


def hanging() -> Answer:
    """No answer at all."""

    async def answer(asked: Asked) -> Response:
        await asyncio.sleep(3600)  # the client goes first
        raise AssertionError

    return answer


def strings(value: Any) -> Iterator[str]:
    """Every text in a request's body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
