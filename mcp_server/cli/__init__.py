"""The terminal's door: `handrail`. It translates; every decision is the engine's.

Starting costs what a command needs: `--help` and `--version` import click and nothing else of
weight, a command imports its own module, and rich, the engine and the protocol come when they
are used. Results go to stdout, everything else to stderr. Exit codes are in `ending.py`.
"""

from mcp_server.cli.root import main

__all__ = ["main"]
