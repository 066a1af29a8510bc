"""Text that other people wrote, made safe to show to a person.

Names, messages and outputs come from documents and from systems outside. Some characters
draw nothing, reorder what surrounds them or drive a terminal, so that a reader sees something
else than what is there. Here each of them is replaced by its visible code point (`<U+001B>`),
and nothing else changes. Whoever shows foreign text, a terminal, a page, a protocol or the plan of
an approval, comes here first; where the text goes and how it is laid out is not known here.
"""

import re
import unicodedata
from functools import lru_cache

MOST_MARKS = 8
"""Combining marks kept on one letter; more than that is no script but a disguise."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_LINES = re.compile(r"\r\n?")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def visible(text: str, *, lines: bool = False) -> str:
    r"""`text` with every character that hides or moves something shown as its code point.

    A run of the same character is counted instead of repeated. With `lines`, line feeds stay,
    carriage returns become line feeds and a tab becomes spaces. (TRUST.md 1.6, the renderer.)

    >>> visible("plain text, déjà vu")
    'plain text, déjà vu'
    >>> visible("\x1b[2Jgone")
    '<U+001B>[2Jgone'
    >>> visible("pay \u202e001\u200b\u200b\u200b")
    'pay <U+202E>001<U+200B x3>'
    >>> visible("one\r\ntwo\tthree", lines=True)
    'one\ntwo    three'
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = _LINES.sub("\n", text).replace("\t", "    ")
    kept = "\n" if lines else ""
    suspects = "".join(sorted(char for char in set(text) if char not in kept and _hides(char)))
    if suspects:
        runs = re.compile("([" + re.escape(suspects) + r"])\1*")
        text = runs.sub(lambda found: _shown(found[1], len(found[0])), text)
    return text if text.isascii() else _without_towers(text)


@lru_cache(maxsize=4096)
def _hides(char: str) -> bool:
    if char == " ":
        return False
    if unicodedata.category(char) in _HIDDEN or char in _BLANK_LETTERS:
        return True
    return any(ord(char) in selectors for selectors in _SELECTORS)


def _shown(char: str, count: int) -> str:
    times = f" x{count}" if count > 1 else ""
    return f"<U+{ord(char):04X}{times}>"


def _without_towers(text: str) -> str:
    """Marks beyond `MOST_MARKS` on one letter are counted: they would cover the lines around."""
    if not any(map(_stacks, set(_NOT_ASCII.findall(text)))):
        return text
    out: list[str] = []
    height = dropped = 0
    for char in text:
        if not _stacks(char):
            out += [f"<+{dropped} marks>"] if dropped else []
            height = dropped = 0
        elif height == MOST_MARKS:
            dropped += 1
            continue
        else:
            height += 1
        out.append(char)
    return "".join([*out, f"<+{dropped} marks>"] if dropped else out)


def _stacks(char: str) -> bool:
    """Whether it is drawn on the letter before it; many such marks have no combining class."""
    return unicodedata.category(char)[0] == "M"
