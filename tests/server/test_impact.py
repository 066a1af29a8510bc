"""The blast radius as an assistant gets it: the seed's shape to the letter, pages, what breaks."""

import csv
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, MCPError

from engine import Engine
from engine.core.impact.radius import Edge, Node, Radius, Reached
from mcp_server import drawing, wire
from mcp_server.door import Door
from mcp_server.server import build
from mcp_server.settings import ServerSettings
from tests.server.test_tools import call
from tests.shell.documents import engine_over, flow, look, write
from tests.shell.test_impact import CHAIN, READS, uses

SEED: dict[str, Any] = {
    "taskName": "A",
    "analysisDepth": 2,
    "truncatedAtDepth": False,
    "summary": {
        "totalAffectedWorkflows": 2,
        "totalAffectedTasks": 2,
        "affectedWorkflows": ["W1", "W2"],
        "affectedTasks": ["B", "C"],
        "byDepth": [
            {"depth": 1, "workflows": ["W1"], "tasks": ["B"]},
            {"depth": 2, "workflows": ["W2"], "tasks": ["C"]},
        ],
    },
    "graph": {
        "nodes": [
            {"id": "task:A", "name": "A", "type": "task", "depth": 0, "isSource": True},
            {"id": "workflow:W1", "name": "W1", "type": "workflow", "depth": 1},
            {"id": "task:B", "name": "B", "type": "task", "depth": 1},
            {"id": "workflow:W2", "name": "W2", "type": "workflow", "depth": 2},
            {"id": "task:C", "name": "C", "type": "task", "depth": 2},
        ],
        "edges": [
            {"source": "task:A", "target": "workflow:W1", "relationship": "usedBy"},
            {"source": "workflow:W1", "target": "task:B", "relationship": "contains"},
            {"source": "task:B", "target": "workflow:W2", "relationship": "usedBy"},
            {"source": "workflow:W2", "target": "task:C", "relationship": "contains"},
        ],
    },
}


@pytest.mark.requirement("impact-scenarios")
async def test_the_answer_has_the_shape_of_the_seed(tmp_path: Path) -> None:
    write(tmp_path / "documents", *CHAIN)
    async with engine_over(tmp_path, READS) as engine:
        view = await engine.impact.blast_radius("A", depth=2, graph=True)
        none = await engine.impact.blast_radius("A", depth=0, graph=True, most_users=1)
    assert wire.blast_radius(view) == SEED
    assert wire.blast_radius(view, "flat") == {k: v for k, v in SEED.items() if k != "graph"}
    assert wire.blast_radius(view, "graph") == {k: v for k, v in SEED.items() if k != "summary"}
    assert wire.blast_radius(none)["notFollowed"] == [{"name": "B", "type": "task", "users": 2}]


async def test_a_diamond_and_a_cycle_have_the_answers_of_the_seed(tmp_path: Path) -> None:
    both = (look("A"), look("B"), uses("W1", "AB"), uses("W2", "AB"))
    write(tmp_path / "documents", *both)
    async with engine_over(tmp_path, READS) as engine:
        facts = wire.blast_radius(await engine.impact.blast_radius("A", depth=0, graph=True))
    assert facts["summary"]["affectedWorkflows"] == ["W1", "W2"]
    assert facts["summary"]["affectedTasks"] == ["B"]
    assert [node["id"] for node in facts["graph"]["nodes"]].count("task:B") == 1
    assert (facts["truncatedAtDepth"], facts["analysisDepth"]) == (False, 1)


async def test_what_nobody_uses_has_an_empty_answer(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("A"))
    async with engine_over(tmp_path, READS) as engine:
        facts = wire.blast_radius(await engine.impact.blast_radius("A", graph=True))
    assert facts["summary"]["byDepth"] == []
    assert facts["graph"]["edges"] == []
    assert [node["id"] for node in facts["graph"]["nodes"]] == ["task:A"]


# -- drawings that stay drawings ---------------------------------------------------------------

hostile = st.text(max_size=30).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


def drawn(name: str) -> Radius:
    nodes = (Node("task", name, 0), Node("workflow", name, 1))
    edges = (Edge(nodes[0].id, nodes[1].id, "usedBy"),)
    levels = (Reached(1, (name,), ()),)
    return Radius("task", name, "", 1, False, 1, 0, levels, nodes, edges, (), ())


@pytest.mark.requirement("impact-inert")
@given(name=hostile)
def test_a_hostile_name_stays_a_name_in_every_drawing(name: str) -> None:
    view = drawn(name)
    rows = drawing.mermaid(view).split("\n")
    assert len(rows) == 4
    assert rows[3] == "  n0 -->|used by| n1"
    assert all(row.count('"') == 2 and row.count("[") <= 1 for row in rows[1:3])
    dotted = drawing.dot(view)
    assert len(dotted.split("\n")) == 6
    table = list(csv.reader(io.StringIO(drawing.listing(view))))
    assert len(table) == 2
    assert not table[1][2].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_formula_is_text_in_a_spreadsheet() -> None:
    assert drawing.listing(drawn("=cmd|' /C calc'!A0")).split("\n")[1] == (
        "1,workflow,'=cmd|' /C calc'!A0"
    )


