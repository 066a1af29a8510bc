"""The wheel, installed in a fresh environment and run far from the clone.

The home folder is read-only but for the data folder; as root, whom permissions do not stop, the
process gives up the capability that says so.
"""

import ctypes
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import Wire
from tests.tree import ROOT

pytestmark = pytest.mark.timeout(300)
_DROP_FROM_BOUNDING_SET = 24
_OVERRIDE_PERMISSIONS = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER


@dataclass(frozen=True)
class Installed:
    """An installation, with the home folder it runs in."""

    bin: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": os.defpath, "HANDRAIL_DEMO": "1"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run to the end, from the root folder."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd="/", env=self.environment, preexec_fn=humble(), capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip


def humble() -> Callable[[], None] | None:
    """What makes permissions hold for the child even when it is root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None

    def give_up() -> None:
        libc = ctypes.CDLL(None)
        for capability in _OVERRIDE_PERMISSIONS:
            libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)

    return give_up


def _do(*command: str, cwd: Path = ROOT) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling comes with `make test`")
    folder = tmp_path_factory.mktemp("dist")
    _do(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("handrail-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    venv, home = folder / "venv", folder / "home"
    uv = [sys.executable, "-m", "uv"]
    _do(*uv, "venv", "--quiet", "--python", sys.executable, str(venv))
    into = ["pip", "install", "--quiet", "--python", str(venv / "bin/python")]
    _do(*uv, *into, "--require-hashes", "--compile-bytecode", "-r", "requirements.lock")
    _do(*uv, *into, "--no-deps", "--compile-bytecode", str(wheel))
    home.mkdir()
    where = "import platformdirs; print(platformdirs.user_data_path('handrail', appauthor=False))"
    ready = Installed(venv / "bin", home)
    Path(ready.run("python", "-c", where).stdout.strip()).mkdir(parents=True)
    for path in (home, *(p for p in home.rglob("*") if p.name != "handrail")):
        path.chmod(0o555)
    return ready


def test_the_wheel_brings_two_importable_names_and_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "engine",
        "mcp_server",
    }
    for kind in ("prompts", "resources"):
        assert any(name.startswith(f"mcp_server/_data/{kind}/") for name in names)
    assert any(name.endswith(".sql") for name in names)
    assert "mcp_server/console/console.css" in names
    assert "mcp_server/console/templates/approval.html" in names


def test_the_home_folder_really_is_read_only(installed: Installed) -> None:
    done = installed.run("python", "-c", "open(__import__('os').environ['HOME'] + '/x', 'w')")
    assert "Permission" in done.stderr


@pytest.mark.requirement("wheel-runs-anywhere")
def test_the_installed_command_knows_its_version_and_finds_nothing_broken(
    installed: Installed,
) -> None:
    version = installed.run("handrail", "--version")
    assert version.returncode == 0, version.stderr
    assert version.stdout.startswith("handrail ")

    doctor = installed.run("handrail", "doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert json.loads(doctor.stdout)


@pytest.mark.requirement("wheel-runs-anywhere", "prompts", "workflow-resources")
def test_the_installed_server_serves_its_prompts_resources_and_workflows(
    installed: Installed, tmp_path: Path
) -> None:
    command = [str(installed.bin / "python"), "-m", "mcp_server"]
    log = tmp_path / "log"
    with Wire(command, env=installed.environment, log=log, before=humble()) as client:
        client.shake_hands()
        prompts = {prompt["name"]: prompt for prompt in client.ask("prompts/list")["prompts"]}
        assert {"discover-workflow", "execute-workflow", "troubleshoot-execution"} <= set(prompts)
        for prompt in prompts.values():
            assert client.ask("prompts/get", name=prompt["name"], arguments=_filled(prompt))

        resources = client.ask("resources/list")["resources"]
        assert resources
        for resource in resources:
            assert client.ask("resources/read", uri=resource["uri"])["contents"], resource

        ran = client.call("execute_workflow", workflow="user-profile", input={"userId": "3"})
        assert ran["status"] == "completed"
    assert list(installed.home.rglob("handrail.db"))


def _filled(prompt: dict[str, Any]) -> dict[str, str]:
    wanted = (each["name"] for each in prompt.get("arguments", ()))
    return dict.fromkeys(wanted, "user-profile")
