"""`python -m mcp_server.cli` is `handrail`."""

import sys

from mcp_server.cli import main

if __name__ == "__main__":
    sys.exit(main())
