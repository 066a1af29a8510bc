"""Every door of the product, and how an attacker pushes at it. Whoever adds a door adds it here.

A door is a tool, a command of the terminal or a route of a listener. Each is pushed with the
arguments that would change most, in a world where a person is enrolled and decides nothing. What a
door may do there is start runs and record questions; never change something outside or what is
live in the catalogue. `tests/attacks/test_every_door.py` fails when a door is missing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Marks:
    """What there is to attack: runs and approvals of the world, by id."""

    waiting: str
    theirs: str
    failed: str
    approval: str
    digest: str


Arguments = dict[str, Any]
Words = tuple[str, ...]


def tools(marks: Marks) -> Mapping[str, tuple[Arguments, ...]]:
    """What each tool is called with."""
    pay: Arguments = {"workflow": "pay", "input": {"to": "eve", "amount": 9}, "waitSeconds": 1}
    return MappingProxyType(
        {
            "list_workflows": ({},),
            "search_workflows": ({"query": "pay"},),
            "get_workflow_details": ({"workflow": "pay", "detail": "full"},),
            "execute_workflow": (
                pay,
                {**pay, "dryRun": True},
                {**pay, "idempotencyKey": marks.approval},
                {**pay, "workflow": "mail-all", "input": {"to": ["a", "b"]}},
                {**pay, "workflow": "pay-row", "input": {"to": "eve", "id": "1"}},
                {**pay, "workflow": "twice", "input": {"to": "eve", "id": "1"}},
                {**pay, "workflow": "new", "input": {"to": "eve"}},
                {**pay, "workflow": "new", "input": {"to": "eve"}, "version": "1.0.0"},
            ),
            "get_run": ({"runId": marks.waiting, "detail": "full"},),
            "list_runs": ({}, {"groupFailures": True}),
            "cancel_run": ({"runId": marks.theirs, "reason": "x"},),
            "retry_run": ({"runId": marks.failed}, {"runId": marks.waiting}),
            "get_approval": ({"approvalId": marks.approval}, {"executionId": marks.waiting}),
            "resolve_mutation": tuple(
                {"runId": marks.waiting, "step": "pay", "verdict": verdict}
                for verdict in ("happened", "did_not_happen", "skip")
            ),
            "list_tasks": ({},),
            "get_blast_radius": _IMPACT,
            **_LABELS,
            "manage_versions": (
                {"workflow": "pay"},
                {"workflow": "new", "default": "1.0.0"},
                {"workflow": "pay", "deprecate": "1.0.0"},
            ),
        }
    )


_IMPACT: tuple[Arguments, ...] = (
    {"name": "pay", "kind": "workflow", "depth": "unlimited", "format": "both"},
    {"name": "pay", "kind": "workflow", "whatIf": {"delete": True}},
)
_LABELS: Mapping[str, tuple[Arguments, ...]] = {
    "list_labels": ({},),
    "suggest_labels": ({"name": "pay"},),
    "manage_labels": (
        {"names": ["pay"], "add": ["auto-ok"]},
        {"filters": {"excludeTags": ["x"]}, "add": ["t"], "remove": ["auto-ok"]},
        {"undo": "lab_0"},
    ),
}


def _relabelling(thing: str, name: str) -> Mapping[str, tuple[tuple[str, Arguments], ...]]:
    ours: Arguments = {"addTags": ["auto-ok"], "removeTags": ["x"]}
    return {
        f"POST /api/v1/{thing}s/labels/bulk": (
            (f"/{thing}s/labels/bulk", {"names": [name], **ours}),
            (f"/{thing}s/labels/bulk", {"filters": {"excludeTags": ["x"]}, **ours}),
        ),
        f"PATCH /api/v1/{thing}s/{{name:path}}/labels": ((f"/{thing}s/{name}/labels", ours),),
    }


def api(marks: Marks) -> Mapping[str, tuple[tuple[str, Arguments], ...]]:
    """What each route of the HTTP API is asked: a path with its query, and a body."""
    return MappingProxyType(
        {
            "GET /api/v1/workflows": (("/workflows", {}),),
            "GET /api/v1/tasks": (("/tasks", {}),),
            "GET /api/v1/tasks/{name:path}/blast-radius": (
                ("/tasks/pay/blast-radius?depth=unlimited", {}),
            ),
            "GET /api/v1/workflows/{name:path}/blast-radius": (
                ("/workflows/pay/blast-radius", {}),
            ),
            "GET /api/v1/labels": (("/labels", {}),),
            "GET /api/v1/labels/stats": (("/labels/stats", {}),),
            **_relabelling("workflow", "pay"),
            **_relabelling("task", "pay"),
            "POST /api/v1/workflows/{name:path}/validate-input": (
                ("/workflows/pay/validate-input", {"input": {"to": "eve", "amount": 9}}),
            ),
        }
    )


def commands(marks: Marks) -> Mapping[str, tuple[Words, ...]]:
    """What each command is called with, on no terminal; none for those that only serve.

    `serve` opens the doors of the other lists, `worker` carries out what is granted, `connect`
    writes to another program's settings, and `token` makes a secret for callers.
    """
    serving = dict.fromkeys(("serve", "token", "connect", "worker"), ())
    return MappingProxyType({**serving, **_READS, **_acting(marks), **_deciding(marks)})


_READS: Mapping[str, tuple[Words, ...]] = {
    "workflows": ((), ("pay",)),
    "impact": (("pay", "--kind", "workflow", "--depth", "unlimited"),),
    "runs": ((),),
    "workers": ((),),
    "grants": ((),),
    "approvals": ((),),
    "policy": (("check",), ("explain",)),
    "labels": ((), ("stats",), ("add", "auto-ok", "pay"), ("undo", "lab_0"), ("suggest", "pay")),
    "check": (("{folder}",),),
    "init": (("{empty}",),),
    "doctor": ((),),
    "eval": (("{folder}/nothing.jsonl",),),
    "audit": (("verify",),),
    "rebuild": ((),),
    "secret": (("list",), ("set", "bank-key"), ("remove", "bank-key")),
}


def _acting(marks: Marks) -> Mapping[str, tuple[Words, ...]]:
    wait = ("--wait", "1s")
    return {
        "run": (
            ("pay", "to=eve", "amount=9", *wait),
            ("new", "to=eve", *wait),
            ("mail-all", 'to=["a","b"]', *wait),
            ("pay-row", "to=eve", "id=1", *wait),
        ),
        "show": ((marks.waiting,),),
        "retry": ((marks.failed,), (marks.waiting,)),
        "cancel": ((marks.theirs,),),
        "versions": (("pay",), ("pay", "--deprecate", "1.0.0"), ("new", "--default", "1.0.0")),
    }


def _deciding(marks: Marks) -> Mapping[str, tuple[Words, ...]]:
    return {
        "approve": ((marks.approval,), (marks.approval, "--run")),
        "deny": ((marks.approval,),),
        "revoke": ((marks.approval,),),
        "accept": (("new",),),
        "resolve": (
            (marks.waiting, "pay", "happened"),
            (marks.waiting, "pay", "did_not_happen"),
        ),
        "approver": (("init",),),
    }


ROUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "http": frozenset({"/mcp", "/healthz", "/readyz"}),  # and those of `api`
        "page": frozenset(
            {
                "GET /alive",
                "GET /console.css",
                "GET /",
                "GET /decided",
                "GET /grants",
                "GET /a/{id}",
                "GET /a/{id}/always",
                "GET /a/{id}/receipt",
                "GET /r/{run}/{path:path}",
                "POST /login",
                "POST /logout",
                "POST /grants",
                "POST /a/{id}",
                "POST /a/{id}/always",
                "POST /r/{run}/{path:path}",
            }
        ),
    }
)
"""The routes of the two listeners. `/mcp` is the tools once more; the page's are pushed without a
session and with forms that nobody was shown."""
