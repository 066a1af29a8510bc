"""How good the suggested labels are, on items whose labels people gave: leave one out.

Each item of a source is judged by all the others of that source, through the same tables and the
same weights as in a catalogue. A row is `{name, description, context, tags, categories, source}`;
what it uses stands in `context` under `depends`, `uses`, `node_types` or `task_types`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.core.discovery.likeness import likenesses
from engine.core.discovery.neighbours import (
    TYPES,
    Label,
    Suggested,
    Type,
    Weighings,
    evidence,
    suggested,
)
from engine.core.impact.uses import Use
from engine.core.model import Effect
from engine.core.value import value
from engine.core.views import WorkflowInfo
from engine.store.neighbours import Circle, Neighbours, shipped
from engine.store.paper_rows import Standing, info_text
from engine.store.papers import Papers

Row = Mapping[str, Any]
_USES = ("depends", "uses", "node_types", "task_types")


@value
class LabelFigures:
    """One type of label of one source. `first` counts items whose best suggestion is right,
    `shown` suggestions above the floor and `fitting` those of them that are right; `covered`
    counts items that get at least one."""

    source: str
    type: Type
    items: int
    first: int
    shown: int
    fitting: int
    covered: int

    @property
    def precision_at_1(self) -> float:
        """Of the items, the share whose best suggestion is right."""
        return self.first / self.items if self.items else 0.0

    @property
    def precision_shown(self) -> float:
        """Of the suggestions above the floor, the share that is right."""
        return self.fitting / self.shown if self.shown else 0.0

    @property
    def coverage(self) -> float:
        """Of the items, the share that gets a suggestion above the floor."""
        return self.covered / self.items if self.items else 0.0


@value
class Judged:
    """An item with its circle and the labels that people gave it."""

    id: str
    source: str
    circle: Circle
    given: frozenset[Label]

    def evidence(self) -> dict[Label, tuple[float, ...]]:
        """What speaks for each label; see `neighbours.evidence`."""
        near = self.circle.near
        likes = likenesses(self.circle.item, [each.item for each in near], self.circle.rarity)
        return evidence(self.circle.item, near, likes)


def judge_labels(rows: Iterable[Row], weights: Weighings | None = None) -> list[LabelFigures]:
    """The figures by source and type, sorted; types that no item has are left out."""
    made = weights or shipped()
    judged: dict[tuple[str, Type], list[tuple[frozenset[Label], tuple[Suggested, ...]]]] = {}
    for each in circles(rows):
        circle = each.circle
        found = suggested(circle.item, circle.near, circle.rarity, made, floor=False)
        for kind in {kind for kind, _ in each.given}:
            some = tuple(one for one in found if one.type == kind)
            judged.setdefault((each.source, kind), []).append((each.given, some))
    return [_figures(source, kind, judged[source, kind], made) for source, kind in sorted(judged)]


def circles(rows: Iterable[Row]) -> Iterator[Judged]:
    """Each labelled item with its neighbours in its source."""
    sources: dict[str, list[Row]] = {}
    for row in rows:
        sources.setdefault(str(row.get("source") or ""), []).append(row)
    for source in sorted(sources):
        yield from _of_source(source, sources[source])


def _of_source(source: str, rows: list[Row]) -> Iterator[Judged]:
    papers = Papers(None, "labels")
    try:
        papers.begin()
        for number, row in enumerate(rows, 1):
            _put(papers, number, row)
        papers.commit()
        neighbours = Neighbours(papers.db)
        for number, row in enumerate(rows, 1):
            circle = neighbours.of("workflow", *_key(number, row))
            given = frozenset((kind, label) for kind in TYPES for label in _labels(row, kind))
            if circle is not None and given:
                yield Judged(str(row.get("id") or row["name"]), source, circle, given)
    finally:
        papers.close()


def _put(papers: Papers, number: int, row: Row) -> None:
    namespace, name = _key(number, row)
    info = WorkflowInfo(
        namespace, name, "1", str(row.get("description") or ""), Effect.READ,
        pending=False, deprecated=False, categories=_labels(row, "category"),
        tags=_labels(row, "tag"), inputs=(), steps=1,
    )  # fmt: skip
    digest = hashlib.sha256(f"{number}".encode()).hexdigest()
    standing = Standing(number, namespace, name, "", digest, "read", pending=False)
    context = row.get("context") or {}
    uses = [str(use) for part in _USES for use in context.get(part) or ()]
    papers.put_workflow(standing, info_text(info), [Use("task", "default", use) for use in uses])
    papers.show(number, digest, 0)


def _key(number: int, row: Row) -> tuple[str, str]:
    return f"row{number}", str(row["name"])


def _labels(row: Row, kind: Type) -> tuple[str, ...]:
    return tuple(str(each) for each in row.get("tags" if kind == "tag" else "categories") or ())


def _figures(
    source: str,
    kind: Type,
    judged: list[tuple[frozenset[Label], tuple[Suggested, ...]]],
    weights: Weighings,
) -> LabelFigures:
    first = shown = fitting = covered = 0
    for given, found in judged:
        first += bool(found) and (kind, found[0].label) in given
        above = [each for each in found if each.confidence >= weights[kind].floor]
        shown, covered = shown + len(above), covered + bool(above)
        fitting += sum((kind, each.label) in given for each in above)
    return LabelFigures(source, kind, len(judged), first, shown, fitting, covered)
