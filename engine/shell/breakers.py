"""Circuit breakers that processes share: rows in the store, transitions in the journal.

Counts are kept last-write-wins, since a lost count only delays a decision; a transition is an
event under an expected version, so that it happens once whoever sees it first.
"""

import json
from dataclasses import replace
from typing import Any

from engine.core.breaker import Breaker, BreakerPolicy, Circuit, admit, record
from engine.core.errors import RETRYABLE, Failure, Kind, Stale, StepError
from engine.core.events import BreakerMoved
from engine.core.log import NEW, Append, Entry, Write
from engine.shell.clock import Clock
from engine.store import Store


class Breakers:
    """The breakers of one tenant. A key is `namespace/task`."""

    def __init__(self, store: Store, clock: Clock, tenant: str) -> None:
        self._store = store
        self._clock = clock
        self._tenant = tenant

    async def admit(self, key: str, policy: BreakerPolicy) -> None:
        """Let one call through, or raise StepError `circuit_open` without calling anybody."""
        before, place = await self._load(key)
        now = self._clock.now()
        after = admit(before, policy, now)
        if after is None:
            seconds = max(0, before.since + policy.pause - now) // 1_000_000
            raise StepError(
                Failure(
                    Kind.PERMANENT,
                    "circuit_open",
                    f"{key} failed too often and is not called for another {seconds} s",
                    "Wait, then retry the run; or give the step a fallback.",
                )
            )
        await self._save(key, before, after, place)

    async def record(self, key: str, policy: BreakerPolicy, failure: Failure | None) -> None:
        """Count how a call ended. A wrong request says nothing about the service's health."""
        ok = failure is None or failure.kind not in RETRYABLE
        before, place = await self._load(key)
        await self._save(key, before, record(before, policy, ok=ok, now=self._clock.now()), place)

    async def _load(self, key: str) -> tuple[Breaker, tuple[int, int]]:
        rows = await self._store.fetch("breaker_get", tenant=self._tenant, key=key)
        if not rows:
            return Breaker(), (NEW, 0)
        kept = json.loads(rows[0]["state"])
        place = (kept.pop("stream"), kept.pop("version"))
        circuit, failed = Circuit(kept.pop("circuit")), tuple(kept.pop("failed"))
        return replace(Breaker(**kept), circuit=circuit, failed=failed), place

    async def _save(
        self, key: str, before: Breaker, after: Breaker, place: tuple[int, int]
    ) -> None:
        if after == before:
            return
        stream, version = place
        if after.circuit is before.circuit:
            if stream != NEW or after.failed:
                await self._store.write(self._put(key, after, stream, version))
            return
        moved = BreakerMoved(key, after.circuit.value)
        try:
            done = await self._store.append(
                Append(
                    (Entry(stream, version, (moved,)),), self._clock.now(), "engine", self._tenant
                )
            )
        except Stale:
            return  # another process moved it first
        await self._store.write(self._put(key, after, done.streams[0], done.versions[0]))

    def _put(self, key: str, breaker: Breaker, stream: int, version: int) -> Write:
        state: dict[str, Any] = {
            "circuit": breaker.circuit.value,
            "since": breaker.since,
            "failed": breaker.failed,
            "trials": breaker.trials,
            "passed": breaker.passed,
            "stream": stream,
            "version": version,
        }
        return Write(
            "breaker_put", {"tenant": self._tenant, "key": key, "state": json.dumps(state)}
        )
