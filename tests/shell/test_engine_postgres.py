"""The engine whole on PostgreSQL: one process asks, another works."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from engine import Effect, Engine, PythonTask, Refused, RunFilter, Settings, open_engine
from engine.app.labelling import Change
from engine.core.labels.change import Labels
from tests.postgres import Server
from tests.shell.deciding import say_yes
from tests.shell.documents import flow, look, write
from tests.shell.test_indexes import READS, TASKS, a_task, change, seen

NUMBER = {"n": {"type": "integer", "required": True, "description": "A number."}}

HOSTILE = ['"', "name:x OR *", "NEAR(a b)", "' or 1=1 --", "(((", "-order", "order^2", "\0", "🙂"]
"""What has a meaning in the language of some index."""


@pytest.fixture
def url(postgres: Server) -> Generator[str]:
    made = postgres.create()
    yield made
    postgres.drop(made)


async def double(given: Any) -> Any:
    return {"n": given["n"] * 2}


@asynccontextmanager
async def two(url: str, folder: Path) -> AsyncGenerator[tuple[Engine, Engine]]:
    """One engine that only asks and one that works, as two processes would have."""
    step = {"id": "a", "taskRef": "t", "input": {"n": "{{input.n}}"}}
    output = {"n": "{{tasks.a.output.n}}"}
    write(folder, look("t"), flow("w", [step], input=NUMBER, output=output))
    functions = {"look": PythonTask(double, Effect.READ)}
    async with AsyncExitStack() as stack:
        settings = Settings(url, (folder,), functions=functions)
        works = await stack.enter_async_context(open_engine(settings))
        idle = Settings(url, (folder,), functions=functions, work=False)
        yield await stack.enter_async_context(open_engine(idle)), works


async def test_what_one_process_starts_another_carries_out(url: str, tmp_path: Path) -> None:
    async with two(url, tmp_path) as (asks, works):
        run = await asks.start("w", {"n": 4}, key="k")
        ended = await works.wait(run.id, 20)
        assert (ended.status, ended.output) == ("completed", {"n": 8})
        again = await works.start("w", {"n": 4}, key="k")
        assert (again.id, again.reused) == (run.id, True)
        with pytest.raises(Refused) as refused:
            await works.start("w", {"n": 5}, key="k")
        assert refused.value.code == "idempotency_key_reused"
        assert [row.id for row in (await asks.runs(RunFilter(status="completed"))).rows] == [run.id]


async def test_the_tables_are_drawn_again_and_doctor_names_the_place(
    url: str, tmp_path: Path
) -> None:
    async with two(url, tmp_path) as (asks, works):
        ended = await works.wait((await works.start("w", {"n": 1})).id, 20)
        assert await asks.rebuild()
        assert (await asks.run(ended.id)) == ended
        lately = await asks.statistics.of("default", "w")
        assert (lately.runs, lately.completed, lately.last_run) == (1, 1, ended.id)
        assert lately.p50 == lately.p95 is not None
        said = {health.name: health for health in await asks.health()}
        assert said["postgresql"].ok
        assert url in said["database"].detail


async def test_labels_by_people_are_the_same_there(url: str, tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}], tags=["old"]))
    functions = {"look": PythonTask(double, Effect.READ)}
    settings = Settings(url, (tmp_path / "documents",), functions=functions, work=False)
    wished = Change("workflow", ("w",), add=Labels(tags=("new",)), remove=Labels(tags=("old",)))
    async with open_engine(settings) as one, open_engine(settings) as other:
        done = await say_yes(one, one.labels.change(wished))
        assert done.result["moved"] == 2
        await other.refresh()
        assert other.workflows()[0].tags == ("new",)
        assert (await other.labels.stats(other.settings.clock.now())).days[0].added == 1
        await say_yes(other, other.labels.undo(done.result["change"]))
        await one.refresh()
        assert one.workflows()[0].tags == ("old",)
        await one.rebuild()
        assert await one.labels.of("workflow", "default", "w") == Labels(tags=("old",))


@pytest.mark.requirement("search-on-postgres")
@pytest.mark.parametrize("encoder", ["off", "wordllama"])
async def test_what_is_found_there_is_what_is_found_on_sqlite(
    url: str, tmp_path: Path, encoder: str
) -> None:
    chance, folder = Random(7), tmp_path / "documents"
    write(folder, *(a_task(chance, name) for name in TASKS), name="first.yaml")
    settings = Settings(url, (folder,), functions=READS, work=False, encoder=encoder)
    async with (
        open_engine(settings) as there,
        open_engine(replace(settings, database=str(tmp_path / "h.db"))) as here,
    ):
        for _ in range(12):
            change(chance, folder)
        await here.refresh()
        await there.refresh()
        wished = Change("workflow", (here.workflows()[0].name,), add=Labels(tags=("zebra",)))
        for engine in (here, there):
            await say_yes(engine, engine.labels.change(wished))
        found = await seen(here)
        assert found == await seen(there)
        assert any(each.hits for each in found["found"].values())
        assert here.search("zebra", 9) == there.search("zebra", 9) != here.search("quagga", 9)
        for text in HOSTILE:
            assert here.search(text, 9) == there.search(text, 9)


def suggested(url: str) -> list[tuple[Any, ...]]:
    """What the table of suggestions says."""
    with psycopg.connect(url) as db:
        return db.execute("select word, type, state, at, confidence from suggestions").fetchall()


@pytest.mark.requirement("suggestions-recorded")
async def test_what_became_of_suggestions_is_the_same_when_it_is_drawn_again(
    url: str, tmp_path: Path
) -> None:
    step, text = [{"id": "a", "taskRef": "t"}], "Sends an invoice."
    flows = [
        flow(
            f"send-invoice-{at}", step, description=text, tags=["mail"] * (at > 0), categories=also
        )
        for at, also in enumerate([[], ["billing"], ["billing"], ["billing"]])
    ]
    write(tmp_path / "documents", look("t"), *flows)
    functions = {"look": PythonTask(double, Effect.READ)}
    settings = Settings(url, (tmp_path / "documents",), functions=functions, work=False)
    async with open_engine(settings) as one, open_engine(settings) as other:
        new = "send-invoice-0"
        found = await one.suggesting.suggest(new)
        assert {each.label for each in found.suggestions} == {"mail", "billing"}
        await other.suggesting.reject(new, "billing", actor="user")
        mail = Labels(tags=("mail",))
        await say_yes(one, one.labels.change(Change("workflow", (new,), add=mail)))
        await say_yes(one, one.labels.change(Change("workflow", (new,), remove=mail)))
        assert len((await one.suggesting.suggest(new)).suggestions) == 1
        live = suggested(url)
        assert sorted(row[:3] for row in live) == [("billing", "category", 2), ("mail", "tag", 0)]
        assert await other.rebuild()
        assert sorted(suggested(url)) == sorted(live)
        assert await one.suggesting.stats() == await other.suggesting.stats()
