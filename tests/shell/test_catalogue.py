"""The catalogue of a process: what is kept, what is read again, what stays compiled."""

import asyncio
import gc
import os
import tracemalloc
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Effect, Engine, PythonTask, Settings, open_engine
from engine.core.errors import Move
from engine.core.labels.filter import EVERYTHING
from engine.shell import folders, library
from engine.store import StoreError
from tests.bench import catalogue
from tests.shell.deciding import say_yes
from tests.shell.documents import engine_over, flow, look, write

BYTES = 250
"""Of a workflow that nobody uses, in memory: a hundred thousand are 25 MB."""
VECTOR = 256
"""What its meaning takes besides, where there are vectors."""


async def answer(given: Any) -> Any:
    return {"n": 1}


READS = {"look": PythonTask(answer, Effect.READ)}


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is kept in a file, however little it is."""
    monkeypatch.setattr(folders, "LARGE", 0)


def kept(folder: Path) -> list[str]:
    return sorted(
        file.name for file in folder.glob("*-catalogue-*") if file.name[-4:] not in ("-wal", "-shm")
    )


async def shown(engine: Engine) -> list[tuple[str, str, str]]:
    return [(info.name, info.version, info.description) for info in engine.workflows()]


def change_unseen(file: Path, old: str, new: str) -> None:
    """Write other text of the same size into a file, as if it had not been touched."""
    seen = file.stat()
    text = file.read_text()
    assert len(old) == len(new)
    assert old in text
    with file.open("r+") as stream:
        stream.write(text.replace(old, new))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))


@given(
    st.lists(
        st.builds(
            library.Known,
            st.integers(1, 2**63 - 1), st.just("shop"), st.just("pay"),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
            st.binary(min_size=32, max_size=32).map(bytes.hex), st.sampled_from(Effect),
            st.booleans(), st.integers(0, 2**63 - 1), st.booleans(), st.booleans(),
            st.booleans(), st.integers(0, 10_000),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_rows_of_versions_come_back_as_they_were_packed(rows: list[library.Known]) -> None:
    text = b"".join(library.packed(asdict(row)) for row in rows)
    assert library.unpacked("shop", "pay", text) == tuple(rows)


@pytest.mark.usefixtures("on_disk")
async def test_a_file_that_has_not_changed_is_not_read_at_the_next_start(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as engine:
        first = await shown(engine)
    (file,) = (tmp_path / "documents").iterdir()
    change_unseen(file, "name: w", "name: v")
    async with engine_over(tmp_path, READS) as engine:
        assert await shown(engine) == first
        assert [hit.info.name for hit in engine.search("w", 3).hits] == ["w"]
    os.utime(file, (1, 1))
    async with engine_over(tmp_path, READS) as engine:
        assert [name for name, _, _ in await shown(engine)] == ["v"]


async def test_a_long_strange_key_is_told_of_and_keeps_no_document_away(tmp_path: Path) -> None:
    strange = flow("s", [{"id": "a", "taskRef": "t", "two words " * 20: 1}])
    write(tmp_path / "documents", look("t"), strange, flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as engine:
        assert [name for name, _, _ in await shown(engine)] == ["s", "w"]
        assert [problem.code for problem in engine.problems()] == ["unknown_field"]


@pytest.mark.usefixtures("on_disk")
async def test_what_was_read_apart_is_not_read_here(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    (file,) = (tmp_path / "documents").iterdir()
    given = list[Settings]()

    async def apart(settings: Settings) -> None:
        given.append(settings)
        async with open_engine(settings):
            pass
        change_unseen(file, "name: w", "name: v")  # whoever reads now reads this

    for _ in range(2):
        async with engine_over(tmp_path, READS, apart=apart, signs=True) as engine:
            assert [name for name, _, _ in await shown(engine)] == ["w"]
            assert [hit.info.name for hit in engine.search("w", 3).hits] == ["w"]
    (settings,) = given
    assert (settings.work, settings.signs, settings.apart) == (False, False, None)


@pytest.mark.usefixtures("on_disk")
async def test_what_was_left_unread_is_read_here(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))

    async def apart(settings: Settings) -> None:
        assert settings.folders == (tmp_path / "documents",)

    async with engine_over(tmp_path, READS, apart=apart) as engine:
        assert [name for name, _, _ in await shown(engine)] == ["w"]


async def test_a_small_catalogue_is_read_here(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))

    async def apart(settings: Settings) -> None:
        raise AssertionError

    async with engine_over(tmp_path, READS, apart=apart) as engine:
        assert [name for name, _, _ in await shown(engine)] == ["w"]


@pytest.mark.usefixtures("on_disk")
async def test_what_other_rules_made_of_the_documents_is_not_believed(
    tmp_path: Path,
) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as engine:
        assert engine.workflows()[0].effect is Effect.READ
    async with engine_over(tmp_path, {"look": PythonTask(answer, Effect.MUTATION)}) as engine:
        assert (await engine.versions("w"))[-1].pending
    assert len(kept(tmp_path)) == 2


@pytest.mark.usefixtures("on_disk")
async def test_the_versions_of_another_tenant_change_no_list(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as one, engine_over(tmp_path, READS, tenant="b") as two:
        await say_yes(one, one.deprecate("w", "1.0.0"))
        await two.refresh()
        assert await shown(one) == []
        assert [name for name, _, _ in await shown(two)] == ["w"]


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("damage", [b"", b"no database at all", b"SQLite format 3\0 and then"])
async def test_a_damaged_file_of_what_was_read_is_made_again(tmp_path: Path, damage: bytes) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as engine:
        first = await shown(engine)
    (name,) = kept(tmp_path)
    (tmp_path / name).write_bytes(damage)
    async with engine_over(tmp_path, READS) as engine:
        assert await shown(engine) == first


@pytest.mark.usefixtures("on_disk")
async def test_damage_in_the_middle_is_met_and_mended(tmp_path: Path) -> None:
    flows = [flow(f"w{number}", [{"id": "a", "taskRef": "t"}]) for number in range(30)]
    write(tmp_path / "documents", look("t"), *flows)
    async with engine_over(tmp_path, READS) as engine:
        first = await shown(engine)
    (name,) = kept(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[4096 * 40 :] = b"\x05" * (len(content) - 4096 * 40)
    (tmp_path / name).write_bytes(content)
    write(tmp_path / "documents", look("t"), *flows, name="more.yaml")
    async with engine_over(tmp_path, READS) as engine:
        assert await shown(engine) == first


@pytest.mark.usefixtures("on_disk")
async def test_damage_that_a_search_meets_is_told_of_and_mended(tmp_path: Path) -> None:
    flows = [flow(f"w{number}", [{"id": "a", "taskRef": "t"}]) for number in range(30)]
    write(tmp_path / "documents", look("t"), *flows)
    async with engine_over(tmp_path, READS):
        pass
    async with engine_over(tmp_path, READS) as engine:
        (name,) = kept(tmp_path)
        with (tmp_path / name).open("r+b") as file:
            file.seek(4096)
            file.write(b"\x05" * ((tmp_path / name).stat().st_size - 4096))
        with pytest.raises(StoreError) as caught:
            engine.search("w7", 3)
        assert (caught.value.code, caught.value.move) == ("catalogue_damaged", Move.ENGINE)
        await engine.refresh()
        assert [hit.info.name for hit in engine.search("w7", 1).hits] == ["w7"]


@pytest.mark.usefixtures("on_disk")
async def test_two_processes_may_read_the_same_folders_at_once(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    async with engine_over(tmp_path, READS) as one, engine_over(tmp_path, READS) as other:
        write(tmp_path / "documents", look("t"), flow("v", [{"id": "a", "taskRef": "t"}]))
        await asyncio.gather(one.refresh(), other.refresh())
        assert await shown(one) == await shown(other)
        assert [name for name, _, _ in await shown(one)] == ["v"]
        assert len(await one.versions("v")) == 1


def nested(tmp_path: Path, **more: Any) -> None:
    """A workflow `top` that starts `sub`, and another."""
    steps = [{"id": "a", "taskRef": "t"}]
    top = flow("top", [{"id": "s", "workflowRef": "sub"}])
    documents = [look("t"), flow("sub", steps, **more), top, flow("other", steps)]
    write(tmp_path / "documents", *documents)


def digest_of(shelf: library.Library, name: str) -> str:
    row = shelf.default_row("default", name)
    assert row is not None
    return row.digest


async def test_what_a_workflow_may_open_stays_compiled_as_long_as_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "RECENT", 1)
    nested(tmp_path)
    async with engine_over(tmp_path, READS) as engine:
        shelf = engine._library
        top = await shelf.learn(digest_of(shelf, "top"))
        await shelf.learn_all(top)
        await shelf.learn(digest_of(shelf, "other"))
        nested(tmp_path, description="Another.")
        refreshing = asyncio.create_task(engine.refresh())
        while not refreshing.done():
            assert shelf.default("default", "sub") is not None
            await asyncio.sleep(0)
        await refreshing
        gc.collect()
        newer = shelf.default("default", "sub")
        assert newer is not None
        assert newer.description == "Another."
        del top, newer
        await shelf.learn(digest_of(shelf, "other"))
        gc.collect()
        assert shelf.default("default", "sub") is None


async def test_a_run_opens_what_its_process_has_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "RECENT", 1)
    steps = [{"id": "a", "taskRef": "t"}]
    names = [f"w{number}" for number in range(4)]
    flows = [flow(name, steps) for name in names]
    tops = [flow(f"top{n}", [{"id": "s", "workflowRef": name}]) for n, name in enumerate(names)]
    write(tmp_path / "documents", look("t"), *flows, *tops)
    async with engine_over(tmp_path, READS) as engine:
        for _ in range(2):
            runs = [await engine.start(f"top{n}", {}) for n in range(4)]
            ended = await asyncio.gather(*(engine.wait(run.id, 10) for run in runs))
            assert {run.status for run in ended} == {"completed"}
            assert [step.path for step in (await engine.run(runs[0].id)).steps][:1] == ["s"]


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize(
    ("encoder", "most"), [("off", BYTES), ("", BYTES + VECTOR)], ids=["words", "meaning"]
)
async def test_a_workflow_that_nobody_uses_costs_a_few_hundred_bytes(
    tmp_path: Path, encoder: str, most: int
) -> None:
    few, many = [await held(tmp_path / str(count), count, encoder) for count in (200, 800)]
    assert (many - few) / 600 < most


async def held(folder: Path, count: int, encoder: str) -> int:
    """The bytes that an engine over `count` known workflows holds once it has been used."""
    catalogue.write(folder / "documents", count)
    settings = Settings(str(folder / "h.db"), (folder / "documents",), encoder=encoder)
    async with open_engine(settings):
        pass  # the first reading
    gc.collect()
    tracemalloc.start()
    try:
        async with open_engine(settings) as engine:
            assert engine.workflow_page(EVERYTHING, ("", ""), 20)[1] == count
            assert engine.search("overdue invoices", 5).hits
            await engine.wait((await engine.start("ready", {})).id, 5)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
