"""The blast radius of an engine's documents: names, versions, pages."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, Engine, Gated, PythonTask, Refused
from engine.app.labelling import Change
from engine.core.approval import render
from engine.core.approval.facts import facts
from engine.core.approval.plan import canonical, read
from engine.core.impact.radius import Radius
from engine.core.labels.change import Labels
from engine.shell import folders
from tests.shell.documents import engine_over, flow, look, write


async def answer(given: Any) -> Any:
    return {"n": 1}


READS = {"look": PythonTask(answer, Effect.READ)}


def uses(
    name: str, tasks: Iterable[str], *workflows: str, space: str = "default"
) -> dict[str, Any]:
    """A workflow with a step for each task (a letter) and each workflow."""
    steps: list[dict[str, Any]] = [{"id": f"t{each}", "taskRef": each} for each in tasks]
    steps += [{"id": f"w{n}", "workflowRef": each} for n, each in enumerate(workflows)]
    document = flow(name, steps)
    document["metadata"]["namespace"] = space
    return document


def shown(found: Radius) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(level.workflows, level.tasks) for level in found.levels]


CHAIN = (look("A"), look("B"), look("C"), uses("W1", "AB"), uses("W2", "BC"))


@pytest.mark.requirement("impact-scenarios")
async def test_a_chain_of_documents_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "documents", *CHAIN)
    async with engine_over(tmp_path, READS) as engine:
        one = await engine.impact.blast_radius("A")
        two = await engine.impact.blast_radius("A", depth=2)
    assert (shown(one), one.cut) == ([(("W1",), ("B",))], True)
    assert (shown(two), two.cut) == ([(("W1",), ("B",)), (("W2",), ("C",))], False)
    assert (two.workflows, two.tasks) == (2, 2)


@pytest.mark.parametrize("large", [False, True])
async def test_it_follows_the_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(folders, "LARGE", 0)
    folder = write(tmp_path / "documents", *CHAIN)
    async with engine_over(tmp_path, READS) as engine, engine_over(tmp_path, READS) as other:
        for each in (engine, other):
            assert (await each.impact.blast_radius("A")).workflows == 1
        write(folder, uses("W3", "A"), name="more.yaml")
        for each in (engine, other):
            await each.refresh()
            assert (await each.impact.blast_radius("A")).workflows == 2
        (folder / "more.yaml").unlink()
        await other.refresh()
        await engine.refresh()
        assert (await engine.impact.blast_radius("A")).workflows == 1


async def test_an_unknown_name_is_refused_with_what_is_near(tmp_path: Path) -> None:
    write(tmp_path / "documents", look("get-user"), uses("W1", ["get-user"]))
    async with engine_over(tmp_path, READS) as engine:
        for kind, name, code in (
            ("task", "get-usr", "unknown_task"),
            ("workflow", "W", "unknown_workflow"),
            ("connector", "shop", "unknown_connector"),
            ("version", "W1@9.9.9", "unknown_version"),
            ("topic", "x", "invalid_kind"),
        ):
            with pytest.raises(Refused) as caught:
                await engine.impact.blast_radius(name, kind)
            assert caught.value.code == code
        with pytest.raises(Refused) as caught:
            await engine.impact.blast_radius("get-usr")
        assert caught.value.details["suggestions"] == ["get-user"]


async def test_a_name_in_several_namespaces_has_to_say_which(tmp_path: Path) -> None:
    both = [look("send"), look("send")]
    both[0]["metadata"]["namespace"], both[1]["metadata"]["namespace"] = "shop", "post"
    write(tmp_path / "documents", *both)
    async with engine_over(tmp_path, READS) as engine:
        with pytest.raises(Refused) as caught:
            await engine.impact.blast_radius("send")
        assert caught.value.code == "ambiguous_task"
        assert caught.value.details["suggestions"] == ["post/send", "shop/send"]
        assert (await engine.impact.blast_radius("shop/send")).name == "shop/send"


async def versions_of(engine: Engine, name: str) -> list[str]:
    return [version.version for version in await engine.versions(name)]


async def test_a_version_concerns_what_starts_it(tmp_path: Path) -> None:
    inner = uses("inner", "AB")
    inner["metadata"]["version"] = "1.0.0"
    folder = write(tmp_path / "documents", look("A"), look("B"), look("C"), inner)
    async with engine_over(tmp_path, READS) as engine:
        write(folder, uses("pins", "C", "inner@1.0.0"), uses("any", "", "inner"), name="more.yaml")
        await engine.refresh()
        both = await engine.impact.blast_radius("inner@1.0.0", "version")
        inner["spec"]["description"], inner["metadata"]["version"] = "Other.", "2.0.0"
        write(folder, look("A"), look("B"), look("C"), inner)
        await engine.refresh()
        assert await versions_of(engine, "inner") == ["1.0.0", "2.0.0"]
        old = await engine.impact.blast_radius("inner@1.0.0", "version")
        new = await engine.impact.blast_radius("inner@2.0.0", "version")
        whole = await engine.impact.blast_radius("inner", "workflow")
    assert shown(both) == [(("any", "pins"), ("C",))]
    assert (shown(old), old.version, old.pins) == ([(("pins",), ("C",))], "1.0.0", ("A", "B"))
    assert shown(new) == [(("any",), ())]
    assert shown(whole) == shown(both)
    assert (old.runs, new.runs) == (0, 0)


@pytest.mark.requirement("impact-pages")
async def test_pages_together_are_the_whole_and_counts_are_complete(tmp_path: Path) -> None:
    flows = [uses(f"W{n}", "AB" if n % 2 else "BC") for n in range(7)]
    write(tmp_path / "documents", look("A"), look("B"), look("C"), *flows)
    async with engine_over(tmp_path, READS) as engine:
        whole = await engine.impact.blast_radius("A", depth=0, graph=True)
        for limit in (1, 2, 4, 100):
            pages = [await engine.impact.blast_radius("A", depth=0, graph=True, limit=limit)]
            while pages[-1].more:
                pages.append(
                    await engine.impact.blast_radius(
                        "A", depth=0, graph=True, limit=limit, after=pages[-1].last
                    )
                )
            assert {(page.workflows, page.tasks) for page in pages} == {(7, 2)}
            assert [node for page in pages for node in page.nodes] == [*whole.nodes]
            assert [edge for page in pages for edge in page.edges] == [*whole.edges]


# -- what a person is asked ------------------------------------------------------------------------


@pytest.mark.requirement("impact-gate")
async def test_a_question_about_the_catalogue_says_what_it_concerns(tmp_path: Path) -> None:
    inner = uses("inner", "A")
    folder = write(tmp_path / "documents", look("A"), look("B"), inner)
    write(folder, uses("caller", "B", "inner"), uses("other", "B"), name="more.yaml")
    async with engine_over(tmp_path, READS) as engine:
        with pytest.raises(Gated) as asked:
            await engine.deprecate("inner", "1.0.0")
        first = asked.value.approval
        write(folder, uses("third", "B"), name="third.yaml")
        await engine.refresh()
        with pytest.raises(Gated) as again:
            await engine.deprecate("inner", "1.0.0")
        with pytest.raises(Gated) as alone:
            await engine.deprecate("other", "1.0.0")
    text = render.text(first.plan)
    assert "concerns 2 other workflows and 1 task (depth 3)" in text
    assert facts(first.plan).workflows == 2
    assert again.value.approval.id == first.id, "another document makes it no other question"
    assert "concerns no other workflow" in render.text(alone.value.approval.plan)
    assert read(canonical(first.plan)) == first.plan


@pytest.mark.requirement("impact-gate")
async def test_a_question_about_labels_says_what_uses_the_things(tmp_path: Path) -> None:
    folder = write(tmp_path / "documents", look("A"), look("B"), uses("inner", "A"))
    write(folder, uses("caller", "B", "inner"), uses("other", "B"), name="more.yaml")
    slow = Labels(tags=("slow",))
    async with engine_over(tmp_path, READS) as engine:
        with pytest.raises(Gated) as task:
            await engine.labels.change(Change("task", ("A",), add=slow))
        with pytest.raises(Gated) as both:
            await engine.labels.change(Change("workflow", ("inner", "caller"), add=slow))
        write(folder, uses("third", "A"), name="third.yaml")
        await engine.refresh()
        with pytest.raises(Gated) as again:
            await engine.labels.change(Change("task", ("A",), add=slow))
    assert "concerns 3 other workflows and 1 task (depth 3)" in render.text(
        task.value.approval.plan
    )
    assert "concerns 1 other workflow and 1 task" in render.text(both.value.approval.plan)
    assert again.value.approval.id == task.value.approval.id


@pytest.mark.requirement("impact-gate")
async def test_a_rule_may_ask_how_many_workflows_a_change_concerns(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "default: {require: A2}\nrules:\n  - {id: wide, when: {workflows: {min: 1}}, then: deny}\n"
    )
    write(tmp_path / "documents", look("A"), uses("inner", "A"), uses("caller", "", "inner"))
    async with engine_over(tmp_path, READS, policy=policy) as engine:
        with pytest.raises(Refused) as caught:
            await engine.deprecate("inner", "1.0.0")
        assert caught.value.details["rule"] == "wide"
        with pytest.raises(Gated):
            await engine.deprecate("caller", "1.0.0")
