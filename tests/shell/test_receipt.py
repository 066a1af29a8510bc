"""A receipt: what a person allowed and what came of it, to take away."""

import json
from pathlib import Path
from typing import Any

from engine import PythonTask
from engine.core.approval.plan import digest
from engine.core.chain import commit
from tests.shell.deciding import ann
from tests.shell.documents import engine_over, flow, write
from tests.shell.test_gate_runs import SEND, STEPS, begun, moved_on

ONE = ["step.in_flight", "step.succeeded"]


async def test_a_receipt_says_what_was_allowed_and_what_came_of_it(tmp_path: Path) -> None:
    sent: list[Any] = []
    write(tmp_path / "documents", SEND, flow("w", STEPS))
    async with engine_over(tmp_path, {"send": PythonTask(sent.append)}) as engine:
        run_id = await begun(engine)
        view = await engine.approvals.get((await engine.run(run_id)).approval)
        await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))
        await moved_on(engine, run_id)
        receipt = await engine.approvals.receipt(view.id)
        assert digest(receipt["plan"].encode()) == receipt["digest"] == view.digest
        told = [event["kind"] for event in receipt["events"]]
        life = ["requested", "voted", "claimed", "finished"]
        assert told == [f"approval.{word}" for word in life] + ["mutations.granted", *ONE, *ONE]
        for event in receipt["events"]:
            salt, body = bytes.fromhex(event["salt"]), event["body"].encode()
            assert commit(salt, body).hex() == event["commitment"]
        assert json.loads(json.dumps(receipt)) == receipt
