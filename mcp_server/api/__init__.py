"""The HTTP API beside MCP: the same verbs, for programs, pages and scripts that are no assistants.

A route is data, as a tool is: a path, the scope that it needs, the arguments it takes, a short
body that is handed checked arguments. What a tool refuses a route refuses in the same words, and
what needs a person needs one here: there is no second way to change anything.
"""

from mcp_server.api.route import PREFIX, Route
from mcp_server.api.routes import ROUTES
from mcp_server.api.serving import register

__all__ = ["PREFIX", "ROUTES", "Route", "register"]