def test_what_ends_a_label_does_not_end_it() -> None:
    assert '"a#34;#93; --#62; b"' in drawing.mermaid(drawn('a"] --> b'))
    assert '"a\\"]; x -> y"' in drawing.dot(drawn('a"]; x -> y'))


# -- what if ------------------------------------------------------------------------------------

OUT = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
IN = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def shop() -> list[dict[str, Any]]:
    reads = {"id": "b", "taskRef": "find", "input": {"id": "{{tasks.a.output.n}}"}}
    return [
        look("count", outputSchema=OUT),
        look("find", inputSchema=IN, outputSchema=OUT),
        look("other", outputSchema={**OUT, "properties": {"m": {"type": "integer"}}}),
        flow("both", [{"id": "a", "taskRef": "count"}, reads]),
        flow("apart", [{"id": "x", "taskRef": "other"}]),
    ]


async def broken(tmp_path: Path, name: str, **change: Any) -> list[tuple[str, ...]]:
    from engine.core.impact.whatif import change_of

    write(tmp_path / "documents", *shop())
    async with engine_over(tmp_path, READS) as engine:
        found = await engine.impact.what_if(name, "task", change_of(change))
    assert found.untried == 0
    return [(each.severity, each.name, each.step, each.place) for each in found.breaks]


@pytest.mark.requirement("impact-what-if")
async def test_deleting_a_task_breaks_each_step_that_refers_to_it(tmp_path: Path) -> None:
    found = await broken(tmp_path, "count", delete=True)
    assert found == [("error", "both", "a", "spec.tasks[0].taskRef")]


@pytest.mark.requirement("impact-what-if")
async def test_another_task_lacks_what_templates_read(tmp_path: Path) -> None:
    found = await broken(tmp_path, "count", replaceWith="other")
    assert found == [("warning", "both", "b", "spec.tasks[1].input.id")]


@pytest.mark.requirement("impact-what-if")
async def test_a_new_required_input_is_missed_where_no_step_gives_it(tmp_path: Path) -> None:
    schema = {
        **IN,
        "required": ["id", "shop"],
        "properties": {"id": {}, "shop": {"type": "string"}},
    }
    found = await broken(tmp_path, "find", inputSchema=schema)
    assert [(each[1], each[2]) for each in found] == [("both", "b")]


@pytest.mark.requirement("impact-what-if")
async def test_a_type_that_no_longer_fits_is_told(tmp_path: Path) -> None:
    schema = {**IN, "properties": {"id": {"type": "string"}}}
    found = await broken(tmp_path, "find", inputSchema=schema)
    assert [(each[1], each[2]) for each in found] == [("both", "b")]


async def test_a_change_that_fits_breaks_nothing(tmp_path: Path) -> None:
    assert await broken(tmp_path, "count", replaceWith="find", outputSchema=None) != []
    assert await broken(tmp_path, "other", delete=False, outputSchema={"type": "object"}) == []


# -- through the tool ------------------------------------------------------------------------------


@asynccontextmanager
async def served(tmp_path: Path, *documents: dict[str, Any]) -> AsyncGenerator[Client]:
    write(tmp_path / "documents", *documents)
    async with engine_over(tmp_path, READS) as engine:

        @asynccontextmanager
        async def opener() -> AsyncGenerator[Engine]:
            yield engine

        async with Client(build(ServerSettings(), door=Door(opener))) as client:
            yield client


@pytest.mark.requirement("impact-pages")
async def test_the_tool_gives_pages_with_complete_counts(tmp_path: Path) -> None:
    flows = [uses(f"W{n:03}", "AB") for n in range(150)]
    async with served(tmp_path, look("A"), look("B"), *flows) as client:
        first = await call(client, "get_blast_radius", name="A", format="both")
        second = await call(
            client, "get_blast_radius", name="A", format="both", cursor=first["nextCursor"]
        )
        wrong = await call(client, "get_blast_radius", name="A", cursor=first["nextCursor"])
        tried = await call(client, "get_blast_radius", name="A", whatIf={"delete": True})
        bad = await call(client, "get_blast_radius", name="A", whatIf={})
        (whole,) = (await client.read_resource("impact://task/A")).contents
        with pytest.raises(MCPError):
            await client.read_resource("impact://task/nothing")
    assert len(json.loads(whole.text)["summary"]["affectedWorkflows"]) == 150  # type: ignore[union-attr]
    assert first["summary"]["totalAffectedWorkflows"] == 150
    assert (len(first["summary"]["affectedWorkflows"]), first["omitted"]) == (100, 51)
    assert second["summary"]["affectedTasks"] == ["B"]
    assert "nextCursor" not in second
    assert wrong["code"] == "invalid_cursor"
    assert (len(tried["breaks"]), tried["breaksOmitted"], tried["tried"]) == (50, 100, 150)
    assert bad["code"] == "invalid_what_if"
