"""The policy file: read strictly, read again when it changed, and never guessed.

The file belongs to people. It is looked at before every decision, so a rule that was added counts
at once; one that cannot be read forbids every change until a person has corrected it. A file that
everybody on this machine may write, or that lies in a folder of documents, is refused like one
that is broken: an assistant with a file tool could write it. Where there is none, the one that
comes with the engine counts.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from engine.core.approval.policy import STRICT, Policy, broken, revision
from engine.core.approval.rules import policy_of, trouble_of
from engine.core.views import Problem
from engine.shell.load import load_file

NAME = "policy.yaml"
SHIPPED = Path(__file__).parent / NAME


class PolicyFile:
    """The policy of one engine. `current()` never raises: what cannot be used forbids changes.

    `path` is a file that was named; else the one in `home` counts, else the shipped one.
    `folders` are those of the documents.
    """

    def __init__(self, path: Path | None, home: Path, folders: Iterable[Path] = ()) -> None:
        self._named, self._own = path, home / NAME
        self._folders = tuple(folders)
        self._seen: tuple[object, ...] | None = None
        self._policy, self._name = STRICT, ""
        self.problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> Path:
        """The file that counts now."""
        if self._named is not None:
            return self._named
        return self._own if os.path.lexists(self._own) else SHIPPED

    def current(self) -> Policy:
        """The policy as it is on disk now."""
        return self.named()[0]

    def named(self) -> tuple[Policy, str]:
        """The policy as it is on disk now, and what it is called."""
        path = self.path
        mark = mark_of(path)
        if mark is None or mark != self._seen:
            folders = () if path == SHIPPED else self._folders
            self._policy, self.problems = read_policy(path, folders)
            self._seen, self._name = mark, revision(self._policy)
        return self._policy, self._name

    @property
    def revision(self) -> str:
        """What the policy is called now."""
        return self.named()[1]


def read_policy(path: Path, folders: Iterable[Path] = ()) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy in a file and its problems; with a problem it forbids every change."""
    found = unsafe(path, folders)
    if found is not None:
        return broken(trouble_of(found)), (found,)
    loaded = load_file(path)
    if loaded.problems:
        return broken(trouble_of(loaded.problems[0])), loaded.problems
    if len(loaded.documents) != 1:
        problem = _problem(path, "empty", "a policy file holds exactly one document")
        return broken(trouble_of(problem)), (problem,)
    return policy_of(loaded.documents[0])


def mark_of(path: Path) -> tuple[object, ...] | None:
    """What changes when a file does; None when there is none."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_mode


def unsafe(path: Path, folders: Iterable[Path], what: str = "a policy") -> Problem | None:
    """Why what people decide must not be read from a file: an assistant could write there."""
    real = path.resolve()
    for folder in folders:
        if real.is_relative_to(folder.resolve()):
            message = f"{what} may not lie in a folder of documents: assistants may write there"
            return _problem(path, "unsafe_place", message, "move it beside the database")
    try:
        mode = path.stat().st_mode if path != SHIPPED else 0
    except OSError:
        return None  # whoever reads it says why it cannot be read
    if os.name == "posix" and mode & stat.S_IWOTH:
        message = "everybody on this machine may write this file"
        return _problem(path, "unsafe_mode", message, f"chmod o-w {path}")
    return None


def _problem(path: Path, code: str, message: str, hint: str = "") -> Problem:
    return Problem(str(path), 0, "", "error", code, message, hint)
