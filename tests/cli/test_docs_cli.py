"""docs/cli.md says what the commands really are."""

import re
import shlex
from pathlib import Path

import click
import pytest

from mcp_server.cli.ending import MEANINGS
from mcp_server.cli.root import COMMANDS, handrail
from mcp_server.cli.session import COMMON
from tests.cli.conftest import Call
from tests.tree import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
OPTION = re.compile(r"`(--?[a-z][a-z-]*)")


def _command(name: str) -> click.Command:
    found = handrail.get_command(click.Context(handrail), name)
    assert found is not None
    return found


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    told = [title.removeprefix("handrail ") for title in SECTIONS if title.startswith("handrail ")]
    assert told == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told_and_none_is_invented(name: str) -> None:
    command = _command(name)
    common = {option for make in COMMON for option in make().opts}
    own = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
    section = SECTIONS[f"handrail {name}"]
    listed = {option for item in re.findall(r"^- .*", section, re.MULTILINE)
              for option in OPTION.findall(item)}  # fmt: skip
    assert listed - {"--deprecate"} == own - common - {"--deprecate"}
    assert set(OPTION.findall(section)) <= own


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_line_is_the_real_one(name: str) -> None:
    context = click.Context(_command(name), info_name=f"handrail {name}")
    usage = " ".join([context.command_path, *_command(name).collect_usage_pieces(context)])
    assert f"```\n{usage}\n```" in SECTIONS[f"handrail {name}"]


def test_the_common_options_are_told_once_and_completely() -> None:
    section = SECTIONS["Options of every command"]
    told = {option for item in re.findall(r"^- (`.*)", section, re.MULTILINE)
            for option in OPTION.findall(item)}  # fmt: skip
    assert told == {option for make in COMMON for option in make().opts} | {"-h", "--help"}


def test_the_exit_codes_are_the_real_ones() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", SECTIONS["Exit codes"], re.MULTILINE)
    assert [(int(code), said) for code, said in rows] == [
        (int(code), said) for code, said in MEANINGS.items()
    ]


def _typed(block: str) -> list[list[str]]:
    """The commands of a shell block as words, without `handrail` and without comments."""
    lines = (line for line in block.splitlines() if line.lstrip().startswith("handrail "))
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_first_page_of_commands_can_be_typed_as_it_stands(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANDRAIL_WORKFLOWS")
    commands = _typed(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0])
    assert len(commands) == 6
    for words in commands:
        done = call(*words)
        assert done.code == 0, (words, done)


def test_the_readme_that_init_writes_works_in_its_folder(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for words in _typed((folder / "README.md").read_text(encoding="utf-8")):
        if words[0] != "connect":
            assert call(*words).code == 0, words
