"""`python -m mcp_server`: serve over stdio, set up by the environment."""

import sys

from engine import Refused
from mcp_server.logs import to_stderr


def main() -> int:
    """Serve until stdin closes; the exit code is 2 when a setting makes no sense."""
    to_stderr()
    try:
        from mcp_server.settings import from_environment

        settings = from_environment(signs=True)
    except Refused as refused:
        sys.stderr.write(f"{refused.message}. {refused.hint}\n")
        return 2
    from mcp_server import stdio

    stdio.run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
