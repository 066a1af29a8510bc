"""What is allowed for longer than once: narrow, for a time, and until somebody takes it back."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import Effect, PythonTask
from engine.core.approval.plan import Operation, Requester
from engine.core.approval.standing import LASTS
from engine.core.approval.state import Approver
from engine.shell.clock import TestClock
from engine.shell.keeping import Denied, Granted, Parked
from tests.shell.deciding import ann, asked, refusal, say_yes
from tests.shell.documents import engine_over, flow, look, write
from tests.shell.test_keeping import ALLOWING, CLAUDE, Scene, scene

__all__ = ["scene"]

HOUR = 60 * 60_000_000
TAG = Operation(
    "tag", "update", "PUT https://shop.example/orders/1/tags", {"tags": ["new"]},
    task="default/tag", definition="d" * 64, reversible=True,
)  # fmt: skip


async def always(scene: Scene, *ops: Operation) -> str:
    """Allow something always; the name of the standing grant."""
    view = await scene.parked(*ops)
    approvals = scene.engine.approvals
    await approvals.allow_always(view.id, digest=view.digest, approver=await ann(scene.engine))
    assert isinstance(await scene.asks(*ops), Granted)
    return (await approvals.grants())[0].id


@pytest.mark.requirement("standing-grants")
async def test_what_is_always_allowed_passes_and_what_differs_asks(scene: Scene) -> None:
    words = (await scene.engine.approvals.proposed_rule((await scene.parked(TAG)).id)).words
    assert any("shop.example" in line for line in words)
    await always(scene, TAG)
    again = replace(TAG, args={"tags": ["other"]})
    permit = await scene.asks(again)
    assert isinstance(permit, Granted)
    assert permit.grant.startswith("rule:always-")
    for other in (
        replace(TAG, target="PUT https://evil.example/orders/1/tags"),
        replace(TAG, definition="e" * 64),
        replace(TAG, verb="create"),
        replace(TAG, reversible=False),
    ):
        assert not isinstance(await scene.asks(other), Granted)


@pytest.mark.requirement("standing-grants")
async def test_a_standing_grant_ends_by_time_by_word_and_by_another_policy(
    scene: Scene, tmp_path: Path
) -> None:
    approvals, person = scene.engine.approvals, await ann(scene.engine)
    first = await always(scene, TAG)
    await approvals.revoke_grant(first, approver=person)
    with refusal("already_revoked"):
        await approvals.revoke_grant(first, approver=person)
    with refusal("unknown_grant"):
        await approvals.revoke_grant("grant_no", approver=person)
    second = await always(scene, TAG)
    scene.clock.time += LASTS
    assert isinstance(await scene.asks(TAG), Parked)
    await scene.engine.store.rebuild()
    shown = {grant.id: grant for grant in await approvals.grants()}
    assert (shown[first].revoked_by, shown[second].revoked_at) == ("ann", 0)
    await always(scene, TAG)
    (tmp_path / "policy.yaml").write_text(ALLOWING.replace("3/h", "4/h"))
    assert isinstance(await scene.asks(TAG), Parked)


async def test_a_rule_of_the_policy_that_forbids_stands_above(scene: Scene, tmp_path: Path) -> None:
    await always(scene, TAG)
    forbids = ALLOWING.replace("evil.example", "evil.example, shop.example")
    (tmp_path / "policy.yaml").write_text(forbids)
    assert isinstance(await scene.asks(TAG), Denied)


async def test_what_cannot_be_taken_back_is_never_always_allowed(scene: Scene) -> None:
    approvals = scene.engine.approvals
    for op in (replace(TAG, verb="pay"), replace(TAG, reversible=False)):
        view = await scene.parked(op)
        with refusal("cannot_always_allow"):
            await approvals.proposed_rule(view.id)
        with refusal("cannot_always_allow"):
            await approvals.allow_always(
                view.id, digest=view.digest, approver=await ann(scene.engine)
            )
        assert (await approvals.get(view.id)).state == "pending"


async def test_a_form_in_a_client_allows_nothing_for_longer(scene: Scene) -> None:
    view = await scene.parked(TAG)
    weak: Sequence[Approver] = (scene.engine.approvals.attested(CLAUDE),)
    with refusal("assurance_too_low"):
        await scene.engine.approvals.allow_always(view.id, digest=view.digest, approver=weak[0])
    assert await scene.engine.approvals.grants() == ()


# -- workflows that run by themselves -------------------------------------------------------


@pytest.mark.requirement("standing-grants")
async def test_an_activated_version_changes_things_by_itself_and_only_by_itself(
    tmp_path: Path,
) -> None:
    sent: list[Any] = []

    def change(given: Any) -> Any:
        sent.append(given)
        return {}

    write(tmp_path / "documents", look("t"), flow("w", [{"id": "a", "taskRef": "t"}]))
    functions, clock = {"look": PythonTask(change, Effect.MUTATION)}, TestClock()
    alone = Requester("schedule")
    async with engine_over(tmp_path, functions, clock=clock) as engine:
        await say_yes(engine, engine.approvals.accept("w", requester=CLAUDE))

        async def ended(requester: Requester) -> str:
            run = await engine.start("w", {}, requester=requester)
            return (await engine.wait(run.id, 20)).status

        assert await ended(alone) == "paused:approval"
        wish: dict[str, Any] = {"requester": CLAUDE, "hourly": 2, "hours": 24}
        view = await asked(engine.approvals.activate("w", **wish))
        assert (view.kind, view.plan.ops[0].args["hourly"]) == ("workflow.activate", 2)
        await say_yes(engine, engine.approvals.activate("w", **wish))
        await engine.approvals.activate("w", **wish)
        assert [await ended(alone) for _ in range(3)] == ["completed"] * 2 + ["paused:approval"]
        assert await ended(CLAUDE) == "paused:approval"
        clock.time += 2 * HOUR
        assert await ended(alone) == "completed"
        (grant,) = await engine.approvals.grants()
        assert grant.used == len(sent) == 3
        await engine.approvals.revoke_grant(grant.id, approver=await ann(engine))
        assert await ended(alone) == "paused:approval"
        with refusal("invalid_input"):
            await engine.approvals.activate("w", requester=CLAUDE, hourly=0, hours=1)
