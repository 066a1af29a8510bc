"""Attack 23, label confusion: an assistant labels a workflow so that a rule lets it run unasked.

The policy has a rule for workflows that a person labelled `auto-ok`, and one by which plain labels
pass by themselves. Whatever the assistant does with labels, nothing is changed outside unasked.
"""

from pathlib import Path

import pytest

from engine import Effect, Engine, PythonTask
from engine.app.labelling import Change
from engine.core.approval.gated import Gated
from engine.core.approval.plan import Requester
from engine.core.labels.change import Labels
from tests.shell.deciding import ann, asked, refusal, say_yes
from tests.shell.documents import engine_over, flow, look, write

ASKS = Requester("stdio")
POLICY = """
rules:
  - id: safe-run
    when: {kind: run.mutations, label: auto-ok}
    then: {auto: true, budget: 20/h}
  - id: every-label
    when: {kind: [labels.change, labels.protect], items: {max: 20}}
    then: {auto: true, budget: 50/h}
"""


async def answer(given: object) -> object:
    return {"ok": True}


CHANGES = {"look": PythonTask(answer, Effect.MUTATION)}


def prepared(place: Path, **metadata: object) -> None:
    (place / "policy.yaml").write_text(POLICY)
    (place / "categories.yaml").write_text('protected: ["prod:*"]\n')
    spec = flow("w", [{"id": "a", "taskRef": "t"}])
    spec["spec"] |= metadata
    write(place / "documents", look("t"), spec)


def with_tag(label: str) -> Change:
    return Change("workflow", ("w",), add=Labels(tags=(label,)))


async def status(engine: Engine) -> str:
    view = await engine.start("w", {}, requester=ASKS)
    return (await engine.wait(view.id, 5)).status


@pytest.mark.requirement("attack-label-confusion")
@pytest.mark.parametrize("spelled", ["auto-ok", "AUTO-OK", " auto-ok "])
async def test_an_assistant_cannot_label_its_way_past_a_person(
    tmp_path: Path, spelled: str
) -> None:
    prepared(tmp_path)
    async with engine_over(tmp_path, CHANGES) as engine:
        await say_yes(engine, engine.approvals.accept("w", requester=ASKS))
        changed = await engine.labels.change(with_tag("plain"), requester=ASKS)
        assert changed.done, "a label that nothing relies on passes by the rule"
        view = await asked(engine.labels.change(with_tag(spelled), requester=ASKS))
        assert (view.kind, view.assurance_needed) == ("labels.protect", "A2")
        person = await ann(engine)
        attested = engine.approvals.attested(ASKS)
        with refusal("assurance_too_low"):
            await engine.approvals.approve(view.id, digest=view.digest, approver=attested)
        assert await status(engine) == "paused:approval"
        with pytest.raises(Gated):
            await engine.labels.change(with_tag("prod:payments"), requester=ASKS)
        await engine.approvals.approve(view.id, digest=view.digest, approver=person)
        assert await status(engine) == "completed", "now a person has said so"


@pytest.mark.requirement("attack-label-confusion")
async def test_a_protected_label_in_a_document_is_worth_nothing(tmp_path: Path) -> None:
    prepared(tmp_path, tags=["auto-ok", "prod:x", "fine"])
    async with engine_over(tmp_path, CHANGES) as engine:
        await say_yes(engine, engine.approvals.accept("w", requester=ASKS))
        assert (await engine.details("w")).info.tags == ("fine",)
        assert await status(engine) == "paused:approval"


@pytest.mark.requirement("attack-label-confusion")
async def test_a_plan_asked_before_a_label_was_protected_does_not_set_it(tmp_path: Path) -> None:
    prepared(tmp_path)
    (tmp_path / "policy.yaml").write_text("rules: []\n")
    async with engine_over(tmp_path, CHANGES) as engine:
        view = await asked(engine.labels.change(with_tag("later"), requester=ASKS))
        (tmp_path / "categories.yaml").write_text("protected: [later]\n")
        person = await ann(engine)
        done = await engine.approvals.approve(view.id, digest=view.digest, approver=person)
        assert done.outcome == "drifted"
        assert (await engine.details("w")).info.tags == ()


async def test_taking_a_protected_label_away_needs_a_person_too(tmp_path: Path) -> None:
    prepared(tmp_path)
    async with engine_over(tmp_path, CHANGES) as engine:
        done = await say_yes(engine, engine.labels.change(with_tag("auto-ok"), requester=ASKS))
        gone = Change("workflow", ("w",), remove=Labels(tags=("auto-ok",)))
        view = await asked(engine.labels.change(gone, requester=ASKS))
        back = await asked(engine.labels.undo(done.result["change"], requester=ASKS))
        assert view.kind == back.kind == "labels.protect"
