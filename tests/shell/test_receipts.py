"""Every change leads back to a yes or a rule; what does not, and what a table says, is found."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.core import events as ev
from engine.core.approval import events as ap
from engine.core.approval.plan import operation_digest
from engine.core.log import NEW, Append, Entry
from engine.shell.keeping import Granted
from tests.shell.test_keeping import CHARGE, NOTIFY, Scene, scene

__all__ = ["scene"]

OWN = operation_digest(CHARGE)


async def written(scene: Scene, stream: int, *events: Any) -> None:
    """Write events past every rule, as a bug or a thief would, with a chain that holds."""
    history = await scene.engine.store.read(stream) if stream else []
    version = history[-1].version if history else 0
    entry = Entry(stream or NEW, version, events)
    await scene.engine.store.append(Append((entry,), scene.clock.now(), "thief"))


async def found(scene: Scene) -> list[tuple[str, str]]:
    audit = await scene.engine.audits.verify()
    return [(each.kind, each.what) for each in audit.findings]


def sent(grant: str, digest: str = OWN) -> ev.StepInFlight:
    return ev.StepInFlight("charge", 1, grant, digest)


async def stream_of(scene: Scene, approval: str) -> int:
    (row,) = await scene.engine.store.fetch("approval_by_uid", tenant="default", uid=approval)
    return int(row["id"])


@pytest.mark.requirement("receipts")
async def test_what_was_allowed_claimed_and_sent_is_sound(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    assert isinstance(await scene.asks(CHARGE), Granted)
    await written(scene, scene.stream, sent(view.id))
    assert isinstance(await scene.asks(NOTIFY), Granted)  # by a rule
    await written(scene, scene.stream, sent("rule:mails", operation_digest(NOTIFY)))
    assert await found(scene) == []


@pytest.mark.requirement("receipts")
async def test_a_change_without_a_grant_is_found(scene: Scene) -> None:
    await written(scene, scene.stream, sent("apr_nobody"))
    assert await found(scene) == [("ungranted", "charge was sent and nobody had granted it")]


@pytest.mark.requirement("receipts")
async def test_a_change_of_something_else_than_was_granted_is_found(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    await scene.asks(CHARGE)
    await written(scene, scene.stream, sent(view.id, "0" * 64))
    assert await found(scene) == [("ungranted", "charge was sent otherwise than it was granted")]


@pytest.mark.requirement("receipts")
async def test_a_grant_that_nobody_allowed_is_found(scene: Scene) -> None:
    view = await scene.parked(CHARGE)
    await written(scene, scene.stream, ev.MutationsGranted(view.id, {"charge": OWN}))
    assert await found(scene) == [
        ("ungranted", f"{view.id} was used, and no person's yes to it was claimed")
    ]


@pytest.mark.requirement("receipts")
async def test_an_approval_that_is_used_twice_or_for_more_is_found(scene: Scene) -> None:
    view = await scene.yes(await scene.parked(CHARGE))
    await scene.asks(CHARGE)
    await written(scene, scene.stream, ev.MutationsGranted(view.id, {"charge": OWN}))
    assert await found(scene) == [("ungranted", f"{view.id} was used twice")]


@pytest.mark.requirement("receipts")
async def test_a_claim_without_a_yes_or_of_other_bytes_is_found(scene: Scene) -> None:
    view = await scene.parked(CHARGE)
    stream = await stream_of(scene, view.id)
    await written(scene, stream, ap.ApprovalClaimed("thief", "0" * 64))
    assert await found(scene) == [
        ("ungranted", f"{view.id} was claimed without a yes, or twice"),
        ("ungranted", f"it is about other bytes than {view.id} asked for"),
    ]


def edited(text: str) -> Callable[[Path], None]:
    """A database admin changes rows."""

    def edit(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(text)

    return edit


@pytest.mark.requirement("receipts")
@pytest.mark.parametrize("text", [
    "update approvals set state = 'approved'",
    "update approvals set digest = 'other'",
    "delete from approvals",
])  # fmt: skip
async def test_a_row_that_somebody_edited_is_found(scene: Scene, tmp_path: Path, text: str) -> None:
    view = await scene.parked(CHARGE)
    assert await found(scene) == []
    edited(text)(tmp_path / "h.db")
    ((kind, what),) = await found(scene)
    assert kind == "tampered"
    assert what.startswith(f"{view.id} is ")
    await scene.engine.rebuild()
    assert await found(scene) == []
