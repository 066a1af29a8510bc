"""Every route of the HTTP API, in the order of its reference page (docs/api.md)."""

from mcp_server.api import catalogue, impact, labels
from mcp_server.api.route import Route

ROUTES: tuple[Route, ...] = (*catalogue.ROUTES, *labels.ROUTES, *impact.ROUTES)
