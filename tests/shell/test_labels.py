"""Labels by people: asked for, carried out, seen everywhere, taken back, kept through changes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.app.engine import open_engine
from engine.app.label_stats import Wanted
from engine.app.labelling import Change, Changed
from engine.app.settings import Settings
from engine.core.approval.plan import Requester
from engine.core.labels.change import Labels
from engine.core.labels.filter import EVERYTHING, Filter
from tests.shell.deciding import ann, asked, refusal, say_yes

ASKS = Requester("stdio")
FIRST = ("", "")

TASK = """
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: %s}
spec: {type: transform, category: %s, tags: [%s], transform: {query: "{{ input }}"}}
"""
FLOW = """
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: %s}
spec:
  categories: [%s]
  tags: [%s]
  tasks: [{id: a, taskRef: look, input: {}}]
"""


def write(folder: Path, flows: dict[str, tuple[str, str]], task: str = "") -> None:
    folder.mkdir(exist_ok=True)
    texts = [TASK % ("look", "reading", task or "quick")]
    texts += [FLOW % (name, *labels) for name, labels in flows.items()]
    (folder / "all.yaml").write_text("---\n".join(texts))


@asynccontextmanager
async def world(place: Path, **more: Any) -> AsyncGenerator[Engine]:
    folder = place / "documents"
    if not folder.exists():
        write(
            folder, {"pay": ("money", "fast, Team-A"), "mail": ("talk", "fast"), "bare": ("", "")}
        )
    settings = Settings(database=str(place / "h.db"), folders=(folder,), **more)
    async with open_engine(settings) as engine:
        yield engine


def tagged(*names: str, add: str = "", remove: str = "", thing: str = "workflow") -> Change:
    parts = [tuple(filter(None, each.split(","))) for each in (add, remove)]
    return Change(thing, names, add=Labels(tags=parts[0]), remove=Labels(tags=parts[1]))


def tags(engine: Engine, name: str) -> set[str]:
    infos, _ = engine.workflow_page(EVERYTHING, FIRST, -1)
    return set(next(info.tags for info in infos if info.name == name))


def having(engine: Engine, *words: str) -> set[str]:
    infos, total = engine.workflow_page(Filter(all_tags=words), FIRST, -1)
    assert total == len(infos)
    return {info.name for info in infos}


async def does(engine: Engine, wished: Change) -> Any:
    return (await say_yes(engine, engine.labels.change(wished, requester=ASKS))).result


@pytest.mark.requirement("labels-by-people")
async def test_a_label_that_a_person_allowed_is_seen_wherever_labels_are(tmp_path: Path) -> None:
    async with world(tmp_path) as engine:
        result = await does(engine, tagged("pay", "bare", add="Zebra"))
        assert result["moved"] == 2
        assert having(engine, "zebra") == {"pay", "bare"}
        assert (await engine.details("bare")).info.tags == ("Zebra",)
        hits = engine.search("zebra", 5).hits
        assert {hit.info.name for hit in hits[:2]} == {"pay", "bare"}
        assert await engine.labels.of("workflow", "default", "bare") == Labels(tags=("Zebra",))
        again = await engine.labels.change(tagged("pay", "bare", add="ZEBRA"), requester=ASKS)
        assert again == Changed(), "nothing is left to do, so nobody is asked"


@pytest.mark.requirement("labels-by-people")
async def test_what_a_document_says_is_hidden_and_comes_back(tmp_path: Path) -> None:
    async with world(tmp_path) as engine:
        result = await does(engine, tagged("pay", remove="FAST", add="slow"))
        assert tags(engine, "pay") == {"Team-A", "slow"}
        write(tmp_path / "documents", {"pay": ("money", "fast, fresh"), "mail": ("talk", "fast")})
        await engine.refresh()
        assert tags(engine, "pay") == {"fresh", "slow"}
        await say_yes(engine, engine.labels.undo(result["change"], requester=ASKS))
        assert tags(engine, "pay") == {"fast", "fresh"}
        assert await engine.labels.undo(result["change"], requester=ASKS) == Changed()
        with refusal("unknown_change"):
            await engine.labels.undo("lab_none", requester=ASKS)


async def test_what_was_added_and_removed_by_people_does_not_hide_a_later_document(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as engine:
        await does(engine, tagged("bare", add="soon"))
        await does(engine, tagged("bare", remove="soon"))
        assert tags(engine, "bare") == set()
        write(tmp_path / "documents", {"bare": ("", "soon")})
        await engine.refresh()
        assert tags(engine, "bare") == {"soon"}


@pytest.mark.requirement("labels-by-people")
async def test_labels_reach_other_processes_and_stay_after_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path) as one, world(tmp_path, work=False) as other:
        await does(one, tagged("mail", add="shared"))
        await other.refresh()
        assert having(other, "shared") == {"mail"}
        await does(other, tagged("mail", remove="shared,fast"))
        await one.refresh()
        assert having(one, "fast") == {"pay"}
    async with world(tmp_path) as engine:
        assert tags(engine, "mail") == set()


async def test_the_tables_of_labels_are_drawn_again_as_they_were(tmp_path: Path) -> None:
    async with world(tmp_path) as engine:
        result = await does(engine, tagged("mail", "pay", add="new", remove="fast"))
        await does(engine, tagged("mail", remove="new"))
        await say_yes(engine, engine.labels.undo(result["change"], requester=ASKS))
        tables = [
            ("label_since", {"after": -1, "limit": 100}),
            ("label_change", {"change": result["change"]}),
            ("label_days_since", {"day": 0}),
            ("label_head", {}),
        ]
        before = [await engine.store.fetch(name, tenant="default", **more) for name, more in tables]
        assert all(before)
        await engine.rebuild()
        after = [await engine.store.fetch(name, tenant="default", **more) for name, more in tables]
        assert [list(map(dict, rows)) for rows in after] == [list(map(dict, r)) for r in before]


@pytest.mark.requirement("declared-categories")
async def test_a_category_is_one_of_those_there_are(tmp_path: Path) -> None:
    wished = Change("workflow", ("bare",), add=Labels(categories=("Mony",)))
    async with world(tmp_path) as engine:
        with refusal("unknown_category") as refused:
            await engine.labels.change(wished, requester=ASKS)
        assert refused.value.details["suggestions"] == ["money"]
        (tmp_path / "categories.yaml").write_text("categories: [Money, Rare]\n")
        more = replace(wished, add=Labels(categories=("money", "RARE")))
        await does(engine, more)
        info = (await engine.details("bare")).info
        assert info.categories == ("Money", "Rare")
        with refusal("unknown_category"):
            await engine.labels.change(replace(wished, add=Labels(categories=("talk",))))
        (tmp_path / "categories.yaml").write_text("categories: Money\nprotectd: [x]\n")
        with refusal("labels_broken"):
            await engine.labels.change(more, requester=ASKS)


@pytest.mark.requirement("declared-categories")
async def test_a_task_has_one_category_at_most(tmp_path: Path) -> None:
    (tmp_path / "categories.yaml").write_text("categories: [reading, writing]\n")
    wished = Change("task", ("look",), add=Labels(categories=("writing",)))
    async with world(tmp_path) as engine:
        with refusal("one_category"):
            await engine.labels.change(wished, requester=ASKS)
        await does(engine, replace(wished, remove=Labels(categories=("reading",))))
        (task,) = engine.tasks()
        assert task.category == "writing"
        assert task.used_by
        assert engine.task_page(Filter(categories=("writing",)), FIRST, 5)[1] == 1
        with refusal("unknown_task"):
            await engine.labels.change(replace(wished, names=("lok",)))


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as engine:
        wanted = Change(wanted=Filter(any_tags=("fast",)), add=Labels(tags=("fast", "x")))
        found = await engine.labels.change(wanted, dry=True)
        assert [item.name for item, _ in found.items] == ["mail", "pay"]
        assert [[move.label for move in moved] for _, moved in found.items] == [["x"], ["x"]]
        assert not found.done
        assert having(engine, "x") == set()


@pytest.mark.requirement("label-bulk")
async def test_more_than_a_plan_holds_is_done_in_several(tmp_path: Path) -> None:
    write(tmp_path / "documents", {f"flow-{at:03}": ("", "many") for at in range(203)})
    async with world(tmp_path) as engine:
        wished = Change(wanted=Filter(all_tags=("many",)), add=Labels(tags=("seen",)))
        view = await asked(engine.labels.change(wished, requester=ASKS))
        assert len(view.plan.ops) == 200
        assert view.plan.later == ("the other 3",)
        person = await ann(engine)
        await engine.approvals.approve(view.id, digest=view.digest, approver=person)
        assert len(having(engine, "seen")) == 200
        await does(engine, wished)
        assert len(having(engine, "seen")) == 203


@pytest.mark.parametrize("label", ["", "a,b", "x" * 101, "pay\u202e", "\x1b[2J", "a\nb"])
async def test_a_label_that_hides_something_is_refused(tmp_path: Path, label: str) -> None:
    async with world(tmp_path) as engine:
        wished = Change("workflow", ("pay",), add=Labels(tags=(label,)))
        with refusal("bad_label"):
            await engine.labels.change(wished, requester=ASKS)


@pytest.mark.requirement("label-figures")
async def test_figures_say_what_is_used_unused_alike_and_covered(tmp_path: Path) -> None:
    (tmp_path / "categories.yaml").write_text("categories: [money, reading, rare]\n")
    flows = {"a": ("money", "invoice"), "b": ("talk", "invoices"), "c": ("", "Invoice")}
    write(tmp_path / "documents", flows)
    async with world(tmp_path) as engine:
        await does(engine, tagged("a", add="soon"))
        await does(engine, tagged("a", remove="soon"))
        stats = await engine.labels.stats(engine.settings.clock.now())
        assert [(day.added, day.removed) for day in stats.days] == [(1, 1)]
        assert stats.unused == ("rare",)
        assert stats.undeclared == ("talk",)
        assert {pair.why for pair in stats.alike} == {"case", "plural"}
        assert stats.coverage == (("workflow", 3, 3, 2, 3), ("task", 1, 1, 1, 1))
        page = await engine.labels.page(Wanted(type="tag", pattern="INV*"))
        assert [(use.label, use.workflows) for use in page.labels] == [
            ("Invoice", 2),
            ("invoices", 1),
        ]
        assert all(use.last_used for use in page.labels)
