"""Where `fcntl` and its like are absent, everything imports and the unit tests pass."""

import subprocess
import sys

import pytest

from tests.tree import ROOT, module, sources

pytestmark = pytest.mark.timeout(240)
LOCKING = tuple(f"tests/store/test_{name}.py" for name in ("locks", "turn", "opening"))
"""What takes turns over files; what builds on it is in the slow suite."""
UNIT_TESTS = ("tests/core", "tests/store")
LONG = "tests/store/test_every_statement.py"


def _python(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.requirement("runs-without-fcntl")
def test_every_module_imports() -> None:
    names = [module(path) for path in sources("engine", "mcp_server")]
    left_out = ("__main__", "mcp_server.dev", "_unix")
    names = [name for name in names if not name.endswith(left_out)]
    each = f"for name in {names}: importlib.import_module(name)"
    _python("-c", f"import tests.e2e.without_unix, importlib\n{each}")


@pytest.mark.requirement("runs-without-fcntl")
def test_the_tests_of_taking_turns_pass() -> None:
    _python("-m", "pytest", "-p", "tests.e2e.without_unix", "-x", *LOCKING)


@pytest.mark.slow
@pytest.mark.requirement("runs-without-fcntl")
def test_the_unit_tests_pass() -> None:
    _python("-m", "pytest", "-p", "tests.e2e.without_unix", "-x", *UNIT_TESTS, "--ignore", LONG)
