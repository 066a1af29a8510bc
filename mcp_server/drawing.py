"""The graph of a blast radius as text for others to draw, and its list for a spreadsheet.

A name comes from a document and must stay a name: in Mermaid every character but the harmless is
written as its number, in DOT it stands quoted, and in CSV nothing begins as a formula does.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcp_server.text import visible

if TYPE_CHECKING:
    from engine.app.impact import WhatIf
    from engine.core.impact.radius import Node, Radius

_HARMLESS = re.compile(r"[^A-Za-z0-9 ._/:@-]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def mermaid(view: "Radius") -> str:
    """A Mermaid flowchart of the nodes and edges on this page."""
    ids = {node.id: f"n{number}" for number, node in enumerate(view.nodes)}
    rows = ["flowchart LR", *(f"  {ids[node.id]}{_shape(node)}" for node in view.nodes)]
    for edge in view.edges:
        if edge.source in ids and edge.target in ids:
            word = "contains" if edge.relationship == "contains" else "used by"
            rows.append(f"  {ids[edge.source]} -->|{word}| {ids[edge.target]}")
    return "\n".join(rows)


def _shape(node: "Node") -> str:
    label = _HARMLESS.sub(lambda found: f"#{ord(found[0])};", node.name)
    if not node.depth:
        return f'(["{label} - {node.kind}"])'
    return f'["{label}"]' if node.kind == "workflow" else f'("{label}")'


def dot(view: "Radius") -> str:
    """A DOT digraph of the nodes and edges on this page."""
    rows = ["digraph impact {", "  rankdir=LR;"]
    for node in view.nodes:
        shape = "box" if node.kind == "workflow" else "ellipse"
        bold = ", style=bold" if not node.depth else ""
        rows.append(f"  {_quoted(node.id)} [label={_quoted(node.name)}, shape={shape}{bold}];")
    rows += [
        f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.relationship)}];"
        for edge in view.edges
    ]
    return "\n".join([*rows, "}"])


def _quoted(text: str) -> str:
    return '"' + visible(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def table(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV that a spreadsheet takes as text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(str(one)) for one in row] for row in rows)
    return out.getvalue().rstrip("\n")


def _cell(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown


def listing(view: "Radius") -> str:
    """Everything on this page as CSV: depth, type and name."""
    rows: list[tuple[object, ...]] = [("depth", "type", "name")]
    for level in view.levels:
        rows += [(level.depth, "workflow", name) for name in level.workflows]
        rows += [(level.depth, "task", name) for name in level.tasks]
    return table(rows)


def broken(view: "WhatIf") -> str:
    """What a change would break as CSV, a row for each place."""
    rows: list[tuple[object, ...]] = [
        ("severity", "type", "name", "step", "place", "code", "message", "hint")
    ]
    rows += [
        (each.severity, each.kind, each.name, each.step, each.place, each.code, each.message,
         each.hint)
        for each in view.breaks
    ]  # fmt: skip
    return table(rows)
