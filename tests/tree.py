"""The repository as the house rules see it: its own files, and what their code names.

It reads text and syntax trees only; nothing of the project is imported here, so that a module
that does not import can still be judged.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = ("engine", "mcp_server", "tests")
_MADE = frozenset({"node_modules", "__pycache__", "dist", "build"})
_TEXT = frozenset(
    {
        ".py",
        ".sql",
        ".md",
        ".toml",
        ".yaml",
        ".yml",
        ".json",
        ".lock",
        ".txt",
        ".html",
        ".js",
        ".sh",
    }
)
_PLAIN = frozenset(
    {"Makefile", "LICENSE", "setup", "setup-e2e", "lock", "run", ".gitignore", ".npmrc"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in _MADE and (path.name == ".ci" or not path.name.startswith(".")):
                yield from _below(path)
        elif path.suffix in _TEXT or path.name in _PLAIN:
            yield path


@cache
def texts() -> tuple[Path, ...]:
    """Every text file that belongs to the project."""
    return tuple(_below(ROOT))


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    """Every Python file under these folders of the repository."""
    return tuple(
        path for path in texts() if path.suffix == ".py" and place(path).startswith(folders)
    )


@cache
def syntax(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path) -> str:
    """Where the file is, as it is written in a message."""
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    """The dotted name of the file."""
    return place(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every module the file imports, wherever in it."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "." * node.level


def functions(path: Path) -> Iterator[Function]:
    """Every function of the file, methods and inner ones included."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, Function):
            yield node


def called(path: Path) -> Iterator[tuple[int, str]]:
    """Line and spelling of every dotted name the file uses, imports resolved: `time.time`."""
    names = dict(_bound(path))
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            spelling = ast.unparse(node)
            head, dot, rest = spelling.partition(".")
            if head in names:
                yield node.lineno, names[head] + dot + rest


def _bound(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
