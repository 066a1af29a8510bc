"""The figures of a workflow's runs are what somebody would count who read all its newest runs."""

import math
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.store.dialect import SQLITE, migrations, statements

STATEMENT = statements(SQLITE)["run_statistics"]
STATUSES = ["completed", "failed:logic", "failed:denied", "cancelled", "active", "paused:auth"]

Run = tuple[str, int, int | None]
RUNS = st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 50), st.integers(0, 9)))


def counted(runs: list[Run], most: int) -> dict[str, Any]:
    """The figures of the newest `most` runs, counted by hand."""
    newest = runs[-most:]
    took = sorted(end for status, _, end in newest if status == "completed" and end is not None)

    def percentile(share: float) -> int | None:
        return took[math.ceil(len(took) * share) - 1] if took else None

    return {
        "runs": len(newest),
        "completed": len(took),
        "failed": sum(status.startswith("failed:") for status, _, _ in newest),
        "p50": percentile(0.5),
        "p95": percentile(0.95),
        "last_at": newest[-1][1] if newest else None,
        "last_run": f"u{len(runs) - 1}" if newest else None,
        "last_status": newest[-1][0] if newest else None,
    }


@pytest.mark.requirement("statistics")
@given(RUNS, st.integers(1, 30))
def test_the_figures_are_those_of_the_newest_runs(runs: list[Run], most: int) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        for step in migrations(SQLITE):
            for text in step.statements:
                db.execute(text)
        for number, (status, created, took) in enumerate(runs):
            _insert(db, "w", number, status, created, took)
        _insert(db, "other", len(runs), "failed:logic", 99, 99)
        db.row_factory = sqlite3.Row
        asked = {"tenant": "t", "workflow": "w", "namespace": "n", "most": most}
        (row,) = db.execute(STATEMENT.text, [asked[name] for name in STATEMENT.places])
        assert dict(row) == counted(runs, most)


def _insert(
    db: sqlite3.Connection, name: str, number: int, status: str, created: int, took: int | None
) -> None:
    over = status in {"completed", "cancelled"} or status.startswith("failed:")
    ended = created + took if over and took is not None else None
    db.execute(
        "insert into runs (id, tenant, uid, namespace, workflow, version, digest, kind, status,"
        " actor, created_at, ended_at, key)"
        " values (?, 't', ?, 'n', ?, '1', '', '', ?, '', ?, ?, '')",
        (number + 1, f"u{number}", name, status, created, ended),
    )
