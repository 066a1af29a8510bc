"""The bars: every figure that must hold, what it is measured in, and what would be better still.

A bench measures and says `judged(name, value)`; what is good enough is said here and nowhere
else. A bar that no bench has measured does not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Sense = Literal["<=", ">="]


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure: at most or at least `must`, better still `aim`; `part` measures it."""

    part: str
    what: str
    unit: str
    sense: Sense
    must: float
    aim: float | None = None

    def holds(self, value: float) -> bool:
        """Whether `value` is good enough."""
        return self._meets(value, self.must)

    def reached(self, value: float) -> bool:
        """Whether `value` is as good as it shall become."""
        return self._meets(value, self.must if self.aim is None else self.aim)

    def _meets(self, value: float, limit: float) -> bool:
        return value <= limit if self.sense == "<=" else value >= limit

    def left(self, value: float) -> float:
        """The factor by which `value` has to get better to reach the aim; 1 when it is there."""
        if self.aim is None or self.reached(value):
            return 1.0
        better, worse = sorted((value, self.aim))
        return float("inf") if better <= 0 else worse / better


_CALL = "get_run, p50: ratio to a bare server"
_PEER = "ratio to DBOS"
_PLAIN = "ratio to plain Python"
"""The bars of 8,000 and 25,000 steps/s were set where that makes 54,000: machines differ."""

BARS: Mapping[str, Bar] = MappingProxyType(
    {
        "latency_1_step_sqlite": Bar("engine", "a run of 1 step, p50", _PEER, "<=", 0.25, 0.125),
        "runs_64_sqlite": Bar("engine", "1-step runs/s, 64 abreast", _PEER, ">=", 25, 60),
        "steps_64_sqlite": Bar("engine", "steps/s, 10 to a run, 64 abreast", _PEER, ">=", 30, 90),
        "runs_64_postgres": Bar("engine", "1-step runs/s, 64 abreast", _PEER, ">=", 20, 60),
        "steps_64_postgres": Bar("engine", "steps/s, 10 to a run, 64 abreast", _PEER, ">=", 20, 60),
        "mutation_steps": Bar(
            "mutation", "steps with intent and result durable", _PLAIN, ">=", 0.148, 0.463
        ),
        "start_here_sqlite": Bar("start", "enqueue to start, one process, p50", "ms", "<=", 5, 1),
        "start_here_postgres": Bar("start", "enqueue to start, one process, p50", "ms", "<=", 5, 1),
        "start_there_postgres": Bar("start", "enqueue to start elsewhere, p50", "ms", "<=", 5, 1),
        "recovery_sqlite": Bar("death", "1,000 runs after kill -9", "s", "<=", 1, 0.3),
        "recovery_postgres": Bar("death", "1,000 runs after kill -9", "s", "<=", 1, 0.3),
        "takeover_sqlite": Bar("death", "after kill -9, beyond the lease", "s", "<=", 1, 0.1),
        "takeover_postgres": Bar("death", "after kill -9, beyond the lease", "s", "<=", 1, 0.1),
        "parallel_32": Bar("step", "2 to 32 equal steps abreast", "x one step", "<=", 1.3, 1.1),
        "retry_policy": Bar("step", "a retry policy, unused", "ms a step", "<=", 0.2, 0.05),
        "rebuild": Bar("store", "redrawing every table", "events/s", ">=", 50_000, 150_000),
        "audit_verify": Bar("audit", "a million events", "x reading and hashing", "<=", 1.6, 1.3),
        "as_of": Bar("history", "a run as of a time, 1M events, p95", "ms", "<=", 20, 5),
        "idle_cpu_sqlite": Bar("idle", "10,000 sleeping runs", "% of a core", "<=", 1),
        "idle_reads_sqlite": Bar("idle", "10,000 sleeping runs", "reads of tables", "<=", 0),
        "idle_cpu_postgres": Bar("idle", "10,000 sleeping runs", "% of a core", "<=", 1),
        "idle_queries_postgres": Bar("idle", "10,000 sleeping runs", "queries/s", "<=", 0.2),
        "memory_growth": Bar("memory", "what a short run leaves in memory", "bytes", "<=", 20),
        "memory_catalogue": Bar("catalogue", "100,000 workflows, resident", "MB", "<=", 150),
        "memory_catalogue_meaning": Bar("catalogue", "the same with vectors", "MB", "<=", 150),
        "label_filter": Bar("labels", "label filter with count, p95", "ms", "<=", 10, 1),
        "search_1000": Bar("search", "a search among 1,000, p95", "ms", "<=", 5, 2),
        "search_10000": Bar("search", "a search among 10,000, p95", "ms", "<=", 30, 5),
        "search_100000": Bar("search", "a search among 100,000, p95", "ms", "<=", 120, 20),
        "search_1000_meaning": Bar("search", "with vectors, p95", "ms", "<=", 5, 2),
        "search_10000_meaning": Bar("search", "with vectors, 10,000", "ms", "<=", 30, 5),
        "search_100000_meaning": Bar("search", "with vectors, 100,000", "ms", "<=", 120, 20),
        "impact_p50": Bar("impact", "blast radius, depth 3, p50", "ms", "<=", 60, 15),
        "impact_max": Bar("impact", "blast radius, depth 3, max", "ms", "<=", 150, 50),
        "get_run_stdio_sequential": Bar("mcp", "stdio, one at a time", _CALL, "<=", 2, 1.3),
        "get_run_stdio_abreast_32": Bar("mcp", "stdio, 32 abreast", _CALL, "<=", 2, 1.3),
        "get_run_http_sequential": Bar("mcp", "HTTP, one at a time", _CALL, "<=", 2, 1.3),
        "get_run_http_abreast_32": Bar("mcp", "HTTP, 32 abreast", _CALL, "<=", 2, 1.3),
        "start_up_stdio": Bar("mcp", "spawn to tools/list", "x a bare server", "<=", 1.5, 1.15),
        "execute_workflow": Bar("mcp", "one pure step, p50 above a no-op", "ms", "<=", 5, 2),
        "validate_and_plan_500": Bar("plan", "validate and plan 500 steps", "ms", "<=", 20, 5),
    }
)
"""By name. The first word of each bar is the bench that measures it."""

PARTS = tuple(dict.fromkeys(bar.part for bar in BARS.values()))
"""The benches, in the order in which they run."""


def judged(name: str, value: float, **more: Any) -> dict[str, Any]:
    """A value beside its bar. `more` says where the time goes, or how it was measured."""
    bar = BARS[name]
    return {
        "what": bar.what,
        "value": rounded(value),
        "unit": bar.unit,
        "must": f"{bar.sense} {bar.must:g}",
        "aim": "" if bar.aim is None else f"{bar.sense} {bar.aim:g}",
        "aim_is_away": f"x {bar.left(value):.2f}",
        "holds": bar.holds(value),
        **more,
    }


def unmeasured(name: str, why: str) -> dict[str, Any]:
    """A bar that nobody could look at: it does not hold."""
    bar = BARS[name]
    must = f"{bar.sense} {bar.must:g}"
    return {"what": bar.what, "value": None, "must": must, "holds": False, "why": why}


def rounded(value: float) -> float:
    """Three digits that mean something."""
    return float(f"{value:.3g}") if abs(value) < 1_000 else float(round(value))
