"""The databases that are measured: a SQLite file, and a PostgreSQL server that syncs.

Both are empty, and as durable as users have them: a commit counts when it is on the disk.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KINDS = ("sqlite", "postgres")

_SAFE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@contextmanager
def places(kind: str) -> Iterator[tuple[str, str, Path]]:
    """Two empty databases of a kind, ours and the peer's, and an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind == "sqlite":
            yield str(folder / "bench.db"), f"sqlite:///{folder / 'peer.db'}", folder
            return
        from tests.postgres import server

        with server(**_SAFE) as running:
            yield running.create(), running.create(), folder
