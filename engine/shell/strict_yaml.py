"""YAML as documents use it: plain data, said once, meaning what it looks like.

Values are built from the parser's events with our own limits; the library's composer and
constructor are never used, since the C composer can be crashed by a few kilobytes of brackets.
Refused: aliases and anchors, tags, merge keys, duplicate keys, keys that are not scalars. Plain
words follow the YAML 1.2 core rules, and a number with a leading zero stays text, so `no`,
`0777`, `12:30:45` and dates are the strings they look like.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from engine.shell.building import Builder, Unreadable

# The fast loader is there when the library was built with libyaml; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})\Z")
_BASED = re.compile(r"0(?:o[0-7]{1,99}|x[0-9a-fA-F]{1,99})\Z")
_LONG = re.compile(r"[-+]?[1-9][0-9]{100,}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_STRANGE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def read_yaml(text: str, first_line: int) -> Builder:
    """The one document in `text`, whose first line has the number `first_line`.

    Raises Unreadable; the builder is not `complete` when there is no document.
    """
    builder = Builder()
    try:
        for event in _events(text):
            _take(builder, event, first_line)
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text, first_line) from None
    except yaml.YAMLError as error:
        raise Unreadable("bad_yaml", f"this is not YAML: {error}", first_line) from None
    return builder


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _take(builder: Builder, event: Any, first_line: int) -> None:
    line = first_line + event.start_mark.line
    match event:
        case yaml.AliasEvent():
            raise Unreadable("alias", f"the alias *{event.anchor} is refused", line, _REPEAT)
        case yaml.ScalarEvent():
            _plain(event, line)
            _scalar(builder, event, line)
        case yaml.MappingStartEvent():
            _start(builder, event, {}, line)
        case yaml.SequenceStartEvent():
            _start(builder, event, [], line)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            builder.close()
        case yaml.DocumentStartEvent() if builder.complete:
            raise Unreadable("bad_yaml", "a second document begins without ---", line, "write ---")
        case yaml.DocumentStartEvent() if event.tags:
            raise Unreadable("tag", "%TAG is refused", line, "documents are plain data")
        case _:
            pass


_REPEAT = "write the value out where it is needed"


def _plain(event: Any, line: int) -> None:
    if event.anchor is not None:
        raise Unreadable("alias", f"the anchor &{event.anchor} is refused", line, _REPEAT)
    if event.tag is not None:
        hint = "documents are plain data; quote a value to make it a string"
        raise Unreadable("tag", f"the tag {event.tag[:60]} is refused", line, hint)


def _start(builder: Builder, event: Any, holder: dict[str, Any] | list[Any], line: int) -> None:
    _plain(event, line)
    if builder.wants_key:
        hint = "put quotes round a template: '{{input.id}}'"
        raise Unreadable("bad_key", "a key cannot be an object or a list", line, hint)
    builder.open(holder, line)


def _scalar(builder: Builder, event: Any, line: int) -> None:
    if not builder.wants_key:
        builder.scalar(resolve(event.value, line) if event.implicit[0] else event.value, line)
        return
    if event.implicit[0] and event.value == "<<":
        raise Unreadable("merge_key", "merge keys are refused", line, _REPEAT)
    builder.key(event.value, line)


def resolve(text: str, line: int = 0) -> str | int | float | bool | None:
    """What a plain word means. Raises Unreadable for numbers that JSON cannot carry.

    >>> resolve("no"), resolve("0777"), resolve("0o17"), resolve("1e3"), resolve("2026-01-01")
    ('no', '0777', 15, 1000.0, '2026-01-01')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _LONG.match(text) or _STRANGE.match(text):
        raise Unreadable("bad_number", f"{text[:40]} is not a usable number", line, "quote it")
    if _FLOAT.match(text):
        return _float(text, line)
    return text


def _float(text: str, line: int) -> float:
    number = float(text)
    if math.isinf(number):
        raise Unreadable("bad_number", f"{text[:40]} is too large a number", line, "quote it")
    return number


def _explained(error: yaml.MarkedYAMLError, text: str, first_line: int) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    at = mark.line if mark is not None else 0
    what = ", ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    line = lines[at] if at < len(lines) else ""
    return Unreadable("bad_yaml", f"this is not YAML: {what}", first_line + at, _advice(line, what))


def _advice(line: str, what: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not tabs"
    if re.search(r"(?:^|[:\-]\s+|\s)\$?\{", line):
        return "put quotes round a value that holds { or }: '{{input.id}}'"
    if "mapping values are not allowed" in what:
        return "put quotes round a value that holds a colon"
    return "check the indentation and quotes of this line and the one before"
