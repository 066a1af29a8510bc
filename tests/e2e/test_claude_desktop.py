"""The example entry for Claude Desktop is started exactly as it is written."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import Wire
from tests.tree import ROOT

PLACEHOLDER = "/ABSOLUTE/PATH/TO/handrail/.venv/bin/python"


@pytest.mark.requirement("claude-desktop-entry")
def test_the_example_entry_starts_from_anywhere_and_runs_a_workflow(tmp_path: Path) -> None:
    example = json.loads((ROOT / "claude_desktop_config.example.json").read_text(encoding="utf-8"))
    entry = example["mcpServers"]["handrail"]
    assert entry["command"] == PLACEHOLDER

    minimal = {"HOME": str(tmp_path), "PATH": os.defpath, **entry["env"]}
    command = [sys.executable, *entry["args"]]
    with Wire(command, cwd="/", env=minimal, log=tmp_path / "log") as client:
        greeting = client.shake_hands()
        assert greeting["protocolVersion"] == "2025-11-25"
        assert greeting["serverInfo"]["name"]
        assert len(client.ask("tools/list")["tools"]) >= 9

        answer = client.call("execute_workflow", workflow="user-profile", input={"userId": "3"})

    assert answer["status"] == "completed"
    assert list(tmp_path.rglob("handrail.db")), "the database belongs in the user's data folder"


def test_the_readme_shows_the_same_entry() -> None:
    example = json.loads((ROOT / "claude_desktop_config.example.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("```json")[2].partition("```")[0]
    assert json.loads(block) == example
