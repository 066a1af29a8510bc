"""The labels of workflows and tasks: looking at them, and asking for changes of them.

A change is worked out against what is there, shown as a plan and asked for like any other; where
nothing is left to change it is answered at once. More things than fit in one plan are done in
several, the same call each time.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine.app.approving import LOCAL, Approvals
from engine.app.catalogue import Shelf
from engine.app.label_plans import CHANGE, PROTECT, LabelJournal, operation, undoing
from engine.app.label_stats import Figures, LabelPage, LabelStats, Wanted
from engine.app.questions import Question
from engine.core.approval.plan import MOST_OPERATIONS, Requester
from engine.core.errors import Move as Whose
from engine.core.errors import Refused
from engine.core.labels.change import CATEGORY, Item, Labels, Move, effective, moves, still
from engine.core.labels.declared import Declared, category, proper
from engine.core.labels.filter import EVERYTHING, Filter, fold
from engine.core.value import value
from engine.shell.label_files import LabelFile
from engine.store import Store

MOST_NAMED = MOST_OPERATIONS
"""Things that one call names."""
MOST_MOVED = 20
"""Labels that one call adds, and as many that it takes away."""


@value
class Change:
    """A wished change: of the things named, or else of all that fit a filter."""

    thing: str = "workflow"
    names: tuple[str, ...] = ()
    wanted: Filter | None = None
    add: Labels = Labels()
    remove: Labels = Labels()
    reason: str = ""


@value
class Changed:
    """What a change comes to: by thing, which labels come and go.

    `left` is how many things are to be done by the same call again; `id` names what was done.
    """

    items: tuple[tuple[Item, tuple[Move, ...]], ...] = ()
    left: int = 0
    id: str = ""
    done: bool = False


class Labelling:
    """The labels of one tenant's workflows and tasks."""

    def __init__(
        self, store: Store, tenant: str, shelf: Shelf, approvals: Approvals, file: LabelFile
    ) -> None:
        self._store, self._tenant, self._shelf = store, tenant, shelf
        self._approvals, self._file = approvals, file
        self._journal = LabelJournal(store, tenant, file)
        self._figures = Figures(store, tenant, shelf, file)

    # -- looking -------------------------------------------------------------------------------

    def declared(self) -> Declared:
        """Which categories and which protected labels there are."""
        declared = self._file.current()
        if declared.categories:
            return declared
        return replace(declared, categories=self._shelf.words(CATEGORY))

    async def of(self, thing: str, namespace: str, name: str) -> Labels:
        """The labels of a thing; raises Refused `unknown_workflow`, `unknown_task`."""
        item = self._shelf.item(thing, f"{namespace}/{name}")
        document = self._shelf.says(item)
        said = await self._journal.said(item)
        return effective(thing, document, said, self._file.current().is_protected)

    async def page(
        self, wanted: Wanted | None = None, after: tuple[str, str] = ("", ""), limit: int = 50
    ) -> LabelPage:
        """Labels by name and type behind one, with how often they are used and since when."""
        await self._shelf.reshow()
        return self._figures.page(wanted or Wanted(), after, limit)

    async def stats(self, now: int, days: int = 30) -> LabelStats:
        """How labels are used, over so many days until `now`."""
        await self._shelf.reshow()
        return await self._figures.stats(now, days)

    # -- changing ------------------------------------------------------------------------------

    async def change(
        self, wished: Change, *, requester: Requester = LOCAL, dry: bool = False
    ) -> Changed:
        """Add labels and take some away; `dry` only says what would be done.

        Raises Gated until a person has decided, Refused `nothing_to_change`, `bad_label`,
        `unknown_category`, `unknown_workflow`, `one_category`, `too_many_labels`, ...
        """
        self._usable()
        wished = replace(wished, add=self._added(wished.add), remove=_words(wished.remove))
        _sensible(wished)
        await self._shelf.reshow()
        items, total = self._meant(wished)
        found: list[tuple[Item, tuple[Move, ...]]] = []
        for item in items:
            moved = await self._moves(item, wished)
            if moved:
                found.append((item, moved))
        left = max(0, total - len(items))
        return await self._asked(tuple(found), left, wished.reason, requester, dry)

    async def undo(
        self, change: str, *, requester: Requester = LOCAL, dry: bool = False
    ) -> Changed:
        """Do a change backwards, as far as it still stands; raises as `change` does.

        Refused `unknown_change` when there was none of this id.
        """
        self._usable()
        rows = await self._store.fetch("label_change", tenant=self._tenant, change=change[:80])
        if not rows:
            hint = "Ids come from the answers of manage_labels."
            raise Refused("unknown_change", f"there is no change {change[:40]!r}", hint)
        found: list[tuple[Item, tuple[Move, ...]]] = []
        for item, back in undoing(rows).items():
            said = await self._journal.said(item)
            moved = tuple(move for move in back if still(move, said))
            if moved:
                found.append((item, moved))
        return await self._asked(tuple(found), 0, "", requester, dry)

    async def _asked(
        self,
        found: tuple[tuple[Item, tuple[Move, ...]], ...],
        left: int,
        reason: str,
        requester: Requester,
        dry: bool,
    ) -> Changed:
        shown, left = found[:MOST_OPERATIONS], left + len(found[MOST_OPERATIONS:])
        if dry or not shown:
            return Changed(shown, left)
        question = self._question(shown, left, reason, requester)
        await self._approvals.relabel(question, (item for item, _ in shown))
        place = shown[0][0]
        rows = await self._store.fetch(
            "label_last_change",
            tenant=self._tenant, thing=place.thing, namespace=place.namespace, name=place.name,
        )  # fmt: skip
        return Changed(shown, left, rows[0]["change"] if rows else "", done=True)

    def _question(
        self,
        found: Sequence[tuple[Item, tuple[Move, ...]]],
        left: int,
        reason: str,
        requester: Requester,
    ) -> Question:
        protected = self._file.current().is_protected
        guarded = any(protected(move.label) for _, moved in found for move in moved)
        first = found[0][0]
        alone = first.full if len(found) == 1 and first.thing == "workflow" else ""
        ops = tuple(operation(item, moved) for item, moved in found)
        later = (f"the other {left:,}",) if left else ()
        kind = PROTECT if guarded else CHANGE
        return Question(kind, requester, alone, "", ops, later=later, rationale=reason)

    async def _moves(self, item: Item, wished: Change) -> tuple[Move, ...]:
        said = await self._journal.said(item)
        protected = self._file.current().is_protected
        return moves(item, self._shelf.says(item), said, wished.add, wished.remove, protected)

    def _meant(self, wished: Change) -> tuple[list[Item], int]:
        """The things that are meant and are to be changed, at most a plan's, and how many."""
        if wished.wanted is None:
            items = [self._shelf.item(wished.thing, name) for name in wished.names]
            return list(dict.fromkeys(items)), len(items)
        return self._shelf.needing(
            wished.thing, wished.wanted, wished.add.pairs(), wished.remove.pairs(), MOST_OPERATIONS
        )

    def _added(self, add: Labels) -> Labels:
        there_are = self.declared().categories
        categories = tuple(category(each, there_are) for each in add.categories)
        return Labels(categories, tuple(proper(each) for each in add.tags))

    def _usable(self) -> None:
        trouble = self._file.current().trouble
        if trouble is not None:
            message = f"no label can be changed: {trouble.message}"
            hint = trouble.hint or "A person corrects the file."
            raise Refused("labels_broken", message, hint, move=Whose.PERSON)


