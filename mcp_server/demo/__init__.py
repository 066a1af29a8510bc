"""The demo: a small HTTP service on loopback that the example workflows talk to.

A fresh machine may have no internet, so the world outside comes along: users, orders, stock and
payments that keep their state, and endpoints that are slow, flaky or rate-limited on purpose.
It stands outside the engine's walls: to the engine it is just another host.
"""

from mcp_server.demo.owner import Demo

__all__ = ["Demo"]
