"""All tools by toolset, in the order in which a client sees them."""

from collections.abc import Mapping, Set
from types import MappingProxyType

from mcp_server.calls import Tool
from mcp_server.tools import approvals, discover, execute, impact, labels, operate, runs, suggest

TOOLSETS: Mapping[str, tuple[Tool, ...]] = MappingProxyType(
    {
        "default": (
            *discover.TOOLS[:3],
            *execute.TOOLS,
            *runs.TOOLS,
            *approvals.TOOLS,
            *discover.TOOLS[3:],
            *impact.TOOLS,
            *labels.TOOLS,
            *suggest.TOOLS,
        ),
        "operate": operate.TOOLS,
    }
)


def chosen(toolsets: Set[str]) -> tuple[Tool, ...]:
    """The tools of these toolsets; the order never depends on how they were asked for."""
    return tuple(tool for name, tools in TOOLSETS.items() if name in toolsets for tool in tools)
