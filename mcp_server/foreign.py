r"""Text from outside, made fit for a text block that an assistant reads and a host renders.

Descriptions, outputs and error messages are data, never instructions and never markup: what
hides is shown (`text.visible`), a link, an image or a tag can no longer be followed or loaded
by whoever renders the block as Markdown, and what is long is cut with the number of characters
left out. JSON stays JSON: it is disarmed with its own `\u` escapes and reads back unchanged.
"""

import json
import re
from typing import Any

from mcp_server.text import visible

LINE = 400
"""Characters kept of a description or a message inside a line."""
BLOCK = 12_000
"""Characters kept of a JSON value inside a text block: about 3,000 tokens."""
INLINE = 60_000
"""The longest JSON text of a value that is put into a structured result."""

_MARKUP = re.compile(r"\]\(|\]\[|\]:|!\[|<(?=[A-Za-z/!?])|`{3,}|~{3,}")
_JSON_HIDDEN = re.compile(
    "[\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def plain(text: str, limit: int = LINE) -> str:
    r"""One line of foreign text: nothing hidden, nothing that Markdown would act on.

    >>> plain("see ![x](http://e.example/?d=1)\nnow")
    'see !\\[x]\\(http://e.example/?d=1) now'
    >>> plain("a" * 12, limit=10)
    'aaaaaaaaaa… (+2 characters)'
    """
    line = " ".join(cut(text, limit).split())
    return _MARKUP.sub(_disarmed, visible(line))


def message(text: str, limit: int = 2_000) -> str:
    """Foreign text for a structured field: nothing hidden, bounded; Markdown is left alone."""
    return visible(cut(text, limit), lines=True)


def cut(text: str, limit: int) -> str:
    """`text`, or its beginning and how many characters were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… (+{len(text) - limit:,} characters)"


def dumped(value: Any) -> str:
    r"""Compact JSON of any engine value, disarmed for a text block; it parses to the same value.

    >>> dumped({"a": "![x](http://e.example)", "b": "\u202e"})
    '{"a":"!\\u005bx]\\u0028http://e.example)","b":"\\u202e"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain_value)
    if "](" in text or "<" in text or "![" in text or "```" in text:
        text = _json_disarmed(text)
    return text if text.isascii() else _JSON_HIDDEN.sub(_json_escape, text)


def fenced(text: str, limit: int = BLOCK) -> str:
    """JSON text in a code fence, cut when it is long. `text` comes from `dumped`."""
    return f"```json\n{cut(text, limit)}\n```"


def _disarmed(found: re.Match[str]) -> str:
    mark = found[0]
    if mark[0] in "`~":
        return " ".join(mark)
    return f"\\{mark}" if mark == "<" else f"{mark[0]}\\{mark[1]}"


def _json_disarmed(text: str) -> str:
    # `](`, `![` and a fence occur in JSON text only inside strings: outside of them a bracket is
    # followed by a comma, a closing bracket or the end. So the escapes keep the value.
    text = text.replace("](", "]\\u0028").replace("![", "!\\u005b")
    return text.replace("<", "\\u003c").replace("```", "\\u0060\\u0060\\u0060")


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _plain_value(value: Any) -> Any:
    """Read-only mappings and sequences of the engine, as JSON knows them."""
    if hasattr(value, "items"):
        return dict(value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return list(value) if hasattr(value, "__iter__") else str(value)
