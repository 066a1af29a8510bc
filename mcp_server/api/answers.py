"""Answers of the HTTP API: facts as JSON, and for every refusal the status that HTTP has for it.

The status follows from the refusal's code, or from whose move it is, and never from its words.
What is said is what a tool would say, secrets masked.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from engine import Move, Refused
from mcp_server import wire
from mcp_server.gate import masked

if TYPE_CHECKING:
    from engine.core.approval.views import ApprovalView

_BY_CODE: Mapping[str, int] = {
    "unauthenticated": 401,
    "insufficient_scope": 403,
    "not_yours": 403,
    "too_large": 413,
    "unsupported_media_type": 415,
    "too_slow": 408,
    "rate_limited": 429,
    "too_many_pending": 429,
    "internal": 500,
}
_BY_BEGINNING: tuple[tuple[str, int], ...] = (
    ("unknown_", 404),
    ("invalid_", 400),
    ("bad_", 400),
    ("ambiguous_", 409),
    ("already_", 409),
    ("database_", 503),
    ("engine_", 503),
)
_BY_MOVE: Mapping[Move, int] = {
    Move.CALLER: 422,
    Move.PERSON: 409,
    Move.CLOCK: 503,
    Move.ENGINE: 503,
    Move.OUTSIDE: 503,
    Move.NONE: 409,
}
_TOLD = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def status(refused: Refused) -> int:
    """The HTTP status of a refusal.

    >>> status(Refused("unknown_workflow", "there is none"))
    404
    """
    known = _BY_CODE.get(refused.code)
    if known is not None:
        return known
    for beginning, number in _BY_BEGINNING:
        if refused.code.startswith(beginning):
            return number
    return _BY_MOVE[refused.move]


def answer(facts: Mapping[str, Any], number: int = 200, **headers: str) -> Response:
    """Facts as JSON."""
    text = json.dumps(masked(dict(facts)), ensure_ascii=False, separators=(",", ":"))
    return Response(text, number, {**_TOLD, **headers}, "application/json")


def refusal(refused: Refused, **headers: str) -> Response:
    """A refusal, with the status that belongs to it."""
    return answer(wire.refused(refused), status(refused), **headers)


def gated(view: "ApprovalView", link: str) -> Response:
    """202: nothing has changed, and a person is asked."""
    return answer(wire.approval(view, link), 202)
