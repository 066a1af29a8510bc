"""One request of the Messages API, sent by the `anthropic` package and read as strictly as ours.

Everything that the package would take from the environment is given to it or taken away again:
the address, the key, proxies, headers, tracing. What leaves is a short list of headers and the
question. No redirect is followed, since it would take the key along; nothing is sent twice; an
answer has a limit of bytes. Each way in which it can go wrong is told by its code and says whose
move it is (TRUST 2.6). What is asked and why is not known here.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import anthropic
import httpx2
from pydantic import BaseModel, ValidationError

from engine.core.errors import Move, Refused
from engine.core.schema import is_valid
from engine.shell.building import Unreadable
from engine.shell.models import MOST_TOKENS, Usage, late
from engine.shell.redact import Redactor, shield_logs
from engine.shell.strict_json import read_json

MOST_BYTES = 1_000_000
_SAID = 300
_HEADERS = frozenset(
    {
        "accept", "accept-encoding", "anthropic-version", "connection", "content-length",
        "content-type", "host", "user-agent", "x-api-key",
        "x-stainless-raw-response",  # by which the package knows that we read the body ourselves
    }
)  # fmt: skip
"""What may stand in the head of a request: nothing about this machine or its settings."""

_LATER = "Ask again later; without it nothing else changes."
_CHECK = "A person should look at HANDRAIL_MODEL_LABELS, HANDRAIL_MODEL_EXTRACT and the address."


class _Block(BaseModel):
    type: str
    text: str = ""


class _Tokens(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Answer(BaseModel):
    id: str = ""
    type: Literal["message"]
    model: str
    content: list[_Block]
    stop_reason: str | None
    usage: _Tokens


class Messages:
    """The service at one address, asked with one key."""

    def __init__(self, key: str, url: str, seconds: float, redactor: Redactor) -> None:
        line = httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(trust_env=False),  # the package reads proxies
            trust_env=False,
            follow_redirects=False,
            event_hooks={"request": [self._bared]},
        )
        self._key, self._seconds, self._redactor = key, seconds, redactor
        self._client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=url,
            max_retries=0,
            timeout=seconds,
            http_client=line,
            open_telemetry=False,
        )
        shield_logs("anthropic")
        logging.getLogger("anthropic").setLevel(logging.WARNING)  # at DEBUG it logs the question

    async def ask(
        self, model: str, system: str, words: str, schema: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Usage]:
        """The JSON that answers, which fits `schema`, and what it used. Raises Refused."""
        answer = _read(await self._sent(model, system, words, schema))
        taken = answer.usage
        tokens = sum(
            (
                taken.input_tokens,
                taken.cache_creation_input_tokens or 0,
                taken.cache_read_input_tokens or 0,
            )
        )
        usage = Usage(answer.model[:80], tokens, taken.output_tokens, answer.id[:80])
        return _value(answer, schema), usage

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def _sent(self, model: str, system: str, words: str, schema: Mapping[str, Any]) -> bytes:
        shape: dict[str, object] = anthropic.transform_schema(dict(schema))
        ask = self._client.messages.with_streaming_response.create
        try:
            async with ask(
                model=model,
                max_tokens=MOST_TOKENS,
                system=system,
                messages=[{"role": "user", "content": words}],
                output_config={"format": {"type": "json_schema", "schema": shape}},
            ) as answer:
                return await _body(answer.iter_bytes())
        except anthropic.APITimeoutError:
            raise late(self._seconds) from None
        except anthropic.APIStatusError as error:
            raise _by_status(error, self._redactor) from None
        except anthropic.APIConnectionError as error:
            raise _unreachable(error.__cause__ or error) from None

    async def _bared(self, request: httpx2.Request) -> None:
        for name in tuple(request.headers):
            if name.lower() not in _HEADERS:
                del request.headers[name]
        request.headers["x-api-key"] = self._key
        request.headers["host"] = request.url.netloc.decode("ascii")


async def _body(chunks: AsyncIterator[bytes]) -> bytes:
    read = bytearray()
    try:
        async for chunk in chunks:
            read += chunk
            if len(read) > MOST_BYTES:
                break
    except httpx2.HTTPError as error:  # the line broke, or the body is not what its head says
        raise _unreachable(error) from None
    if len(read) > MOST_BYTES:
        raise _bad("it is longer than any that was asked for")
    return bytes(read)


def _read(body: bytes) -> _Answer:
    try:
        return _Answer.model_validate_json(body)
    except ValidationError:
        raise _bad("it is no answer of the Messages API") from None


def _value(answer: _Answer, schema: Mapping[str, Any]) -> dict[str, Any]:
    if answer.stop_reason not in _ENDS:
        raise _unfinished(answer.stop_reason)
    text = "".join(block.text for block in answer.content if block.type == "text")
    try:
        value = read_json(text).value
    except Unreadable:
        raise _bad("it is not JSON") from None
    if not isinstance(value, dict) or not is_valid(schema, value):
        raise _bad("it does not fit the schema that it was given")
    return value


_ENDS = frozenset({"end_turn", "stop_sequence"})
_STOPS: Mapping[str, tuple[str, str, str]] = {
    "refusal": ("model_declined", "the language model declined to answer", "Go on without it."),
    "max_tokens": ("model_cut_off", "its answer was too long and was cut off", "Ask for less."),
    "model_context_window_exceeded": (
        "model_cut_off", "the question leaves no room for an answer", "Ask for less."
    ),
    "pause_turn": ("model_paused", "the language model paused before it had answered", _LATER),
}  # fmt: skip


def _unfinished(reason: str | None) -> Refused:
    if reason is None or reason not in _STOPS:
        return _bad("it ends in a way that nobody asked for")
    code, message, hint = _STOPS[reason]
    move = Move.OUTSIDE if code == "model_paused" else Move.CALLER
    return Refused(code, message, hint, move=move)


def _by_status(error: anthropic.APIStatusError, redactor: Redactor) -> Refused:
    status, said = error.status_code, redactor.text(str(error.api_message or ""))[:_SAID]
    details: dict[str, Any] = {"httpStatus": status, **({"said": said} if said else {})}
    if status == 429 or status == 529:
        wait = _seconds(error.response.headers.get("retry-after", ""))
        details |= {} if wait is None else {"retryAfter": wait}
        hint = (
            _LATER if wait is None else f"Ask again in {wait} s; without it nothing else changes."
        )
        message = "the service of the language model takes no more for now"
        return Refused("model_busy", message, hint, move=Move.CLOCK, details=details)
    if status in (401, 403):
        message = "the service of the language model does not take this key"
        hint = "A person should correct HANDRAIL_ANTHROPIC_KEY."
        return Refused("model_key", message, hint, move=Move.PERSON, details=details)
    if 400 <= status < 500 and status != 408:
        message = f"the service of the language model refused the question ({status})"
        return Refused("model_refused", message, _CHECK, move=Move.PERSON, details=details)
    if status < 400:
        message = "the service of the language model points elsewhere, and that is not followed"
        return Refused("model_refused", message, _CHECK, move=Move.PERSON, details=details)
    message = f"the service of the language model failed ({status})"
    return Refused("model_failed", message, _LATER, move=Move.OUTSIDE, details=details)


def _seconds(text: str) -> int | None:
    """What `retry-after` says, when it is a number of seconds and no longer than a day."""
    return (
        min(int(text), 86_400) if text.isascii() and text.isdecimal() and text[:9] == text else None
    )


def _unreachable(cause: BaseException) -> Refused:
    message = "the service of the language model cannot be reached"
    details = {"cause": type(cause).__name__}
    return Refused("model_unreachable", message, _LATER, move=Move.OUTSIDE, details=details)


def _bad(reason: str) -> Refused:
    message = f"the language model's answer cannot be used: {reason}"
    return Refused("model_answer", message, _LATER, move=Move.OUTSIDE)
