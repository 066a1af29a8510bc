"""A document as it was read, and the report in which its problems are written down.

A document that is wrong is never an exception: each reader writes what it found into the
`Report` and goes on with a harmless stand-in, so that one look shows every problem. A path is
written as a person would write it: `spec.tasks[2].input`, `metadata.labels['a/b']`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any

from engine.core.views import Problem, Severity
from engine.core.words import MOST_OPTIONS, did_you_mean, shorten

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_TOKEN = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\['((?:[^'\\]|\\.)*)'\]")
_LONGEST_KEY = 80
MOST_PROBLEMS = 1_000
"""Of one document; the rest is counted."""

MOST_COMPARISONS = 20_000
"""Of words, when looking for what an author may have meant."""


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One document of a file. `index` counts the documents of the file from 0.

    `lines` maps a path to its line, counted from 1; the path of the whole document is "".
    """

    file: str
    index: int
    value: Any
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def join(path: str, key: str | int) -> str:
    """The path of a child.

    >>> join(join("spec", "tasks"), 2), join("labels", "a/b"), join("", "kind")
    ('spec.tasks[2]', "labels['a/b']", 'kind')
    """
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _is_plain(key):
        return f"{path}.{key}" if path else key
    quoted = shorten(key, _LONGEST_KEY).replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{quoted}']"


def inside(path: str, inner: str) -> str:
    """The path of a place that is known by its path inside `path`.

    >>> inside("spec.output", "a[0]"), inside("spec.output", "[0]"), inside("spec.output", "")
    ('spec.output.a[0]', 'spec.output[0]', 'spec.output')
    """
    return f"{path}{inner}" if not inner or inner.startswith("[") else f"{path}.{inner}"


@lru_cache(maxsize=4_096)
def _is_plain(key: str) -> bool:
    return _PLAIN.match(key) is not None


def split(path: str) -> tuple[str | int, ...]:
    """The keys of a path, outermost first; what is not a path ends the list.

    >>> split("spec.tasks[2].labels['a/b']")
    ('spec', 'tasks', 2, 'labels', 'a/b')
    """
    keys: list[str | int] = []
    at = 0
    while found := _TOKEN.match(path, at):
        name, number, quoted = found.groups()
        if number is not None:
            keys.append(int(number))
        else:
            keys.append(name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
        at = found.end()
    return tuple(keys)


def parent(path: str) -> str:
    """The path one level up; the parent of a top-level key is "".

    >>> parent("spec.tasks[2]"), parent("spec")
    ('spec.tasks', '')
    """
    last = 0
    at = 0
    while found := _TOKEN.match(path, at):
        last, at = at, found.end()
    return path[:last]


class Report:
    """The problems of one document. `subject` is filled in once the name is known.

    `places` is where templates keep what they found when they had to look for a mistake.
    """

    def __init__(self, raw: RawDocument) -> None:
        self.raw = raw
        self.subject = ""
        self.errors = 0
        self.expressions = 0
        self.places: dict[int, tuple[Any, Mapping[Any, str]]] = {}
        self._hidden = 0
        self._found: list[Problem] = []
        self._comparisons = MOST_COMPARISONS

    @property
    def failed(self) -> bool:
        """Whether the document cannot be used."""
        return self.errors > 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything written down so far, in order of discovery."""
        if not self._hidden:
            return tuple(self._found)
        message = f"{self._hidden:,} more problems are not shown"
        file, severity = self.raw.file, self._found[-1].severity
        line = max(problem.line for problem in self._found)
        last = Problem(file, line, "", severity, "too_many", message, "", self.subject)
        return (*self._found, last)

    def error(self, path: str, code: str, message: str, hint: str = "") -> None:
        """The document cannot be used."""
        self.errors += 1
        self._add("error", path, code, message, hint)

    def warn(self, path: str, code: str, message: str, hint: str = "") -> None:
        """The document works, but probably not as its author thinks."""
        self._add("warning", path, code, message, hint)

    def nearest(self, word: str, options: Iterable[str]) -> str:
        """A hint with the nearest of some options, "" when none is near.

        Looking is slow, and a document may hold twenty thousand mistakes: after so many
        comparisons nobody is looked for any more.
        """
        among = list(islice(options, MOST_OPTIONS))
        self._comparisons -= len(among)
        return did_you_mean(word, among) if self._comparisons >= 0 else ""

    def line(self, path: str) -> int:
        """The line of `path`, or of its nearest known ancestor; 0 when nothing is known."""
        lines = self.raw.lines
        while path and path not in lines:
            path = parent(path)
        return lines.get(path, 0)

    def _add(self, severity: Severity, path: str, code: str, message: str, hint: str) -> None:
        if len(self._found) >= MOST_PROBLEMS:
            self._hidden += 1
            return
        line = self.line(path)
        self._found.append(
            Problem(self.raw.file, line, path, severity, code, message, hint, self.subject)
        )
