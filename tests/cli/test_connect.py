"""`handrail connect` and `handrail init`: what they write, and what they leave alone."""

import json
import os
from pathlib import Path

import pytest

from mcp_server.cli import main
from mcp_server.cli.clients import CLIENTS
from mcp_server.cli.init import FILES


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "claude_desktop_config.json"


def test_the_entry_is_written_after_a_copy_and_a_second_time_changes_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('{"mcpServers": {"other": {"command": "x"}}}', encoding="utf-8")
    words = ["connect", "claude-desktop", "--config", str(config), "--workflows", "flows"]
    assert main(words) == 0
    assert "Restart Claude Desktop" in capsys.readouterr().out
    servers = json.loads(config.read_text(encoding="utf-8"))["mcpServers"]
    assert list(servers) == ["other", "handrail"]
    assert os.path.isabs(servers["handrail"]["command"])
    assert servers["handrail"]["env"]["HANDRAIL_WORKFLOWS"] == os.path.abspath("flows")
    assert "HANDRAIL_DEMO" not in servers["handrail"]["env"]
    assert len(list(config.parent.glob("*.backup-*"))) == 1
    assert main([*words, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["changed"], again["backup"]) == (False, None)
    assert len(list(config.parent.glob("*.backup-*"))) == 1


def test_without_a_folder_the_entry_turns_the_demo_on(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HANDRAIL_WORKFLOWS", raising=False)
    assert main(["connect", "claude-desktop", "--config", str(config)]) == 0
    found = json.loads(config.read_text(encoding="utf-8"))["mcpServers"]["handrail"]
    assert found["env"]["HANDRAIL_DEMO"] == "1"


def test_a_database_in_the_entry_is_absolute(config: Path) -> None:
    assert main(["connect", "claude-desktop", "--config", str(config), "--db", "x.db"]) == 0
    found = json.loads(config.read_text(encoding="utf-8"))["mcpServers"]["handrail"]
    assert found["env"]["HANDRAIL_DATABASE_URL"] == os.path.abspath("x.db")


def test_a_damaged_file_is_refused_and_left_as_it_is(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("{ // mine\n}", encoding="utf-8")
    assert main(["connect", "claude-desktop", "--config", str(config)]) == 4
    assert "is not valid JSON" in capsys.readouterr().err
    assert config.read_text(encoding="utf-8") == "{ // mine\n}"
    assert os.listdir(config.parent) == [config.name]


def test_an_application_that_is_not_there_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("XDG_CONFIG_HOME", "HOME", "APPDATA", "LOCALAPPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert main(["connect", "claude-desktop"]) == 4
    assert "was not found on this machine" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", CLIENTS)
def test_any_client_gets_its_entry_printed_as_json_alone(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connect", name, "--print"]) == 0
    out, err = capsys.readouterr()
    assert "handrail" in json.loads(out)[CLIENTS[name].key]
    assert (err != "") == bool(CLIENTS[name].advice)


def test_init_writes_a_small_folder_and_says_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "flows"
    assert main(["init", str(folder)]) == 0
    assert "handrail check" in capsys.readouterr().out
    assert {path: (folder / path).read_text(encoding="utf-8") for path in FILES} == FILES


def test_init_overwrites_nothing_and_then_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 4
    assert "exists already; nothing was written" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["README.md"]
