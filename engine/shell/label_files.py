"""The file of people that declares categories and protected labels: `categories.yaml`.

Read strictly and read again when it changed, like the policy, and refused in the same places: an
assistant with a file tool could write there. Labels that the policy's rules rely on are protected
without being declared. Where there is no file, nothing is declared.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine.core.errors import Failure, Kind
from engine.core.labels.declared import Declared, declared_of
from engine.core.views import Problem
from engine.shell.load import load_file
from engine.shell.policies import PolicyFile, mark_of, unsafe

NAME = "categories.yaml"


class LabelFile:
    """What is declared of labels now. `current()` never raises: what is broken forbids changes.

    `path` is a file that was named; else the one in `home` counts.
    """

    def __init__(
        self, path: Path | None, home: Path, policy: PolicyFile, folders: Iterable[Path] = ()
    ) -> None:
        self.path = path or home / NAME
        self._named, self._policy, self._folders = path is not None, policy, tuple(folders)
        self._seen: tuple[object, ...] | None = ()
        self._declared = Declared()
        self.problems: tuple[Problem, ...] = ()

    def current(self) -> Declared:
        """What is declared as the file is on disk now."""
        seen = mark_of(self.path)
        if seen is None and not self._named:
            self._declared, self.problems = Declared(), ()
        elif seen is None or seen != self._seen:
            self._declared, self.problems = _read(self.path, self._folders)
        self._seen = seen
        relied = self._relied_on()
        return replace(self._declared, protected=(*self._declared.protected, *relied))

    def guards(self, label: str) -> bool:
        """Whether only a person may set a label now; a file that is broken guards nothing."""
        declared = self.current()
        return declared.trouble is None and declared.is_protected(label)

    def _relied_on(self) -> list[str]:
        """The labels that rules of the policy look at."""
        found: set[str] = set()
        for rule in self._policy.current().rules:
            for name, wanted in rule.when:
                if name == "label" and isinstance(wanted, frozenset):
                    found |= {word for word in wanted if "*" not in word and "?" not in word}
        return sorted(found)


def _read(path: Path, folders: Iterable[Path]) -> tuple[Declared, tuple[Problem, ...]]:
    trouble = unsafe(path, folders, "a file of categories")
    loaded = None if trouble is not None else load_file(path)
    problems = (trouble,) if trouble is not None else loaded.problems if loaded else ()
    if loaded is not None and not problems:
        if len(loaded.documents) == 1:
            declared, problems = declared_of(loaded.documents[0])
            if not problems:
                return declared, ()
        else:
            message = "it holds exactly one document"
            problems = (Problem(str(path), 0, "", "error", "empty", message, ""),)
    return Declared(trouble=_trouble(problems[0])), problems


def _trouble(problem: Problem) -> Failure:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return Failure(Kind.VALIDATION, "labels_broken", f"{place}: {problem.message}", problem.hint)
