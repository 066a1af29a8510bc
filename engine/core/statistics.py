"""How the runs of a workflow went lately, in figures (seed 003, stage 15).

Counted over its newest runs, so that what was slow or broken long ago does not hide how it is now,
and so that the answer costs the same however old a workflow is.
"""

from engine.core.value import value

WINDOW = 1_000
"""The newest runs that are counted."""


@value
class Statistics:
    """Figures of one workflow's newest runs, at most `WINDOW` of them.

    `p50` and `p95` are microseconds from start to end of completed runs, by nearest rank; None
    where none completed. A cancelled run and one under way neither succeeded nor failed.
    """

    runs: int = 0
    completed: int = 0
    failed: int = 0
    p50: int | None = None
    p95: int | None = None
    last_at: int | None = None
    last_run: str = ""
    last_status: str = ""

    @property
    def success_rate(self) -> float | None:
        """The share that completed of those that completed or failed; None where none did."""
        judged = self.completed + self.failed
        return self.completed / judged if judged else None
