"""Clients: where their files are, what our entry says, and that their files stay theirs."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.cli.client_config import read_config, with_entry, write_config
from mcp_server.cli.clients import CLIENTS, desktop_config, desktop_folders, entry, listing
from mcp_server.cli.ending import Stop


def test_each_system_has_its_folder(tmp_path: Path) -> None:
    home = tmp_path
    assert desktop_folders("linux", {}, home) == (home / ".config" / "Claude",)
    assert desktop_folders("linux", {"XDG_CONFIG_HOME": "/x"}, home) == (Path("/x/Claude"),)
    library = home / "Library" / "Application Support" / "Claude"
    assert desktop_folders("darwin", {}, home) == (library,)
    assert desktop_folders("win32", {"APPDATA": "/r"}, home) == (Path("/r/Claude"),)


def test_a_packaged_windows_app_is_found_before_the_classic_folder(tmp_path: Path) -> None:
    inside = tmp_path / "Local/Packages/Claude_abc/LocalCache/Roaming/Claude"
    classic = tmp_path / "Roaming" / "Claude"
    inside.mkdir(parents=True)
    classic.mkdir(parents=True)
    places = {"LOCALAPPDATA": str(tmp_path / "Local"), "APPDATA": str(tmp_path / "Roaming")}
    assert desktop_config("win32", places, tmp_path) == inside / "claude_desktop_config.json"


def test_an_app_that_is_not_installed_has_no_file(tmp_path: Path) -> None:
    assert desktop_config("linux", {}, tmp_path) is None


def test_an_entry_has_absolute_paths_and_only_what_was_said() -> None:
    plain = entry("", (), demo=False, python="bin/python")
    assert plain == {"command": os.path.abspath("bin/python"), "args": ["-m", "mcp_server"]}
    full = entry(
        "/d/h.db",
        (Path("flows"), Path("/more")),
        demo=True,
        kept={"HANDRAIL_TOOLSETS": "default,operate"},
        source=Path("/src"),
    )
    assert full["env"] == {
        "HANDRAIL_DATABASE_URL": "/d/h.db",
        "HANDRAIL_WORKFLOWS": os.pathsep.join([str(Path("flows").absolute()), "/more"]),
        "HANDRAIL_DEMO": "1",
        "HANDRAIL_TOOLSETS": "default,operate",
        "PYTHONPATH": "/src",
    }


def test_a_virtual_environments_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert entry("", (), demo=False, python=str(link))["command"] == str(link)


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_gets_the_structure_that_it_reads(name: str) -> None:
    client = CLIENTS[name]
    found = listing(client, {"command": "python"})
    assert found[client.key]["handrail"]["command"] == "python"


def test_other_entries_their_order_and_the_rest_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    before = {"theme": "dark", "mcpServers": {"zeta": {"command": "z"}, "alpha": {}}, "last": [1.5]}
    path.write_text(json.dumps(before), encoding="utf-8")
    after = with_entry(read_config(path), "mcpServers", "handrail", {"command": "p"}, path)
    backup = write_config(path, after, "stamp")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(found) == ["theme", "mcpServers", "last"]
    assert list(found["mcpServers"]) == ["zeta", "alpha", "handrail"]
    del found["mcpServers"]["handrail"]
    assert found == before
    assert backup == tmp_path / "config.json.backup-stamp"
    assert json.loads(backup.read_text(encoding="utf-8")) == before


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.floats(-1e9, 1e9))))
def test_whatever_else_the_file_holds_is_kept(config: dict[str, object]) -> None:
    after = with_entry(config, "mcpServers!", "handrail", {"command": "p"}, Path("x"))
    assert {key: after[key] for key in config if key != "mcpServers!"} == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{not json", "is not valid JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ("[]", "holds no JSON object"),
        ("\xff", "is not valid JSON"),
    ],
)
def test_a_file_that_cannot_be_kept_exactly_is_refused(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Stop, match=says):
        read_config(path)
    assert path.read_bytes() == text.encode("latin-1")
    assert os.listdir(tmp_path) == ["config.json"]


def test_a_place_for_servers_that_is_no_object_is_refused() -> None:
    with pytest.raises(Stop, match="that is no object"):
        with_entry({"mcpServers": []}, "mcpServers", "handrail", {}, Path("x"))


def test_no_file_and_an_empty_file_are_an_empty_configuration(tmp_path: Path) -> None:
    assert read_config(tmp_path / "none.json") == {}
    (tmp_path / "empty.json").write_text(" \n", encoding="utf-8")
    assert read_config(tmp_path / "empty.json") == {}


def test_two_changes_in_one_second_keep_two_copies(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"n": 1}', encoding="utf-8")
    first = write_config(path, {"n": 2}, "stamp")
    second = write_config(path, {"n": 3}, "stamp")
    assert first is not None
    assert second is not None
    assert [json.loads(p.read_text("utf-8"))["n"] for p in (first, second, path)] == [1, 2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="links and rights are POSIX")
def test_a_link_still_leads_to_the_file_and_its_rights_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}", encoding="utf-8")
    real.chmod(0o600)
    link = tmp_path / "config.json"
    link.symlink_to(real)
    write_config(link, {"a": 1}, "stamp")
    assert link.is_symlink()
    assert json.loads(real.read_text(encoding="utf-8")) == {"a": 1}
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
