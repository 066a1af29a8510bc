"""Approvals as the engine shows them, for tests that need no engine."""

from typing import Any

from hypothesis import strategies as st

from engine.core.approval.plan import Operation, Plan, Requester, canonical, code, digest
from engine.core.approval.views import ApprovalView
from tests.server.views import IDS, JSON, TEXT, TIMES

ID = "apr_0123456789abcdefghjkmnpqrs"


def a_plan(*args: Any, **more: Any) -> Plan:
    """A plan with one operation for each of `args`."""
    ops = [
        Operation(f"step-{n}", "create", "POST https://shop.example/orders", each, reversible=True)
        for n, each in enumerate(args or ({"amount": 3},))
    ]
    fields: dict[str, Any] = {
        "tenant": "default", "kind": "run.mutations", "requester": Requester("stdio"), "run": "r-1",
        "workflow": "default/order", "version": "1.0.0", "ops": tuple(ops), "later": (),
        "policy_rev": "p", "created": 1, "not_after": 900_000_001,
    }  # fmt: skip
    return Plan(**{**fields, **more})


def an_approval(plan: Plan | None = None, **more: Any) -> ApprovalView:
    """An approval that waits and for which a form is enough."""
    plan = plan or a_plan()
    name = digest(canonical(plan))
    fields: dict[str, Any] = {
        "id": ID, "kind": plan.kind, "state": "pending", "outcome": "", "code": code(name),
        "digest": name, "plan": plan, "summary": "one order", "run": plan.run,
        "requester": plan.requester.words, "requested_at": 1, "expires_at": 900_000_001,
        "decided_at": 0, "decided_by": "", "assurance_needed": "A1", "confirm": "",
        "typed_words": "", "channel": "", "comment": "", "result": None, "successor": "",
        "next_step": "Ask the user.", "approver_exists": True, "worker_alive": True,
    }  # fmt: skip
    return ApprovalView(**{**fields, **more})


STATES = (
    "pending", "approved", "claimed", "done", "denied", "expired", "cancelled", "superseded",
    "void", "revoked",
)  # fmt: skip

plans = st.builds(
    lambda args, run, workflow: a_plan(*args, run=run, workflow=workflow),
    st.lists(JSON, min_size=1, max_size=3),
    IDS | st.just(""),
    st.sampled_from(["default/order", "demo/order", ""]),
)
approvals = st.builds(
    lambda plan, **more: an_approval(plan, **more),
    plans,
    state=st.sampled_from(STATES),
    outcome=st.sampled_from(["", "ok", "partial"]),
    decided_at=TIMES,
    decided_by=TEXT,
    comment=TEXT,
    result=JSON,
    successor=st.sampled_from(["", ID]),
    next_step=TEXT,
    approver_exists=st.booleans(),
    worker_alive=st.booleans(),
)
