"""Version numbers of workflows: MAJOR.MINOR.PATCH, and which number a document gets.

A published version never changes (SEMANTICS section 1): the same content keeps its number, new
content gets a new one, and a declared number that already stands for other content is a clash
that only the author can resolve. Pre-releases and build labels do not exist here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SEMVER = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\Z")
FIRST = "1.0.0"
"""The version of the first document that declares none."""


@dataclass(frozen=True, slots=True, order=True)
class Semver:
    """A version number; numbers compare part by part.

    >>> Semver.parse("1.10.0") > Semver.parse("1.9.3")
    True
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Semver":
        """The number written as `text`. Raises ValueError for anything else."""
        found = _SEMVER.match(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is not a version such as 1.4.0")
        return cls(*(int(part) for part in found.groups()))

    def next_patch(self) -> "Semver":
        """The number of the next fix."""
        return Semver(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class VersionClash:
    """A document declares a version that was published with other content."""

    declared: str
    published_digest: str
    digest: str
    suggestion: str

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        return f"version {self.declared} was already published with other content"

    @property
    def hint(self) -> str:
        """What to do about it."""
        return f"bump the declared version, for example to {self.suggestion}"


def next_version(
    published: Sequence[tuple[str, str]], declared: str | None, digest: str
) -> str | VersionClash:
    """The version under which content with `digest` is known, or a clash.

    `published` holds (version, digest) pairs in any order; `declared` is what the document says.
    Raises ValueError when a version is malformed.

    >>> next_version([], None, "d1")
    '1.0.0'
    >>> next_version([("1.0.0", "d1")], None, "d2")
    '1.0.1'
    >>> next_version([("1.0.0", "d1"), ("1.0.1", "d2")], None, "d1")
    '1.0.0'
    >>> next_version([("2.0.0", "d1")], "2.0.0", "d2").hint
    'bump the declared version, for example to 2.0.1'
    """
    known = dict(published)
    numbers = sorted(Semver.parse(version) for version in known)
    if declared is None:
        same = [number for number in numbers if known[str(number)] == digest]
        return str(same[-1] if same else numbers[-1].next_patch() if numbers else FIRST)
    wanted = str(Semver.parse(declared))
    if known.get(wanted, digest) != digest:
        return VersionClash(wanted, known[wanted], digest, str(numbers[-1].next_patch()))
    return wanted
