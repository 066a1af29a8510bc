"""The routes of the blast radius answer in the shape of seed 003, stage 33."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.asking import get
from tests.core.worlds import flow, look
from tests.server import world as worlds

pytestmark = pytest.mark.requirement("http-api")


@pytest.fixture
def world(tmp_path: Path) -> worlds.World:
    """Task a, workflow w1, task b, workflow w2, task c: the simple chain of the seed."""
    made = worlds.world(tmp_path)
    steps = {"w1": ("a", "b"), "w2": ("b", "c")}
    documents = [look(name) for name in "abc"]
    documents += [flow(name, [{"id": t, "taskRef": t} for t in used])
                  for name, used in steps.items()]  # fmt: skip
    text = yaml.safe_dump_all(documents).replace("function: look", "function: greet")
    (made.folder / "chain.yaml").write_text(text)
    return made


ONE = {"depth": 1, "workflows": ["w1"], "tasks": ["b"]}
TWO = {"depth": 2, "workflows": ["w2"], "tasks": ["c"]}


@pytest.mark.parametrize(
    ("query", "levels", "cut"),
    [("", [ONE], True), ("depth=2", [ONE, TWO], False), ("depth=unlimited", [ONE, TWO], False)],
)
async def test_a_chain_is_told_level_by_level(
    port: int, query: str, levels: list[dict[str, Any]], cut: bool
) -> None:
    status, facts = await get(port, f"/tasks/a/blast-radius?{query}")
    assert status == 200
    assert (facts["taskName"], facts["truncatedAtDepth"]) == ("a", cut)
    assert facts["summary"]["byDepth"] == levels
    assert facts["summary"]["affectedWorkflows"] == [
        w for each in levels for w in each["workflows"]
    ]
    assert facts["summary"]["totalAffectedTasks"] == len(levels)
    source = {"id": "task:a", "name": "a", "type": "task", "depth": 0, "isSource": True}
    assert facts["graph"]["nodes"][0] == source
    edge = {"source": "task:a", "target": "workflow:w1", "relationship": "usedBy"}
    assert edge in facts["graph"]["edges"]


@pytest.mark.parametrize(
    ("form", "parts"), [("flat", {"summary"}), ("graph", {"graph"}), ("both", {"summary", "graph"})]
)
async def test_the_form_says_which_parts_there_are(port: int, form: str, parts: set[str]) -> None:
    _, facts = await get(port, f"/tasks/a/blast-radius?format={form}")
    assert set(facts) == {"taskName", "analysisDepth", "truncatedAtDepth"} | parts


@pytest.mark.parametrize("query", ["depth=4", "depth=0", "format=xml", "deep=1"])
async def test_what_is_not_offered_is_refused(port: int, query: str) -> None:
    status, facts = await get(port, f"/tasks/a/blast-radius?{query}")
    assert (status, facts["code"]) == (400, "invalid_arguments")


async def test_a_task_that_is_not_there_is_404(port: int) -> None:
    status, facts = await get(port, "/tasks/nothing/blast-radius")
    assert (status, facts["code"]) == (404, "unknown_task")


async def test_a_workflow_has_a_blast_radius_too(port: int) -> None:
    status, facts = await get(port, "/workflows/w1/blast-radius")
    assert (status, facts["workflowName"]) == (200, "w1")
