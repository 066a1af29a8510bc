"""Attacks 6 and 30: the world moves after the yes, and a secret looks for a way out."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.core.approval.plan import canonical
from engine.core.approval.render import text
from tests.attacks.world import World, allowed, attacked, said

pytestmark = pytest.mark.requirement("attacks")

SECRET = "zw7Kq-correct-horse-91"
MORE = """
apiVersion: workflow.io/v1
kind: Connector
metadata: {name: ledger}
spec:
  baseUrl: URL
  secrets: {key: "secret://attack-key"}
  operations:
    row: {path: "/rows/{{input.id}}"}
    book:
      {method: PUT, path: "/rows/{{input.id}}", effect: mutation, idempotency: natural,
       precondition: {operation: row}, body: {amount: "{{input.amount}}"}}
    sign:
      method: POST
      path: /sign
      effect: mutation
      idempotency: none
      headers: {Authorization: "Bearer {{secrets.key}}"}
      body: {note: "{{input.note}}"}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: book}
spec: {type: http, connector: ledger/book}
---
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: sign}
spec: {type: http, connector: ledger/sign, retry: {policy: none}}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: book}
spec:
  description: Books an amount into a row.
  input: {id: {type: string, required: true}, amount: {type: integer, required: true}}
  tasks: [{id: book, taskRef: book, input: {id: "{{input.id}}", amount: "{{input.amount}}"}}]
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: sign}
spec:
  description: Signs a note.
  input: {note: {type: string, required: true}}
  tasks: [{id: sign, taskRef: sign, input: {note: "{{input.note}}"}}]
"""


@asynccontextmanager
async def _world(folder: Path) -> AsyncGenerator[World]:
    async with attacked(folder, accept=False) as world:
        documents = MORE.replace("URL", world.outside.url)
        (world.folder / "more.yaml").write_text(documents, encoding="utf-8")
        await world.engine.refresh()
        await world.accepts("book", "sign")
        yield world


BOOK = {"id": "1", "amount": 7}


@pytest.mark.parametrize("now", [{"amount": 11}, {}, {"amount": 10, "owner": "eve"}])
async def test_6_what_changed_outside_since_the_plan_voids_the_yes(
    tmp_path: Path, now: dict[str, object]
) -> None:
    async with _world(tmp_path) as world:
        view = await world.asked("book", BOOK)
        assert view.plan.ops[0].precondition
        world.outside.rows["1"] = now
        await world.approves(view)
        run = await world.settled(view.run)
        assert run.status == "paused:approval"
        assert run.approval != view.id
        assert world.happened == []
        fresh = await world.engine.approvals.get(run.approval)
        await world.approves(fresh)
        assert (await world.settled(view.run)).status == "completed"
        assert world.happened == allowed(fresh.plan)


async def test_6_what_stayed_as_it_was_is_carried_out(tmp_path: Path) -> None:
    async with _world(tmp_path) as world:
        view = await world.asked("book", BOOK)
        await world.approves(view)
        assert (await world.settled(view.run)).status == "completed"
        assert world.happened == allowed(view.plan)


async def test_30_a_secret_is_in_no_plan_no_answer_and_no_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_SECRET_ATTACK_KEY", SECRET)
    async with _world(tmp_path) as world:
        view = await world.asked("sign", {"note": "hello"})
        assert "secret://attack-key" in text(view.plan)
        shown = [text(view.plan), canonical(view.plan).decode(), repr(view)]
        await world.approves(view)
        run = await world.settled(view.run)
        assert run.status == "completed"
        assert f"Bearer {SECRET}" in world.outside.heads[-1]
        async with world.client() as client:
            for tool, given in (
                ("get_approval", {"approvalId": view.id}),
                ("get_run", {"runId": view.run, "detail": "full"}),
            ):
                shown.append(str(said(await client.call_tool(tool, given))))
        database = world.database
    shown += [path.read_bytes().decode("latin-1") for path in database.parent.glob("test.db*")]
    assert not [one for one in shown if SECRET in one]
