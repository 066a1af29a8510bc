"""The guides are true: their documents load, and they name what there is."""

import re
from pathlib import Path

import pytest

from engine.core.definition import parse_documents
from engine.core.errors import Kind
from engine.core.status import Status
from engine.shell.load import load_folder
from mcp_server.places import find
from mcp_server.tools import TOOLSETS

GUIDES = sorted((find("resources") / "guides").glob("*.md"))
TOOLS = {tool.name for tools in TOOLSETS.values() for tool in tools}


def test_the_promised_guides_are_there() -> None:
    names = {guide.stem for guide in GUIDES}
    assert names >= {"getting-started", "writing-workflows", "retries", "errors"}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_document_in_a_guide_loads_without_a_problem(guide: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    (tmp_path / "guide.yaml").write_text("---\n".join(blocks), "utf-8")
    raw, unreadable = load_folder(tmp_path)
    catalogue = parse_documents(raw, {})
    assert [*unreadable, *catalogue.problems] == []
    assert len(catalogue.workflows) + len(catalogue.tasks) >= len(blocks)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_names_no_tool_that_is_not_there(guide: Path) -> None:
    named = set(
        re.findall(r"`((?:list|search|get|execute|cancel|retry)_\w+)`", guide.read_text("utf-8"))
    )
    assert named <= TOOLS


def test_the_guide_on_errors_names_every_kind_and_how_every_run_ends() -> None:
    text = (find("resources") / "guides" / "errors.md").read_text("utf-8")
    assert [kind for kind in Kind if f"`{kind.value}`" not in text] == []
    unexplained = {"pending", "active", "paused:signal", "stale"}
    named = [status.value for status in Status if f"`{status.value}`" not in text]
    assert set(named) == unexplained