def _words(labels: Labels) -> Labels:
    """Labels that are to go: nobody is asked whether they are proper."""
    categories = tuple(each for each in labels.categories if each.strip())
    return Labels(categories, tuple(each for each in labels.tags if each.strip()))


def _sensible(wished: Change) -> None:
    add, remove = wished.add.pairs(), wished.remove.pairs()
    if not add and not remove:
        raise Refused("nothing_to_change", "it is not said which labels", "Give add or remove.")
    if len(add) > MOST_MOVED or len(remove) > MOST_MOVED:
        raise Refused("too_many_labels", f"at most {MOST_MOVED} labels in a call", "Use several.")
    both = {(kind, fold(label)) for kind, label in add} & {
        (kind, fold(label)) for kind, label in remove
    }
    if both:
        word = sorted(both)[0][1]
        raise Refused("invalid_input", f"{word!r} is to come and to go", "Decide for one of them.")
    if wished.thing not in ("workflow", "task"):
        raise Refused("invalid_input", "only workflows and tasks have labels", "Use one of them.")
    if wished.wanted is None and not 0 < len(wished.names) <= MOST_NAMED:
        hint = f"Give names, at most {MOST_NAMED}, or a filter."
        raise Refused("nothing_to_change", "it is not said of which things", hint)
    if wished.wanted is not None and (wished.names or wished.wanted == EVERYTHING):
        hint = "Give names or a filter that narrows, not both."
        raise Refused("invalid_filter", "a filter that keeps everything is not meant", hint)
