"""What the first page claims is done here."""

import re
from pathlib import Path

from mcp_server.cli.root import COMMANDS
from mcp_server.opening import opened
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from tests.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


async def test_the_workflow_on_the_page_loads_without_a_problem_and_runs(tmp_path: Path) -> None:
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "page.yaml").write_text(_block("yaml"), encoding="utf-8")
    settings = ServerSettings(database=str(tmp_path / "h.db"), demo=True, folders=(folder,))
    async with opened(settings) as engine:
        assert engine.problems() == ()
        run = await engine.start("profile-and-orders", {"userId": "3"})
        run = await engine.wait(run.id, 5)
        assert run.status == "completed"
        assert run.output["name"] == "Clementine Bauch"
        assert (await engine.details("profile-and-orders")).groups == (("profile", "orders"),)


def test_the_sentences_are_those_that_the_server_gives() -> None:
    said = [text.rstrip(".") for text in re.findall(r"^- \*“(.+?)”\*", README, re.MULTILINE)]
    instructions = build(ServerSettings(demo=True)).instructions or ""
    assert len(said) == 3
    assert [sentence for sentence in said if sentence not in instructions] == []


def test_every_command_on_the_page_exists() -> None:
    named = re.findall(r"\.venv/bin/handrail ([a-z]+)", README)
    assert named
    assert set(named) <= set(COMMANDS)
