"""Versions of workflows: listing them, choosing the default, deprecating."""

from typing import Any

from engine.app.describe import version_info
from engine.core import events as ev
from engine.core.errors import Refused, Stale
from engine.core.log import Append, Entry
from engine.core.version import Semver
from engine.core.views import VersionInfo
from engine.shell.clock import Clock
from engine.shell.library import Known, Library
from engine.store import Store


class Versions:
    """The versions of one tenant's workflows."""

    def __init__(self, store: Store, clock: Clock, library: Library, tenant: str) -> None:
        self._store, self._clock = store, clock
        self._library, self._tenant = library, tenant

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

    async def pin(self, known: Known, actor: str) -> None:
        """Make a version the default until a person says otherwise."""
        if known.pending:
            raise Refused("pending_version", f"{known.version} is not accepted yet")
        await self._append(known, ev.DefaultSet(known.version, pinned=True), actor)

    async def unpin(self, namespace: str, name: str, actor: str) -> None:
        """Let the highest accepted version be the default again, now and later."""
        rows = self._library.rows(namespace, name)
        able = [row for row in rows if not row.pending and not row.deprecated] or list(rows)
        latest = max(able, key=lambda row: Semver.parse(row.version))
        await self._append(latest, ev.DefaultSet(latest.version, pinned=False), actor)

    async def deprecate(self, known: Known, actor: str, undo: bool) -> None:
        """Let a version take no new runs unless asked for, or take that back."""
        await self._append(known, ev.VersionDeprecated(known.version, undone=undo), actor)

    async def _append(self, known: Known, event: Any, actor: str) -> None:
        for _ in range(5):
            recorded = await self._store.read(known.stream, tenant=self._tenant)
            entry = Entry(known.stream, recorded[-1].version, (event,))
            try:
                await self._store.append(Append((entry,), self._clock.now(), actor, self._tenant))
            except Stale:
                continue
            await self._library.reread()
            return
        raise Refused("busy", "the versions change too fast", "Try again.")
