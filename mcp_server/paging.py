"""Pages of lists that lie in memory, and the cursor between them.

A cursor names the last item shown and carries a digest over the list and its filters, so that a
cursor that was changed, cut, or belongs to another list is refused instead of giving a wrong page.
It is no secret: whoever can call can list.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from engine import Refused

T = TypeVar("T")

_DIGEST = 6


def page(
    items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str, about: tuple[str, ...]
) -> tuple[Sequence[T], str]:
    """The items after the cursor, at most `limit`, and the next cursor or "".

    `items` are sorted by `key`; `about` names the list and its filters. Raises Refused
    `invalid_cursor`.
    """
    after = _read(cursor, about) if cursor else None
    rest = items if after is None else [item for item in items if key(item) > after]
    shown = rest[:limit]
    return shown, _write(key(shown[-1]), about) if len(rest) > limit else ""


def _write(last: str, about: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(_digest(last, about) + last.encode()).decode().rstrip("=")


def _read(cursor: str, about: tuple[str, ...]) -> str:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last = raw[_DIGEST:].decode()
    except (ValueError, binascii.Error):
        raise _refusal() from None
    if _write(last, about) != cursor:
        raise _refusal()
    return last


def _digest(last: str, about: tuple[str, ...]) -> bytes:
    return hashlib.sha256(json.dumps([last, *about]).encode()).digest()[:_DIGEST]


def _refusal() -> Refused:
    return Refused(
        "invalid_cursor",
        "this cursor does not belong to this list",
        "Pass nextCursor unchanged, with the same filters; leave it out for the first page.",
    )
