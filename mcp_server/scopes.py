"""What a caller's token lets it do: one table from each tool to the scope that it needs.

A tool that is missing from the table needs the widest scope, and a test fails. Who may decide an
approval is no matter of scopes: no token, whatever it says, decides one by MCP. Without
authentication there are no scopes, and everybody who can reach the server may call every tool.
"""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult

from engine import Move, Refused
from mcp_server.gate import refusal, result

READ = "handrail:read"
EXECUTE = "handrail:execute"
LABELS = "handrail:labels"
REPAIR = "handrail:repair"
ADMIN = "handrail:admin"

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        READ: "find workflows, read runs and everything else that changes nothing",
        EXECUTE: "start, cancel and retry runs, and ask for what a person has to approve",
        LABELS: "change labels",
        REPAIR: "look for the cause of failures and propose repairs",
        ADMIN: "operate: versions, workers, and tools that have no scope of their own",
    }
)
"""Every scope there is, in words. `handrail:read` is needed for anything at all."""

NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "search_workflows": READ,
        "list_workflows": READ,
        "get_workflow_details": READ,
        "get_blast_radius": READ,
        "list_tasks": READ,
        "execute_workflow": EXECUTE,
        "get_run": READ,
        "list_runs": READ,
        "cancel_run": EXECUTE,
        "retry_run": EXECUTE,
        "get_approval": READ,
        "resolve_mutation": EXECUTE,
        "list_labels": READ,
        "suggest_labels": READ,
        "manage_labels": LABELS,
        "manage_versions": ADMIN,
    }
)
"""The scope that each tool needs."""

STARTS = frozenset({"execute_workflow", "retry_run"})
"""The tools that begin work; their calls have a limit of their own."""


def needed(tool: str) -> str:
    """The scope that a tool needs.

    >>> needed("get_run"), needed("somebody_elses")
    ('handrail:read', 'handrail:admin')
    """
    return NEEDED.get(tool, ADMIN)


def held(request: Mapping[str, Any]) -> Set[str] | None:
    """The scopes of who sent an HTTP request (an ASGI scope); None where nobody is asked."""
    credentials = request.get("auth")
    return None if credentials is None else frozenset(credentials.scopes)


def enforce(server: MCPServer[Any]) -> None:
    """Show each caller the tools that it may call, and refuse it the others."""
    server.middleware.append(_scoped)


async def _scoped(ctx: Any, call_next: CallNext) -> HandlerResult:
    scopes = None if ctx.request is None else held(ctx.request.scope)
    if scopes is None:
        return await call_next(ctx)
    if ctx.method == "tools/call":
        name = str((ctx.params or {}).get("name", ""))
        if needed(name) not in scopes:
            return result(refusal(insufficient(name)))
    answer = await call_next(ctx)
    return _visible(answer, scopes) if ctx.method == "tools/list" else answer


def insufficient(tool: str) -> Refused:
    """The refusal of a call that the caller's token does not allow."""
    scope = needed(tool)
    hint = f"Ask the user to sign in again and to grant the scope {scope}."
    message = f"this sign-in does not allow {tool[:80]!r}"
    details = {"scope": scope}
    return Refused("insufficient_scope", message, hint, move=Move.PERSON, details=details)


def _visible(answer: HandlerResult, scopes: Set[str]) -> HandlerResult:
    if isinstance(answer, dict):
        kept = [tool for tool in answer["tools"] if needed(_name(tool)) in scopes]
        return {**answer, "tools": kept}
    listed: Any = answer
    kept = [tool for tool in listed.tools if needed(tool.name) in scopes]
    changed: HandlerResult = listed.model_copy(update={"tools": kept})
    return changed


def _name(tool: Any) -> str:
    return str(tool["name"] if isinstance(tool, dict) else tool.name)
