"""The terminal's door: `handrail`. It translates; every decision is the engine's.

Starting costs what a command needs: `--help` and `--version` import click and nothing else of
weight, a command imports its own module, and rich, the engine and the protocol come when they
are used. Processes that share a command's work import this package once more, so it imports
nothing at all. Results go to stdout, everything else to stderr. Exit codes are in `ending.py`.
"""

from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit code."""
    from mcp_server.cli.root import main

    return main(args)


__all__ = ["main"]
