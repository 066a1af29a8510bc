"""Versions of workflows, with what became of their runs."""

from engine.app.describe import version_info
from engine.core.views import VersionInfo
from engine.shell.library import Library
from engine.store import Store


class Versions:
    """The versions of one tenant's workflows."""

    def __init__(self, store: Store, library: Library, tenant: str) -> None:
        self._store, self._library, self._tenant = store, library, tenant

    async def list(self, namespace: str, name: str) -> tuple[VersionInfo, ...]:
        """Every version with its run counts by status, oldest first."""
        rows = await self._store.fetch(
            "run_counts", tenant=self._tenant, namespace=namespace, workflow=name
        )
        counts: dict[str, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["version"], {})[row["status"]] = row["runs"]
        return tuple(
            version_info(known, counts.get(known.version, {}))
            for known in self._library.rows(namespace, name)
        )
