"""Changes of labels as plans: one operation for each thing, and carrying them out.

What a person reads is all that is carried out: the lists of an operation say which labels come and
go, and whether that is people's own word or takes back what the document says. Whatever somebody
did meanwhile is not done twice; a label that has become protected since stops the plan.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.core.approval.plan import Operation, Plan, canonical, digest
from engine.core.labels.change import Item, Move, Said, backwards, still
from engine.core.labels.events import LabelAdded, LabelRemoved
from engine.core.log import NEW, Entry, Row
from engine.core.value import value
from engine.shell.label_files import LabelFile
from engine.store import Store

CHANGE, PROTECT = "labels.change", "labels.protect"
"""The kinds of plans: the second touches protected labels, and is never allowed by a rule alone."""
_LISTS: Mapping[str, tuple[bool, bool]] = {
    "add": (True, True),
    "restore": (True, False),
    "remove": (False, False),
    "hide": (False, True),
}
"""The lists of an operation: whether a label comes, and whether that lasts."""


@value
class Done:
    """Events for the labels' stream, the id of their change, and what is not as it was shown."""

    entries: tuple[Entry, ...]
    change: str
    moved: int
    drifted: str = ""


def operation(item: Item, moved: Sequence[Move]) -> Operation:
    """The operation that moves labels of a thing."""
    lists = {
        name: [f"{move.type} {move.label}" for move in moved if (move.added, move.lasting) == how]
        for name, how in _LISTS.items()
    }
    args = {"thing": item.thing, "namespace": item.namespace, "name": item.name}
    full = f"{item.thing} {item.full}"
    shown = {name: labels for name, labels in lists.items() if labels}
    return Operation(full, "label", full, {**args, **shown}, reversible=True)


def moves_of(args: Mapping[str, Any]) -> tuple[Move, ...]:
    """The moves that the arguments of an operation say."""
    found: list[Move] = []
    for name, (added, lasting) in _LISTS.items():
        for text in args.get(name, ()):
            kind, _, label = text.partition(" ")
            found.append(Move(kind, label, added, lasting))
    return tuple(found)


def item_of(row: Mapping[str, Any]) -> Item:
    """The thing that a row or the arguments of an operation are about."""
    return Item(row["thing"], row["namespace"], row["name"])


def undoing(rows: Iterable[Row]) -> dict[Item, list[Move]]:
    """What undoes a change, by thing, from the rows of what moved."""
    found: dict[Item, list[Move]] = {}
    for row in rows:
        done = Move(row["type"], row["label"], bool(row["added"]), bool(row["lasting"]))
        found.setdefault(item_of(row), []).append(backwards(done))
    return found


class LabelJournal:
    """What people said of labels, as the journal has it, and what a plan writes there."""

    def __init__(self, store: Store, tenant: str, file: LabelFile) -> None:
        self._store, self._tenant, self._file = store, tenant, file

    async def said(self, item: Item) -> list[Said]:
        """What people have said of the labels of a thing, now."""
        rows = await self._store.fetch(
            "label_of",
            tenant=self._tenant, thing=item.thing, namespace=item.namespace, name=item.name,
        )  # fmt: skip
        return [Said(row["type"], row["label"], row["state"], row["at"]) for row in rows]

    async def carried(self, plan: Plan) -> Done:
        """What carrying a plan out writes; reads, writes nothing."""
        heads = await self._store.fetch("label_head", tenant=self._tenant)
        change, events = change_of(plan), list[Any]()
        declared = self._file.current()
        for op in plan.ops:
            item, wanted = item_of(op.args), moves_of(op.args)
            guarded = [move.label for move in wanted if declared.is_protected(move.label)]
            if guarded and plan.kind != PROTECT:
                return Done((), change, 0, f"{guarded[0]} has become protected")
            said = await self.said(item)
            if _second_category(item, wanted, said):
                return Done((), change, 0, f"{item.full} got another category meanwhile")
            events += [_event(change, item, move) for move in wanted if still(move, said)]
        stream, version = (heads[0]["stream"], heads[0]["version"]) if heads else (NEW, 0)
        entries = (Entry(stream, version, tuple(events)),) if events else ()
        return Done(entries, change, len(events))


def change_of(plan: Plan) -> str:
    """The id of the change that a plan makes: its bytes' own."""
    return f"lab_{digest(canonical(plan))[:20]}"


def _event(change: str, item: Item, move: Move) -> LabelAdded | LabelRemoved:
    cls = LabelAdded if move.added else LabelRemoved
    return cls(change, item.thing, item.namespace, item.name, move.type, move.label, move.lasting)


def _second_category(item: Item, wanted: Sequence[Move], said: Sequence[Said]) -> bool:
    """Whether a task would get a category beside one that somebody gave it since."""
    if item.thing != "task":
        return False
    ours = {move.label for move in wanted if move.type == "category"}
    comes = any(move.type == "category" and move.added for move in wanted)
    own = {each.label for each in said if each.type == "category" and each.state > 0}
    return comes and bool(own - ours)
