"""docs/cli.md says what the commands really are."""

import re

import click
import pytest

from mcp_server.cli.ending import MEANINGS
from mcp_server.cli.root import COMMANDS, handrail
from mcp_server.cli.session import COMMON
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
