"""The cursor between two pages of a list that is sorted by namespace and name.

A cursor names the last item shown and carries a digest over the list and its filters, so that a
cursor that was changed, cut, or belongs to another list is refused instead of giving a wrong page.
It is no secret: whoever can call can list.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Protocol

from engine import Refused


class Named(Protocol):
    """Something with a name in a namespace."""

    @property
    def namespace(self) -> str:
        """Its namespace."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...


_DIGEST = 6
FIRST = ("", "")
"""What stands before the first page."""


def behind(cursor: str, about: tuple[str, ...]) -> tuple[str, str]:
    """The namespace and name that the page before ended with, empty for the first page.

    `about` names the list and its filters. Raises Refused `invalid_cursor`.
    """
    namespace, _, name = (_read(cursor, about) if cursor else "").partition("\0")
    return namespace, name


def onward(shown: Sequence[Named], limit: int, about: tuple[str, ...]) -> str:
    """The cursor of the page after the first `limit` that are shown, "" when there is no more."""
    if len(shown) <= limit:
        return ""
    last = shown[limit - 1]
    return cursor(last.namespace, last.name, about)


def cursor(namespace: str, name: str, about: tuple[str, ...]) -> str:
    """The cursor of the page behind a name."""
    return _write(f"{namespace}\0{name}", about)


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
