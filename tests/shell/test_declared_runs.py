"""What a connector declares, seen from a run: the key, the lookup, the precondition, the secret."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, open_engine
from engine.app.settings import Settings
from engine.core.approval.views import ApprovalView
from engine.core.views import RunView
from tests.shell.deciding import ann, say_yes
from tests.shell.documents import flow, write
from tests.shell.loopback import Loopback, answer, serving
from tests.shell.test_gate_runs import moved_on

VALUE = "sk-live-declared-0123456789"
PAY = {
    "method": "POST",
    "path": "/payments",
    "verb": "pay",
    "body": {"to": "{{input.to}}"},
    "idempotency": {"kind": "key", "header": "X-Key", "window": "24h"},
}
FIND = {"path": "/payments", "query": {"ref": "{{input.ref}}"}}
BALANCE = {"path": "/balance"}
LOOKUP = {
    "operation": "find",
    "input": {"ref": "{{key}}"},
    "match": "size(output.found) > 0",
    "result": {"id": "{{output.found[0]}}"},
    "delay": "1ms",
    "final": True,
}


@dataclass
class Bank:
    """A bank that keeps what it was told. `mute` swallows the answers to payments."""

    mute: bool = False
    balance: int = 100
    payments: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def talk(self, server: Loopback, reader: Any, writer: Any) -> None:
        while True:
            head = await server.take(reader)
            said = self._answered(head, server.bodies[-1])
            if said is None:
                return
            writer.write(answer(json.dumps(said).encode()))
            await writer.drain()

    def _answered(self, head: str, body: bytes) -> Any:
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if head.startswith("POST"):
            lower = {name.lower(): value for name, value in lines.items()}
            self.payments.append((lower["x-key"], lower.get("authorization", ""), body))
            return None if self.mute else {"id": "p1"}
        if head.startswith("GET /balance"):
            return {"left": self.balance}
        asked = head.partition("ref=")[2].partition(" ")[0]
        return {"found": ["p1" for key, _, _ in self.payments if key == asked]}


@asynccontextmanager
async def engine_at(tmp_path: Path, server: Loopback, **pay: Any) -> AsyncGenerator[Engine]:
    spec: dict[str, Any] = {
        "baseUrl": server.url().rstrip("/"),
        "operations": {"pay": {**PAY, **pay}, "find": FIND, "balance": BALANCE},
    }
    if "headers" in pay:
        spec["secrets"] = {"key": "secret://bank-key"}
    bank = {"kind": "Connector", "apiVersion": "t/v1", "metadata": {"name": "bank"}, "spec": spec}
    step = {"id": "a", "connector": "bank/pay", "input": {"to": "eve"}, "retry": "none"}
    folder = write(tmp_path / "documents", bank, flow("w", [step]))
    allowed = frozenset({("127.0.0.1", server.port)})
    settings = Settings(str(tmp_path / "h.db"), (folder,), allowed_hosts=allowed)
    async with open_engine(settings) as engine:
        await say_yes(engine, engine.start("w", {}))
        yield engine


async def asked(engine: Engine) -> tuple[str, ApprovalView]:
    """A run that waits for a person, and what it asks."""
    run = await engine.wait((await engine.start("w", {})).id, 20)
    assert run.status == "paused:approval", run
    return run.id, await engine.approvals.get(run.approval)


async def allowed(engine: Engine, view: ApprovalView, run_id: str) -> RunView:
    await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
    return await moved_on(engine, run_id)


async def asked_anew(engine: Engine, run_id: str, before: str) -> ApprovalView:
    """What the run asks after the approval `before`."""
    async with asyncio.timeout(20):
        while True:
            moved = asyncio.ensure_future(engine.moved())
            await asyncio.sleep(0)
            run = await engine.run(run_id)
            if run.status == "paused:approval" and run.approval != before:
                moved.cancel()
                return await engine.approvals.get(run.approval)
            await moved


@pytest.mark.requirement("gate-secrets")
async def test_a_plan_shows_the_reference_and_the_journal_never_sees_the_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_SECRET_BANK_KEY", VALUE)
    bank, headers = Bank(), {"Authorization": "Bearer {{secrets.key}}"}
    async with serving(bank.talk) as server, engine_at(tmp_path, server, headers=headers) as engine:
        run_id, view = await asked(engine)
        (op,) = view.plan.ops
        assert op.args["request"]["headers"]["Authorization"] == "Bearer secret://bank-key"
        assert (op.verb, op.idempotency) == ("pay", "key")
        assert (await allowed(engine, view, run_id)).status == "completed"
        shown = repr(await engine.run(run_id)) + repr(await engine.approvals.get(view.id))
    ((key, authorization, body),) = bank.payments
    assert (authorization, json.loads(body)) == (f"Bearer {VALUE}", {"to": "eve"})
    assert key.startswith("hr1_")
    assert VALUE not in shown
    with closing(sqlite3.connect(tmp_path / "h.db")) as connection:
        assert VALUE not in "\n".join(connection.iterdump())


async def test_an_answer_that_was_lost_is_looked_up_by_the_key_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    bank = Bank(mute=True)
    async with serving(bank.talk) as server, engine_at(tmp_path, server, lookup=LOOKUP) as engine:
        run_id, view = await asked(engine)
        await allowed(engine, view, run_id)
        run = await engine.wait(run_id, 20)
        assert (run.status, run.output) == ("completed", {"a": {"id": "p1"}})
    assert len(bank.payments) == 1


async def test_what_was_relied_on_and_has_changed_is_asked_anew(tmp_path: Path) -> None:
    bank = Bank()
    precondition = {"operation": "balance", "value": "{{output.left}}"}
    async with (
        serving(bank.talk) as server,
        engine_at(tmp_path, server, precondition=precondition) as engine,
    ):
        run_id, view = await asked(engine)
        assert view.plan.ops[0].precondition
        bank.balance = 5
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        again = await asked_anew(engine, run_id, view.id)
        assert (again.digest != view.digest, bank.payments) == (True, [])
        assert (await engine.approvals.get(view.id)).state == "void"
        assert (await allowed(engine, again, run_id)).status == "completed"
        assert len(bank.payments) == 1
