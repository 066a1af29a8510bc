"""From text to tokens, one at a time, so that an expression may end in the middle of a text.

Knows no grammar. A name may contain `-` between letters, which is why a minus between names
needs spaces. Numbers are JSON numbers. Texts stand in single or double quotes.
"""

import math
import re
from typing import Literal, NamedTuple

from engine.core.expr.limits import SOURCE_LIMIT
from engine.core.expr.trouble import ExpressionError

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*(?:-\w+)*)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<open>\$?\{\{)
    |(?P<op>\|\||&&|==|!=|<=|>=|[<>!+\-*/%()\[\]{},.:?|$@])
    )""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t\r\n]*")
_MEMBER = re.compile(r"\$?\w+(?:-\w+)*")
_MEMBERS = re.compile(r"(?:\.\$?\w+(?:-\w+)*)+(?![\w-])(?![ \t\r\n]*\()")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ITSELF = "\\/'\"{}$"

Kind = Literal["number", "name", "string", "open", "op", "end"]

_WRONG = {
    "=": "compare with `==`",
    "&": "write `&&`",
    "^": "there is no `^`",
    "~": "there is no `~`; use `matches(text, pattern)`",
    ";": "write one expression",
    "`": "write texts in single or double quotes",
    "\u201c": "use straight quotes",
    "\u2018": "use straight quotes",
    "'": "the text has no closing quote",
    '"': "the text has no closing quote",
    "}": "",
}


class Token(NamedTuple):
    """One word of the language. `text` is as written; `start` and `end` are offsets."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_op(self, text: str) -> bool:
        """Whether this is the operator or bracket `text`."""
        return self.kind == "op" and self.text == text


class Lexer:
    """Reads tokens from `text`, beginning at `start`. `token` is the one being looked at.

    `count` is how many were read.
    """

    def __init__(self, text: str, start: int = 0) -> None:
        self.text = text
        self.start = start
        self.count = 0
        self.token = Token("op", "", start, start)
        self.advance()

    def advance(self) -> Token:
        """Move on; returns the token that was current before."""
        before = self.token
        self.token = self._read(before.end)
        return before

    def member(self) -> Token:
        """Read the name straight after the current token (a dot) and move past it."""
        at = self.token.end
        match = _MEMBER.match(self.text, at)
        if match is None:
            raise ExpressionError(
                "a name must follow the dot", at, "for other keys write `['any key']`"
            )
        if match.group().isdigit():
            hint = f"write `[{match.group()}]` for an element of an array"
            raise ExpressionError("a name must follow the dot", at, hint)
        self.token = Token("name", match.group(), at, match.end())
        return self.advance()

    def members(self) -> list[str]:
        """Read `.a.b.c` from the current token (a dot) on, in one look, and move past it.

        Nothing is read where anything is unusual about it; `member` explains what.
        """
        match = _MEMBERS.match(self.text, self.token.start)
        if match is None:
            return []
        names = match.group()[1:].split(".")
        if any(map(str.isdigit, names)):
            return []
        self.token = self._read(match.end())
        return names

    def _read(self, position: int) -> Token:
        self.count += 1
        match = _TOKEN.match(self.text, position)
        if match is None:
            blank = _BLANK.match(self.text, position)
            return self._other(blank.end() if blank else position)
        group = match.lastgroup
        at, end = match.span(group or 0)
        if at - self.start > SOURCE_LIMIT:
            raise _too_long(self.start)  # also after a last token that is too long
        return Token(_kind(group), self.text[at:end], at, end)

    def _other(self, at: int) -> Token:
        if at - self.start > SOURCE_LIMIT:
            raise _too_long(self.start)
        if at >= len(self.text):
            return Token("end", "", at, at)
        character = self.text[at]
        hint = _WRONG.get(character, "")
        raise ExpressionError(f"unexpected {character!r}", at, hint)


def _kind(group: str | None) -> Kind:
    match group:
        case "number" | "name" | "string" | "open":
            return group
        case _:
            return "op"


def _too_long(start: int) -> ExpressionError:
    return ExpressionError(
        f"the expression is longer than {SOURCE_LIMIT:,} characters",
        start,
        "split it into several steps or fields",
    )


def number(token: Token) -> int | float:
    """The value of a number token. Whole numbers have no bound, others must be finite."""
    text = token.text
    if len(text) > 1 and text[0] == "0" and text[1].isdigit():
        raise ExpressionError("a number cannot begin with 0", token.start, "leave the zero out")
    if text.isdigit():
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ExpressionError("the number is too large", token.start)
    return value


def string(token: Token) -> str:
    r"""The value of a string token, its escapes read as in JSON, `\'` besides."""
    body = token.text[1:-1]
    if "\\" not in body:
        return body
    text = _ESCAPE.sub(lambda match: _unescape(match.group(1), token.start), body)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("half of a surrogate pair", token.start) from None


def _unescape(escape: str, at: int) -> str:
    if len(escape) == 5:
        return chr(int(escape[1:], 16))
    if escape in _ITSELF:
        return escape
    if escape in _ESCAPES:
        return _ESCAPES[escape]
    hint = "write `\\\\` for a backslash"
    raise ExpressionError(f"there is no escape \\{escape}", at, hint)
