"""Every benchmark, as one JSON value: `make bench`."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.bench import engine_bench, mcp_bench, store_bench


def main() -> None:
    """Measure the store, the engine and the server, and print."""
    with tempfile.TemporaryDirectory() as name:
        store = store_bench.report(Path(name))
    with tempfile.TemporaryDirectory() as name:
        engine = engine_bench.report(Path(name))
    with tempfile.TemporaryDirectory() as name:
        server = asyncio.run(mcp_bench.measure(Path(name)))
    sys.stdout.write(json.dumps({"store": store, "engine": engine, "mcp": server}, indent=1) + "\n")


if __name__ == "__main__":
    main()
