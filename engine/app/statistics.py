"""Reads how the runs of workflows went lately; see `engine.core.statistics` for what it means."""

from engine.core.statistics import WINDOW, Statistics
from engine.store import Store


class Figures:
    """The figures of one tenant's workflows."""

    def __init__(self, store: Store, tenant: str) -> None:
        self._store, self._tenant = store, tenant

    async def of(self, namespace: str, name: str) -> Statistics:
        """How the newest runs of a workflow went; nothing where it never ran."""
        (row,) = await self._store.fetch(
            "run_statistics",
            tenant=self._tenant,
            namespace=namespace,
            workflow=name,
            most=WINDOW,
        )
        words = {part: row[part] or "" for part in ("last_run", "last_status")}
        return Statistics(**{**row, **words})
