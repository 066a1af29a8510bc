"""Labels that may fit a workflow or task: from its neighbours, or from a language model.

A suggestion changes nothing. Which were made is kept, so that the share of those that people
accept can be told by where they came from. Without a language model, or when it does not answer,
the neighbours' labels are the answer. A protected label is suggested by nobody.
"""

import logging
from collections.abc import Callable, Sequence

from engine.app.catalogue import Shelf
from engine.app.labelling import Labelling
from engine.app.settings import Settings, model_of
from engine.core.discovery.neighbours import Label, Suggested, Type, suggested
from engine.core.discovery.proposing import SCHEMA, SYSTEM, Subject, believed, question
from engine.core.errors import Refused
from engine.core.labels.change import Item
from engine.core.labels.declared import Declared, wrong
from engine.core.labels.filter import fold
from engine.core.labels.suggested import SuggestionMade, SuggestionRejected
from engine.core.log import NEW, Append, Entry
from engine.core.value import value
from engine.features.suggestions import ACCEPTED, OPEN, REJECTED
from engine.store import Store, StoreError
from engine.store.neighbours import Circle, shipped

_LOG = logging.getLogger("handrail.engine")

NEIGHBOURS, MODEL = "neighbours", "model"
MOST = 8
"""Labels that are suggested."""


@value
class Suggestions:
    """Labels that may fit, best first; `source` is `neighbours` or `model`. `trouble` says why a
    language model that should have been asked did not help."""

    item: Item
    source: str
    suggestions: tuple[Suggested, ...]
    trouble: str = ""


@value
class SuggestionStats:
    """What became of the suggestions of one source."""

    source: str
    made: int
    accepted: int
    rejected: int

    @property
    def rate(self) -> float | None:
        """Of those that somebody decided about, the share that was accepted; None: of none."""
        decided = self.accepted + self.rejected
        return self.accepted / decided if decided else None


