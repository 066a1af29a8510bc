"""JSON at the edge of the protocol: what the SDK would take too kindly is refused here.

Its parsers let the last of two equal keys win, take NaN, and go as deep as the stack. Here a
message is held against the limits of TRUST.md 4.6 before anybody acts on it. Nothing is changed:
a message that passes goes on byte for byte.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MEDIA = b"application/json"
DEEPEST = 64
MOST_KEYS = 10_000
LONGEST_TEXT = 256 * 1024
LARGEST = 1024 * 1024
"""Bytes of one message."""
MOST_DIGITS = 400

PARSE_ERROR = -32700
INVALID_REQUEST = -32600

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message is not let in. `id` is the request's, as far as it could be read."""

    code: int
    message: str
    id: str | int | None = None

    def body(self) -> bytes:
        """The JSON-RPC error that answers it."""
        error = {"code": self.code, "message": self.message}
        return json.dumps({"jsonrpc": "2.0", "id": self.id, "error": error}).encode()


class _Wrong(Exception):
    """A rule is broken inside the value."""


def fault(body: bytes) -> Fault | None:
    """What is wrong with a message, or None.

    >>> fault(b'{"id": 7, "method": "x"}')
    >>> fault(b'{"a": 1, "a": 2}').message
    'the key "a" is there twice'
    """
    return read(body)[1]


def read(body: bytes) -> tuple[Any, Fault | None]:
    """The message, and what is wrong with it; a message with a fault is not to be used."""
    if len(body) > LARGEST:
        return None, Fault(INVALID_REQUEST, f"the message is larger than {LARGEST:,} bytes")
    reader = _Reader()
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=reader.object, parse_constant=reader.constant,
            parse_float=reader.number, parse_int=reader.whole,
        )  # fmt: skip
    except UnicodeDecodeError:
        return None, Fault(PARSE_ERROR, "the message is not UTF-8")
    except json.JSONDecodeError as error:
        return None, Fault(PARSE_ERROR, f"the message is not JSON: {error.msg} at {error.pos}")
    except RecursionError:
        return None, Fault(INVALID_REQUEST, f"the message is nested deeper than {DEEPEST}")
    return value, _judged(body, value, reader)


def _judged(body: bytes, value: Any, reader: "_Reader") -> Fault | None:
    wrong = reader.wrong or _too_much(body, value)
    if not wrong and not isinstance(value, dict):
        wrong = "the message is no JSON object; several at once are not taken"
    if not wrong:
        return None
    found = value.get("id") if isinstance(value, dict) else None
    known = isinstance(found, (str, int)) and not isinstance(found, bool)
    return Fault(INVALID_REQUEST, wrong, found if known and found is not None else None)


def _too_much(body: bytes, value: Any) -> str:
    """The limits that need a second look, taken only where the bytes allow a breach at all."""
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        return f"the message is nested deeper than {DEEPEST}"
    if len(body) > LONGEST_TEXT and any(len(text) > LONGEST_TEXT for text in _texts(value)):
        return f"a text is longer than {LONGEST_TEXT:,} characters"
    if _SURROGATE.search(body) and not all(_encodes(text) for text in _texts(value)):
        return "a text contains half of a surrogate pair"
    return ""


class _Reader:
    """Builds the value and remembers the first thing that is wrong with it."""

    def __init__(self) -> None:
        self.wrong = ""
        self._keys = 0

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self._keys += len(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            self.wrong = self.wrong or f"the key {json.dumps(twice[:60])} is there twice"
        elif self._keys > MOST_KEYS:
            self.wrong = self.wrong or f"the message has more than {MOST_KEYS:,} keys"
        return made

    def constant(self, word: str) -> None:
        self.wrong = self.wrong or f"{word} is not JSON"

    def number(self, digits: str) -> float:
        value = float(digits) if len(digits) <= MOST_DIGITS else float("inf")
        if value in (float("inf"), float("-inf")):
            self.wrong = self.wrong or "a number is too large"
        return value

    def whole(self, digits: str) -> int:
        if len(digits) <= MOST_DIGITS:
            return int(digits)
        self.wrong = self.wrong or f"a number has more than {MOST_DIGITS} digits"
        return 0


def _depth(value: Any) -> int:
    """How many objects and arrays lie within each other; counting stops past the limit."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        if depth > DEEPEST:
            break
        level = [child for each in level for child in _children(each)]
    return depth


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from each
        left += _children(each)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
