"""Plans for tests: a small one, changed where a test says so."""

from typing import Any

from engine.core.approval.plan import Operation, Plan, Requester

NOON = 1_795_262_400_000_000


def operation(path: str = "charge", verb: str = "create", **more: Any) -> Operation:
    url = more.pop("url", f"https://shop.example/{path}")
    body = more.pop("body", '{"amount":150.00}')
    request = {"method": "POST", "url": url, "headers": {"Accept": "*/*"}, "body": body}
    given = {"target": f"POST {url}", "args": {"input": {}, "request": request}, "task": "demo/pay"}
    return Operation(path, verb, **{**given, **more})


def plan(*ops: Operation, **more: Any) -> Plan:
    given: dict[str, Any] = {
        "tenant": "default", "kind": "run.mutations", "requester": Requester("stdio"),
        "run": "r_1", "workflow": "demo/place-order", "version": "1.0.0", "later": (),
        "policy_rev": "", "created": NOON, "not_after": NOON + 900_000_000,
    }  # fmt: skip
    return Plan(ops=ops or (operation(),), **{**given, **more})
