"""The one interceptor round `tools/call`: no call reaches a tool or leaves one except through it.

It finds the tool or suggests one, holds the arguments against the published schema and against
nothing else, hands the call to the tool, and puts every refusal of the engine into words. A call
that needs a person is answered here too, for all tools alike (`deciding.py`). An error nobody
foresaw becomes `internal` with a number that stands in the log too; its text stays here.
Arguments are never logged.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension
from mcp_types import CallToolRequestParams

from engine import Refused
from mcp_server import prose, wire
from mcp_server.arguments import Checked, nearest
from mcp_server.calls import Body, Call, Progress, Tool
from mcp_server.door import Door
from mcp_server.logs import unforeseen
from mcp_server.requesting import Context, actor, requester
from mcp_server.sealing import Seal

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from engine.app.engine import Engine
    from engine.core.approval.views import ApprovalView
    from mcp_server.deciding import Deciding, Outcome

logger = logging.getLogger(__name__)


class Gate(Extension):
    """Strict arguments in, typed outcomes out."""

    identifier = "handrail/gate"

    def __init__(self, door: Door, tools: Iterable[Tool], seal: Seal) -> None:
        self._door, self._seal = door, seal
        self._tools: Mapping[str, Checked[Tool]] = {tool.name: Checked(tool) for tool in tools}
        self.others: MCPServer | None = None

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult:
        """Answer one call."""
        checked = self._tools.get(params.name)
        if checked is None:
            return await self._foreign(params.name, ctx, call_next)
        try:
            outcome = await self._outcome(checked, params, ctx)
        except Refused as refused:
            outcome = self._refused(refused, ctx)
        except Exception as error:
            outcome = refusal(unforeseen(checked.tool.name, error))
        return masked(result(outcome) if isinstance(outcome, wire.Answer) else outcome)

    async def _outcome(
        self, checked: Checked[Tool], params: CallToolRequestParams, ctx: Context
    ) -> "Outcome":
        arguments = checked.arguments(params.arguments or {})
        call = Call(arguments, actor(ctx), requester(ctx), self._door.address, _progress(ctx))
        engine = await (self._door.fresh() if checked.tool.fresh else self._door.engine())
        body = checked.tool.body
        if params.request_state:
            answer = await _deciding(engine, call, ctx, params, body).again()
            if answer is not None:
                return answer
        try:
            return await body(engine, call)
        except Exception as error:
            approval = _awaited(error)
            if approval is None:
                raise
        await self._seal.learn(engine)
        return await _deciding(engine, call, ctx, params, body).outcome(approval)

    async def _foreign(self, name: str, ctx: Context, call_next: CallNext) -> HandlerResult:
        """A tool that somebody else registered on this server, or none at all."""
        if self.others is not None and name in {t.name for t in await self.others.list_tools()}:
            return await call_next(ctx)
        near = nearest(name, self._tools)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(self._tools)}."
        unknown = f"there is no tool {name[:80]!r}"
        refused = Refused("unknown_tool", unknown, hint, details={"suggestions": near})
        return result(self._refused(refused, ctx))

    def _refused(self, refused: Refused, ctx: Context) -> wire.Answer:
        engine = self._door.opened
        if engine is not None:
            engine.refusals.note(requester(ctx).principal, refused.code)
        return refusal(refused)


def refusal(refused: Refused) -> wire.Answer:
    """A refusal of the engine, or of the arguments, in words."""
    facts = wire.refused(refused)
    return wire.Answer(facts, prose.refused(facts), wrong=True)


def result(answer: wire.Answer) -> dict[str, Any]:
    """An answer as the protocol has it: text, the same facts as data, links to what is long."""
    content: list[dict[str, Any]] = [{"type": "text", "text": answer.words}]
    content += [{"type": "resource_link", "uri": uri, "name": uri} for uri in answer.more]
    return {
        "content": content,
        "structuredContent": answer.facts,
        "isError": answer.wrong,
        "resultType": "complete",
    }


def masked(answer: dict[str, Any]) -> dict[str, Any]:
    """What leaves, without the secrets that this process has had in its hands."""
    redact = sys.modules.get("engine.shell.redact")  # where it was not imported, none was
    found: dict[str, Any] = redact.KNOWN.value(answer) if redact else answer
    return found


def _deciding(
    engine: "Engine", call: Call, ctx: Context, params: CallToolRequestParams, body: Body
) -> "Deciding":
    from mcp_server.deciding import Deciding  # only where somebody has to decide

    return Deciding(engine, call, ctx, params, body)


def _awaited(error: Exception) -> "ApprovalView | None":
    """The approval that a call waits for, if that is why it came back."""
    from engine.core.approval.gated import Gated  # not needed for the first listing

    return error.approval if isinstance(error, Gated) else None


def _progress(ctx: Context) -> Progress | None:
    if not ctx.meta or "progress_token" not in ctx.meta:
        return None

    async def tell(done: int, total: int | None, words: str) -> None:
        await ctx.session.report_progress(done, total, words)

    return tell
