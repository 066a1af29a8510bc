"""What is installed is what is imported, and docs/dependencies.md says what for."""

import re
import sys
import tomllib
from itertools import chain

import pytest

from tests.tree import ROOT, imported, place, sources

FILES_ONLY = {"wordllama": "its two files are read and its code is not"}
"""Installed for what its wheel carries; importing it would cost more than it gives."""

IMPORT_NAMES = {
    "google-re2": ("re2",),
    "jsonschema-rs": ("jsonschema_rs",),
    "mcp": ("mcp", "mcp_types"),
    "pyjwt": ("jwt",),
    "pyyaml": ("yaml",),
}
OURS = {"engine", "mcp_server"}
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"].values()
DECLARED = sorted(
    re.split(r"[\[<>=~! ]", line)[0] for line in chain(PROJECT["project"]["dependencies"], *EXTRAS)
)
PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")


def _modules(package: str) -> tuple[str, ...]:
    return IMPORT_NAMES.get(package, (package.replace("-", "_"),))


def _imported() -> dict[str, str]:
    """Every foreign top-level module that shipped code imports, and one place where it does."""
    found: dict[str, str] = {}
    for path in sources("engine", "mcp_server"):
        for line, name in imported(path):
            found.setdefault(name.split(".")[0], f"{place(path)}:{line}")
    return {name: at for name, at in found.items() if name not in sys.stdlib_module_names | OURS}


def test_shipped_code_imports_nothing_that_is_not_declared() -> None:
    known = {module for package in DECLARED for module in _modules(package)}
    assert {name: at for name, at in _imported().items() if name not in known} == {}


@pytest.mark.requirement("packages-named-by-the-customer")
@pytest.mark.parametrize("package", DECLARED)
def test_each_declared_package_is_imported_by_shipped_code(package: str) -> None:
    if package in FILES_ONLY:
        assert FILES_ONLY[package] in PAGE
        return
    assert set(_modules(package)) & set(_imported()), f"{package} is declared and imported nowhere"


@pytest.mark.parametrize("package", DECLARED)
def test_the_page_says_what_each_package_is_for(package: str) -> None:
    row = re.search(rf"^\| `{package}(\[\w+\])?`.*$", PAGE, re.MULTILINE)
    assert row is not None
    assert all(cell.strip() for cell in row.group().strip("|").split("|"))


def test_the_page_names_no_package_that_is_gone() -> None:
    section = PAGE.partition("## At run time")[2].partition("## To build")[0]
    assert sorted(re.findall(r"^\| `([\w-]+)", section, re.MULTILINE)) == DECLARED


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==[^ ]+.*\\\n {4}--hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
    assert "://" not in text
    assert "--index" not in text


def test_the_node_lock_names_no_registry() -> None:
    text = (ROOT / "tests/e2e/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert '"integrity"' in text
