"""The rules of the house, held by reading the code: imports, sizes, words, SQL, clocks.

A rule here has no list of exceptions by file. Where a rule names a place (the clock, the demo's
own file), the place is part of the rule.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tree import (
    CODE,
    ROOT,
    called,
    functions,
    imported,
    module,
    place,
    sources,
    syntax,
    texts,
)

LONGEST_FUNCTION = 40
LONGEST_FILE = 400

PURE = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "base64",
        "bisect",
        "collections",
        "collections.abc",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "email.utils",
        "enum",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "heapq",
        "hmac",
        "ipaddress",
        "itertools",
        "json",
        "json.encoder",
        "math",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
        "zlib",
        "zoneinfo",
    }
)
"""Standard modules that neither look at the world nor change it."""

CORE_MAY_IMPORT = PURE | {"cronsim", "jsonschema_rs", "re2"}

CLOCK = "engine/shell/clock.py"
CLOCKS = re.compile(
    r"time\.(time|time_ns|localtime|gmtime|ctime)"
    r"|datetime\.(datetime|date)\.(now|utcnow|today)"
    r"|random\.(?!Random$)\w+"
    r"|(os\.urandom|os\.getrandom|uuid\.uuid[14]|secrets\.\w+)"
)

PORTABLE_SQL = {
    "::": "cast(x as type) is understood by both databases",
    r"\bnow\s*\(": "time is a parameter",
    r"\bcurrent_(timestamp|time|date)\b": "time is a parameter",
    r"\b(datetime|date|strftime|julianday|unixepoch)\s*\(": "time is a parameter",
    r"\b(random|randomblob|gen_random_uuid)\s*\(": "chance is a parameter",
    r"\bjsonb?\b|\bjson_\w+\s*\(|->": "JSON is opaque text; what is queried gets a column",
    r"\bilike\b|\bglob\b|\bregexp\b": "not understood by both databases",
    r"%": "the parameter form of one driver",
    r"\?": "parameters have names",
    r"\binsert\s+or\b|\breplace\s+into\b": "say `on conflict`",
    r"\browid\b|\bautoincrement\b|\bpragma\b|\bifnull\s*\(": "SQLite's own word",
    r"\barray\b|\bserial\b|\bilike\b|\bjson_agg\b": "PostgreSQL's own word",
}
MOST_OVERRIDES = 8


def _none(found: Iterator[str]) -> None:
    told = list(found)
    assert not told, "\n" + "\n".join(told)


def test_the_core_imports_only_what_cannot_touch_the_world() -> None:
    _none(_strangers("engine/core/", CORE_MAY_IMPORT))


def test_features_import_only_the_core_and_what_cannot_touch_the_world() -> None:
    _none(_strangers("engine/features/", PURE))


def _strangers(folder: str, allowed: frozenset[str]) -> Iterator[str]:
    for path in sources(folder):
        for line, name in imported(path):
            if name in allowed or name == "engine.core" or name.startswith("engine.core."):
                continue
            if name.startswith(module(ROOT / folder / "x.py").removesuffix(".x") + "."):
                continue
            yield f"{place(path)}:{line} imports {name}"


def test_imports_are_absolute() -> None:
    _none(
        f"{place(path)}:{line}"
        for path in sources(*CODE)
        for line, name in imported(path)
        if name.startswith(".")
    )


def test_no_function_is_longer_than_a_screen() -> None:
    _none(
        f"{place(path)}:{node.lineno} {node.name} has {length} lines"
        for path in sources(*CODE)
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    )


def test_no_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    _none(
        f"{place(path)} has {length} lines"
        for path in texts()
        if path.suffix in {".py", ".sql"}
        and (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    )


def test_every_file_opens_by_saying_what_it_is() -> None:
    _none(
        place(path)
        for path in sources(*CODE)
        if syntax(path).body and not ast.get_docstring(syntax(path))
    )


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
    _none(_lines(lambda path: path.suffix in {".py", ".sql"}, words))


def test_only_the_terminal_speaks_on_standard_output() -> None:
    _none(
        f"{place(path)}:{node.lineno} prints"
        for path in sources("engine", "mcp_server")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    )


def test_names_say_what_a_thing_does_not_that_it_helps() -> None:
    vague = re.compile(r"(Manager|Helper|Utils?)$|(^|_)(manager|helpers?|utils?)$")
    _none(
        f"{place(path)}: {name}"
        for path in sources(*CODE)
        for name in _own_names(path)
        if vague.search(name)
    )


def _own_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def test_time_and_chance_enter_through_one_door() -> None:
    _none(
        f"{place(path)}:{line} uses {name}"
        for path in sources("engine", "mcp_server")
        if place(path) != CLOCK
        for line, name in called(path)
        if CLOCKS.fullmatch(name)
    )


def _statements(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield number, re.sub(r"'[^']*'", "''", line.split("--")[0])


def _sql() -> list[Path]:
    return [path for path in texts() if path.suffix == ".sql"]


def _one_database_only(path: Path) -> bool:
    return any(part in path.stem for part in ("sqlite", "postgres"))


@pytest.mark.parametrize("form", PORTABLE_SQL)
def test_sql_uses_words_that_both_databases_know(form: str) -> None:
    pattern = re.compile(form, re.IGNORECASE)
    _none(
        f"{place(path)}:{number} {line.strip()} -- {PORTABLE_SQL[form]}"
        for path in _sql()
        if not _one_database_only(path)
        for number, line in _shared_statements(path)
        if pattern.search(line)
    )


def _shared_statements(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that run on every database: not those of an `@sqlite` override."""
    ours = True
    raw = path.read_text(encoding="utf-8").splitlines()
    for number, line in _statements(path):
        if raw[number - 1].startswith("-- name:"):
            ours = "@" not in raw[number - 1]
        if ours:
            yield number, line


def test_few_statements_differ_between_the_databases() -> None:
    overrides = [
        f"{place(path)}: {line}"
        for path in _sql()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("-- name:") and "@" in line
    ]
    assert len({line.rpartition("@")[0] for line in overrides}) <= MOST_OVERRIDES, overrides


def test_no_statement_is_written_outside_the_store() -> None:
    verb = re.compile(
        r"\s*(select\s+.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+(table|index))\s",
        re.IGNORECASE | re.DOTALL,
    )
    _none(
        f"{place(path)}:{node.lineno}"
        for path in sources("engine", "mcp_server")
        if not place(path).startswith(("engine/store/", "mcp_server/demo/"))
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and verb.match(node.value)
    )


def test_the_tree_names_no_machine_and_no_registry() -> None:
    hosts = ("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"), ("yarnpkg", "com")
    places = ("/" + "work/", "/" + "root/", "/" + "home/", "/" + "tmp/v/", "/" + "farm/")
    words = [re.escape(".".join(host)) for host in hosts] + [re.escape(name) for name in places]
    _none(_lines(lambda path: True, re.compile("|".join(words))))


def _lines(which: Callable[[Path], bool], words: re.Pattern[str]) -> Iterator[str]:
    for path in filter(which, texts()):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := words.search(line):
                yield f"{place(path)}:{number} {found.group()}"


def _tool(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_formatted() -> None:
    _tool("-m", "ruff", "format", "--check", ".")


def test_the_code_is_free_of_lint() -> None:
    _tool("-m", "ruff", "check", "--quiet", ".")


def test_the_walls_between_the_rooms_stand() -> None:
    _tool("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


@pytest.mark.timeout(180)
def test_the_types_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