class Suggesting:
    """Suggests labels, for one tenant."""

    def __init__(self, store: Store, shelf: Shelf, labels: Labelling, settings: Settings) -> None:
        self._store, self._shelf, self._labels = store, shelf, labels
        self._tenant, self._clock = settings.tenant, settings.clock
        self._model = model_of(settings, settings.models.labels)

    async def close(self) -> None:
        """Close what the language model holds open."""
        if self._model is not None:
            await self._model.close()

    async def suggest(self, name: str, thing: str = "workflow") -> Suggestions:
        """Labels that may fit a `workflow` or `task` and that it has not.

        Raises Refused `unknown_workflow`, `unknown_task`, `ambiguous_workflow`, ...
        """
        await self._shelf.reshow()
        item = self._item(thing, name)
        circle = self._shelf.around(item)
        if circle is None:
            return Suggestions(item, NEIGHBOURS, ())
        declared, known = self._labels.declared(), await self._known(item)
        rejected = {key for key, state in known.items() if state == REJECTED}
        without = rejected | {(kind, fold(label)) for kind, label in circle.labels}
        if thing == "task" and any(kind == "category" for kind, _ in circle.labels):
            declared = Declared((), declared.protected)  # it has the only one that it may have
        near = _near(circle, declared, without)
        found = await self._asked(item, circle, declared, without, near)
        await self._note(found, known)
        return found

    async def reject(self, name: str, label: str, thing: str = "workflow", *, actor: str) -> None:
        """Say that a suggested label is not wanted; raises Refused `unknown_suggestion`, ..."""
        item = self._item(thing, name)
        known = await self._known(item)
        kinds = [key[0] for key, state in known.items() if key[1] == fold(label) and not state]
        if not kinds:
            hint = "Labels that were suggested and are still open can be rejected."
            message = f"{label[:60]!r} is no open suggestion for {item.full}"
            raise Refused("unknown_suggestion", message, hint)
        place = (item.thing, item.namespace, item.name)
        events = tuple(SuggestionRejected(*place, kind, label.strip()) for kind in kinds)
        entry = Entry(NEW, 0, events)
        await self._store.append(Append((entry,), self._clock.now(), actor, self._tenant))

    async def stats(self) -> tuple[SuggestionStats, ...]:
        """What became of suggestions, by source."""
        found = []
        for source in (MODEL, NEIGHBOURS):
            each = [await self._count(source, state) for state in (OPEN, ACCEPTED, REJECTED)]
            if any(each):
                found.append(SuggestionStats(source, sum(each), each[ACCEPTED], each[REJECTED]))
        return tuple(found)

    async def _count(self, source: str, state: int) -> int:
        (row,) = await self._store.fetch(
            "suggestion_count", tenant=self._tenant, source=source, state=state
        )
        return int(row["number"])

    # -- how -----------------------------------------------------------------------------------

    def _item(self, thing: str, name: str) -> Item:
        if thing not in ("workflow", "task"):
            raise Refused("invalid_input", "only workflows and tasks have labels", "Use one.")
        return self._shelf.item(thing, name)

    async def _known(self, item: Item) -> dict[tuple[str, str], int]:
        rows = await self._store.fetch(
            "suggestions_of",
            tenant=self._tenant, thing=item.thing, namespace=item.namespace, name=item.name,
        )  # fmt: skip
        return {(row["type"], row["word"]): row["state"] for row in rows}

    async def _asked(
        self,
        item: Item,
        circle: Circle,
        declared: Declared,
        without: set[tuple[str, str]],
        near: tuple[Suggested, ...],
    ) -> Suggestions:
        if self._model is None:
            return Suggestions(item, NEIGHBOURS, near)
        has = tuple(sorted(label for _, label in circle.labels))
        uses = tuple(use.partition("/")[2] for use in circle.item.uses)
        subject = Subject(item.thing, item.name, self._shelf.described(item), uses, has)
        try:
            words = question(subject, declared.categories, near)
            answer = await self._model.ask(SYSTEM, words, SCHEMA)
        except Refused as refused:
            _LOG.warning("no labels from the language model: %s", refused.code)
            return Suggestions(item, NEIGHBOURS, near, f"{refused.message}. {refused.hint}")
        found = believed(answer, declared, _spelled(circle), without)
        return Suggestions(item, MODEL, found) if found else Suggestions(item, NEIGHBOURS, near)

    async def _note(self, found: Suggestions, known: dict[tuple[str, str], int]) -> None:
        """Keep which were made. An answer is never lost because that cannot be written."""
        item, model = found.item, self._model.model if found.source == MODEL and self._model else ""
        events = tuple(
            SuggestionMade(
                item.thing, item.namespace, item.name, each.type, each.label, found.source,
                round(each.confidence * 1000), model,
            )
            for each in found.suggestions
            if known.get((each.type, fold(each.label))) != OPEN
        )  # fmt: skip
        if not events:
            return
        entry = Entry(NEW, 0, events)
        try:
            await self._store.append(Append((entry,), self._clock.now(), "engine", self._tenant))
        except StoreError as error:
            _LOG.warning("suggestions could not be written down: %s", error)


def _spelled(circle: Circle) -> Callable[[Type, str], str]:
    there = {(kind, fold(label)): label for each in circle.near for kind, label in each.labels}
    return lambda kind, label: there.get((kind, fold(label)), label)


def _near(
    circle: Circle, declared: Declared, without: set[tuple[str, str]]
) -> tuple[Suggested, ...]:
    categories = {fold(each) for each in declared.categories}
    not_wanted: set[Label] = {
        (kind, label)
        for each in circle.near
        for kind, label in each.labels
        if (kind, fold(label)) in without
        or wrong(label)
        or declared.is_protected(label)
        or (kind == "category" and fold(label) not in categories)
    }
    found: Sequence[Suggested] = suggested(
        circle.item, circle.near, circle.rarity, shipped(), without=not_wanted
    )
    return tuple(found[:MOST])
