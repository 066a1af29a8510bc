"""Reads a folder of documents from disk. Nothing here knows what a document means.

Every `*.yaml`, `*.yml` and `*.json` below the folder is read, in sorted order; hidden names are
left out, links are followed only to files inside the folder, and only ordinary files are opened.
A file that cannot be read is a problem, never an exception. One bad document of a file does not
take the others with it.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from engine.core.definition import RawDocument
from engine.core.views import Problem
from engine.shell.building import Builder, Unreadable
from engine.shell.strict_json import read_json
from engine.shell.strict_yaml import read_yaml

SUFFIXES = (".yaml", ".yml", ".json")
LARGEST_DOCUMENT = 256 * 1024
LARGEST_FILE = 1024 * 1024
MOST_FILES = 10_000
MOST_DOCUMENTS = 1_000
"""Of one file."""

_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_EMPTY = re.compile(r"(?:[ \t]*(?:#[^\n]*)?(?:\r?\n|$)|%YAML[^\n]*\n)*\Z")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Loaded(NamedTuple):
    """The documents of a folder in file order, and what could not be read."""

    documents: tuple[RawDocument, ...] = ()
    problems: tuple[Problem, ...] = ()


def load_folder(path: Path) -> Loaded:
    """Read every document below `path`. Never raises."""
    documents: list[RawDocument] = []
    problems: list[Problem] = []
    if not path.is_dir():
        hint = "create it, or name another folder"
        problem = Problem(str(path), 0, "", "error", "no_folder", "there is no such folder", hint)
        return Loaded((), (problem,))
    for number, file in enumerate(document_files(path)):
        if number == MOST_FILES:
            message = f"a folder may hold at most {MOST_FILES:,} documents files"
            problems.append(Problem(str(path), 0, "", "error", "too_many", message))
            break
        found = _kept(file)
        documents.extend(found.documents)
        problems.extend(found.problems)
    return Loaded(tuple(documents), tuple(problems))


def _kept(file: Path) -> Loaded:
    # A folder is read again when one of its files changed; the others need not be.
    try:
        seen = file.stat()
    except OSError:
        return load_file(file)
    return _unchanged(file, seen.st_ino, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=MOST_FILES)
def _unchanged(file: Path, inode: int, size: int, modified: int) -> Loaded:
    return load_file(file)


def load_file(file: Path) -> Loaded:
    """Read the documents of one file. Never raises."""
    name = str(file)
    try:
        text = _text(file)
    except Unreadable as error:
        return Loaded((), (_problem(name, error),))
    if file.suffix.lower() == ".json":
        return _collected(name, [lambda: read_json(text)])
    parts = list(split_documents(text))
    if len(parts) > MOST_DOCUMENTS:
        message = f"a file holds at most {MOST_DOCUMENTS:,} documents"
        return Loaded((), (_problem(name, Unreadable("too_many", message)),))
    return _collected(name, [_reader(part, line) for part, line in parts])


def _reader(part: str, line: int) -> Callable[[], Builder]:
    def read() -> Builder:
        if len(part.encode()) > LARGEST_DOCUMENT:
            message = f"a document has at most {LARGEST_DOCUMENT // 1024} KB"
            raise Unreadable("too_large", message, line, "move a part into a document of its own")
        return read_yaml(part, line)

    return read


def _collected(name: str, readers: list[Callable[[], Builder]]) -> Loaded:
    documents: list[RawDocument] = []
    problems: list[Problem] = []
    for index, read in enumerate(readers):
        try:
            built = read()
        except Unreadable as error:
            problems.append(_problem(name, error))
            continue
        if built.complete and built.value is not None:
            documents.append(RawDocument(name, index, built.value, built.lines))
    return Loaded(tuple(documents), tuple(problems))


def _problem(name: str, error: Unreadable) -> Problem:
    return Problem(name, error.line, "", "error", error.code, error.message, error.hint)


def split_documents(text: str) -> Iterator[tuple[str, int]]:
    """The documents of a YAML text, each with the number of its first line.

    A line that begins with `---` always begins a document, even inside a block of text, so the
    text can be cut there and one broken document leaves the others whole.

    >>> [(part, line) for part, line in split_documents("a: 1\\n---\\nb: 2\\n")]
    [('a: 1\\n', 1), ('---\\nb: 2\\n', 2)]
    """
    cuts = [0, *(found.start() for found in _MARKER.finditer(text)), len(text)]
    line = 1
    for start, end in pairwise(cuts):
        part = text[start:end]
        if not _EMPTY.match(part):
            yield part, line
        line += part.count("\n")


def _text(file: Path) -> str:
    content = _content(file)
    if len(content) > LARGEST_FILE:
        message = f"a file has at most {LARGEST_FILE // 1024} KB"
        raise Unreadable("too_large", message, 1, "spread the documents over several files")
    if file.suffix.lower() == ".json" and len(content) > LARGEST_DOCUMENT:
        message = f"a document has at most {LARGEST_DOCUMENT // 1024} KB"
        raise Unreadable("too_large", message, 1)
    if content.startswith(_MARKS):
        raise Unreadable(
            "not_utf8", "the file begins with a byte order mark", 1, "save it as UTF-8"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = "the file is not UTF-8"
        raise Unreadable("not_utf8", message, line, "save it as UTF-8") from None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise Unreadable("unreadable_file", message) from None


def document_files(folder: Path) -> Iterator[Path]:
    """The document files below a folder, sorted by path."""
    root = os.path.realpath(folder)
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(here, name)
            if name.startswith(".") or file.suffix.lower() not in SUFFIXES:
                continue
            if _ordinary(file) and _inside(file, root):
                yield file


def _ordinary(file: Path) -> bool:
    # A pipe or device would block the reader; a file that vanished meanwhile is none.
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


def _inside(file: Path, root: str) -> bool:
    real = os.path.realpath(file)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def fingerprint(path: Path) -> str:
    """A short text that changes when a document below `path` does: names, sizes, times.

    Never raises; a folder that is not there has a fingerprint too.
    """
    state = hashlib.sha256()
    for file in document_files(path):
        try:
            seen = file.stat()
        except OSError:
            continue
        state.update(f"{file}\0{seen.st_size}\0{seen.st_mtime_ns}\0".encode(errors="replace"))
    return state.hexdigest() if path.is_dir() else "no folder"
