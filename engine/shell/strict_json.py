"""JSON as documents use it: strictly the standard, no key twice, no NaN, nothing too deep.

The library checks the grammar; a second pass over the tokens builds the value within the limits
and remembers the lines, which the library does not tell.
"""

import json
import math
import re
from typing import Any

from engine.shell.building import Builder, Unreadable

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s{}\[\],:"]+|\n')
_LONGEST_NUMBER = 400


def read_json(text: str) -> Builder:
    """The value in `text`. Raises Unreadable."""
    _check_grammar(text)
    builder = Builder()
    line = 1
    for token in _TOKEN.findall(text):
        if token == "\n":
            line += 1
        else:
            _take(builder, token, line)
    return builder


def _check_grammar(text: str) -> None:
    try:
        json.loads(text, parse_constant=_refuse, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        raise Unreadable("bad_json", f"this is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise Unreadable("too_deep", "the document is far too deep", 1) from None


def _refuse(word: str) -> Any:
    raise Unreadable("bad_number", f"{word} is not JSON", 1, "write null, or quote it")


def _take(builder: Builder, token: str, line: int) -> None:
    match token[0]:
        case "{":
            builder.open({}, line)
        case "[":
            builder.open([], line)
        case "}" | "]":
            builder.close()
        case '"' if builder.wants_key:
            builder.key(json.loads(token), line)
        case _:
            builder.scalar(_scalar(token, line), line)


def _scalar(token: str, line: int) -> str | int | float | bool | None:
    if len(token) > _LONGEST_NUMBER and token[0] != '"':
        raise Unreadable("bad_number", f"{token[:40]} has too many digits", line, "quote it")
    value: str | int | float | bool | None = json.loads(token)
    if isinstance(value, float) and math.isinf(value):
        raise Unreadable("bad_number", f"{token[:40]} is too large a number", line, "quote it")
    return value
