"""The engine's values as they cross the protocol: camelCase, RFC 3339, milliseconds, no nulls.

Nothing else in this package builds a result. What is empty or ordinary is left out, so that an
assistant does not pay for it; `shapes.py` says what may be there. Foreign text is made visible
here (`foreign.message`), outputs and inputs stay exactly the data they are.
"""

from mcp_server.wire.approvals import approval, waiting_for
from mcp_server.wire.basics import Answer, Json, called, failure, millis, refused, rfc3339, size
from mcp_server.wire.impact import blast_radius, what_if
from mcp_server.wire.labels import changed as labels_changed
from mcp_server.wire.labels import label, label_stats, suggestion_stats, suggestions
from mcp_server.wire.matching import best_match, next_step, validation
from mcp_server.wire.runs import attempt, group, outcome, run, run_brief, run_row, step
from mcp_server.wire.workflows import (
    details,
    example,
    field,
    fields,
    invalid,
    plan,
    planned,
    problem,
    statistics,
    step_info,
    task,
    version,
    workflow,
)

__all__ = [
    "Answer",
    "Json",
    "approval",
    "attempt",
    "best_match",
    "blast_radius",
    "called",
    "details",
    "example",
    "failure",
    "field",
    "fields",
    "group",
    "invalid",
    "label",
    "label_stats",
    "labels_changed",
    "millis",
    "next_step",
    "outcome",
    "plan",
    "planned",
    "problem",
    "refused",
    "rfc3339",
    "run",
    "run_brief",
    "run_row",
    "size",
    "statistics",
    "step",
    "step_info",
    "suggestion_stats",
    "suggestions",
    "task",
    "validation",
    "version",
    "waiting_for",
    "what_if",
    "workflow",
]
