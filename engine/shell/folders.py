"""The document files of some folders as they are on disk, without what is in them."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from engine.core.expr import parser
from engine.core.model import Effect
from engine.core.views import Problem
from engine.shell.load import MOST_FILES, document_files

Functions = Mapping[str, Effect]


class Folders:
    """The document files of some folders as they are on disk now."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.files: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.bytes = 0
        for folder in folders:
            self._look(folder)

    def _look(self, folder: Path) -> None:
        if not folder.is_dir():
            hint = "create it, or name another folder"
            self._wrong(folder, "no_folder", "there is no such folder", hint)
            return
        for number, file in enumerate(document_files(folder)):
            if number == MOST_FILES:
                message = f"a folder may hold at most {MOST_FILES:,} documents files"
                self._wrong(folder, "too_many", message, "")
                return
            try:
                seen = os.stat(file)
            except OSError:
                mark = "gone"
            else:
                mark = f"{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}"
                self.bytes += seen.st_size
            self.files.setdefault(str(file), mark)

    def _wrong(self, folder: Path, code: str, message: str, hint: str) -> None:
        self.problems.append(Problem(str(folder), 0, "", "error", code, message, hint))

    @property
    def mark(self) -> str:
        """A short text that changes when a file does."""
        state = hashlib.sha256()
        for path, mark in self.files.items():
            state.update(f"{path}\0{mark}\0".encode(errors="replace"))
        return state.hexdigest() + "".join(problem.code for problem in self.problems)


LARGE = 1_000_000
"""Bytes of documents above which what was read of them is kept in a file."""


def rules_of(folders: Iterable[Path], functions: Functions, tenant: str, encoder: str) -> str:
    """A short text that changes when the same documents could come to mean something else.

    It begins with what tells these folders, whose versions they become and by which encoder they
    are found, from others; the rest changes with the code.
    """
    own = hashlib.sha256(repr([os.path.realpath(folder) for folder in folders]).encode())
    own.update(repr(sorted((name, each.value) for name, each in functions.items())).encode())
    own.update(f"{tenant}\0{encoder}".encode())
    return f"{own.hexdigest()[:12]}-{_code()}"


@cache  # a process goes on with the code that it began with, whatever is installed meanwhile
def _code() -> str:
    code = hashlib.sha256()
    core = Path(parser.__file__).parent.parent
    for file in sorted(core.rglob("*.py")):
        seen = file.stat()
        code.update(f"{file.name}:{seen.st_size}:{seen.st_mtime_ns}".encode())
    return code.hexdigest()


def place_of(database: Path, folders: Folders, rules: str) -> Path | None:
    """Where to keep what is read; None when it is small enough to be kept in memory."""
    if folders.bytes < LARGE:
        return None
    return database.with_name(f"{database.name}-catalogue-{rules[:12]}")
