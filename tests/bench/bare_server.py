"""The floor of the MCP figures: an SDK server with one tool that does nothing."""

import sys

import uvicorn
from mcp.server import MCPServer
from pydantic import BaseModel

mcp = MCPServer("bare", version="1", log_level="ERROR")


class Answer(BaseModel):
    """What the tool returns."""

    ok: bool


@mcp.tool()
async def noop() -> Answer:
    """Does nothing."""
    return Answer(ok=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        uvicorn.run(mcp.streamable_http_app(), port=int(sys.argv[1]), log_level="error")
    else:
        mcp.run()
