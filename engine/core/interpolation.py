"""How a value becomes part of a text: plain, or as JSON where the text is JSON.

A text such as `{"message": "Order {{input.id}}"}` is meant to be JSON whatever `input.id`
holds. Put in as plain text, a quote in the value would end the JSON text early and let the
value write fields of its own. So, where the text is JSON once every expression in it is taken
for a value, a value between quotes is escaped for there, and one outside quotes is encoded.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from engine.core.expr import Expr
from engine.core.expr.tree import Call
from engine.core.expr.values import to_json, to_text

ToText = Callable[[Any], str]

_JSON_START = re.compile(r'\s*(\{|\[\s*[\[{"])')
_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_LONGEST = 65_536


def to_texts(parts: Sequence[str | Expr]) -> Iterator[ToText]:
    """For each expression among the parts of a text, how its value is put into the text."""
    is_json = _is_json(parts)
    quoted = False
    for part in parts:
        if isinstance(part, str):
            quoted ^= _toggles(part)
        elif not is_json:
            yield to_text
        elif quoted:
            yield _between_quotes
        else:
            yield to_text if _gives_json(part) else to_json


def _is_json(parts: Sequence[str | Expr]) -> bool:
    first = parts[0]
    if not isinstance(first, str) or not _JSON_START.match(first):
        return False
    sample, quoted = "", False
    for part in parts:
        if isinstance(part, str):
            sample += part
            quoted ^= _toggles(part)
        else:
            sample += "x" if quoted else "0"
    try:
        json.loads(sample[:_LONGEST])
    except (ValueError, RecursionError):
        return False
    return True


def _toggles(literal: str) -> bool:
    """Whether an odd number of unescaped quotes is in the literal."""
    return sum(match.group() == '"' for match in _QUOTES.finditer(literal)) % 2 == 1


def _gives_json(expr: Expr) -> bool:
    return isinstance(expr.node, Call) and expr.node.name == "toJson"


def _between_quotes(value: Any) -> str:
    return encode_basestring(to_text(value))[1:-1]
