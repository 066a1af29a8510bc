"""What is found, listed and concerned is the same after any changes as when all is read anew."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import Effect, Engine, PythonTask
from engine.core.errors import Refused
from engine.core.labels.filter import EVERYTHING, Filter
from tests.shell.documents import engine_over, flow, look, write

WORDS = ["order", "user", "mail", "price", "refund", "weather", "city", "report"]
QUERIES = ["order of a user", "refundOrder", "weather in a city", "send the report", "f3", "x"]
FILTERS = [EVERYTHING, Filter(all_tags=("order",)), Filter(any_tags=("mail", "city")),
           Filter(exclude_tags=("user",)), Filter(categories=("report",)),
           Filter(tag_pattern="r*")]  # fmt: skip
TASKS, FLOWS = [f"t{n}" for n in range(5)], [f"f{n}" for n in range(8)]


def a_task(chance: Random, name: str) -> dict[str, Any]:
    words = chance.sample(WORDS, 4)
    return look(name, description=" ".join(words[:3]), category=words[3], tags=words[:1])


def _flow(chance: Random, name: str) -> dict[str, Any]:
    used = chance.sample(TASKS, chance.randint(1, 3))
    steps = [{"id": each, "taskRef": each, "input": {}} for each in used]
    words = chance.sample(WORDS, 4)
    fields = {words[0]: {"type": "string", "description": f"The {words[1]}."}}
    made = flow(name, steps, input=fields)
    made["spec"] |= {"description": " ".join(words), "tags": words[:2], "categories": words[2:3]}
    return made


def change(chance: Random, folder: Path) -> None:
    """One file is written, rewritten or removed."""
    name = chance.choice(TASKS + FLOWS)
    if chance.random() < 0.2:
        (folder / f"{name}.yaml").unlink(missing_ok=True)
    else:
        make = a_task if name in TASKS else _flow
        write(folder, make(chance, name), name=f"{name}.yaml")


async def seen(engine: Engine) -> dict[str, Any]:
    found = {query: engine.search(query, 10) for query in QUERIES}
    pages = {each.key: engine.workflow_page(each, ("", ""), 50) for each in FILTERS}
    tasks = {each.key: engine.task_page(each, ("", ""), 50) for each in FILTERS}
    concerned = {name: await _concerned(engine, name) for name in TASKS}
    return {
        "found": found, "pages": pages, "tasks": tasks, "concerned": concerned,
        "problems": engine.problems(),
    }  # fmt: skip


async def _nothing(given: Any) -> Any:
    return given


READS = {"look": PythonTask(_nothing, Effect.READ)}


async def _concerned(engine: Engine, name: str) -> Any:
    try:
        return await engine.impact.blast_radius(name, depth=0, graph=True)
    except Refused as refused:
        return refused.code


@pytest.mark.requirement("index-as-if-new")
@pytest.mark.parametrize("seed", range(3))
async def test_every_index_is_after_many_changes_what_it_is_read_anew(
    tmp_path: Path, seed: int
) -> None:
    chance, folder = Random(seed), tmp_path / "documents"
    write(folder, *(a_task(chance, name) for name in TASKS), name="first.yaml")
    async with engine_over(tmp_path, READS, work=False) as engine:
        for _ in range(20):
            change(chance, folder)
            await engine.refresh()
            await seen(engine)  # what is asked in between is what might be kept
        changed = await seen(engine)
        async with engine_over(tmp_path, READS, work=False) as anew:
            assert changed == await seen(anew)
    assert any(found.hits for found in changed["found"].values())
