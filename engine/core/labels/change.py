"""Which labels a thing has, and what a wished change of them comes to.

A thing has what its document says, without what people took away and protected labels, and what
people added. A task has one category at most: one that people gave stands for the document's. A
change is worked out against what is there, so that nothing happens twice and whatever was done can
be done backwards. Who may change what is not known here.
"""

from collections.abc import Callable, Iterable, Sequence

from engine.core.errors import Refused
from engine.core.labels.filter import fold
from engine.core.value import value

HIDDEN, NOTHING, ADDED = -1, 0, 1
"""What people said of a label: taken away, nothing that counts, added."""
TAG, CATEGORY = "tag", "category"
MOST_LABELS = 50
"""Labels that a thing may have when one is added."""


@value
class Item:
    """A workflow or a task."""

    thing: str
    namespace: str
    name: str

    @property
    def full(self) -> str:
        """Its name with the namespace."""
        return f"{self.namespace}/{self.name}"


@value
class Labels:
    """The labels of a thing, or labels that are wished for."""

    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """Type and label of each."""
        return [
            *((CATEGORY, each) for each in self.categories),
            *((TAG, each) for each in self.tags),
        ]


@value
class Said:
    """What people said of one label of a thing, and when (microseconds)."""

    type: str
    label: str
    state: int
    at: int = 0


@value
class Move:
    """One label that comes or goes.

    `lasting` says that it is people's word that lasts: an own label added, or the document's taken
    away; otherwise their earlier word is only taken back.
    """

    type: str
    label: str
    added: bool
    lasting: bool


def effective(
    thing: str, document: Labels, said: Sequence[Said], protected: Callable[[str], bool]
) -> Labels:
    """The labels that a thing has."""
    state = {(each.type, fold(each.label)): each for each in said}
    kept = [
        (kind, label)
        for kind, label in document.pairs()
        if not protected(label) and _state(state, kind, label) != HIDDEN
    ]
    own = [(each.type, each.label) for each in said if each.state == ADDED]
    if thing == "task" and any(kind == CATEGORY for kind, _ in own):
        kept = [pair for pair in kept if pair[0] != CATEGORY]
    found: dict[tuple[str, str], str] = {}
    for kind, label in (*kept, *sorted(own)):
        found.setdefault((kind, fold(label)), label)
    return Labels(
        tuple(label for (kind, _), label in found.items() if kind == CATEGORY),
        tuple(label for (kind, _), label in found.items() if kind == TAG),
    )


def moves(
    item: Item,
    document: Labels,
    said: Sequence[Said],
    add: Labels,
    remove: Labels,
    protected: Callable[[str], bool],
) -> tuple[Move, ...]:
    """What has to happen so that a thing has some labels and has not some others.

    Raises Refused `one_category`, `too_many_labels`.
    """
    now = effective(item.thing, document, said, protected)
    has = {(kind, fold(label)): label for kind, label in now.pairs()}
    says = {(kind, fold(label)) for kind, label in document.pairs() if not protected(label)}
    state = {(each.type, fold(each.label)): each for each in said}
    found = [
        Move(kind, has[kind, fold(label)], added=False, lasting=(kind, fold(label)) in says)
        for kind, label in remove.pairs()
        if (kind, fold(label)) in has
    ]
    gone = {(move.type, fold(move.label)) for move in found}
    for kind, label in add.pairs():
        key = (kind, fold(label))
        if key not in has or key in gone:
            back = _state(state, kind, label) == HIDDEN and key in says
            found.append(Move(kind, label, added=True, lasting=not back))
    _bounds(item, has.keys() - gone, found)
    return tuple(found)


def _bounds(item: Item, kept: Iterable[tuple[str, str]], found: Sequence[Move]) -> None:
    after = {*kept, *((move.type, fold(move.label)) for move in found if move.added)}
    if not any(move.added for move in found):
        return
    categories = sorted(word for kind, word in after if kind == CATEGORY)
    if item.thing == "task" and len(categories) > 1:
        raise Refused(
            "one_category",
            f"task {item.full} would have the categories {' and '.join(categories)}",
            "A task has one at most: take the other away in the same call.",
        )
    if len(after) > MOST_LABELS:
        message = f"{item.thing} {item.full} would have {len(after)} labels"
        raise Refused("too_many_labels", message, f"At most {MOST_LABELS}; take some away.")


def still(move: Move, said: Sequence[Said]) -> bool:
    """Whether a move that was planned is still to be done, by what people have said since."""
    state = {(each.type, fold(each.label)): each for each in said}
    now = _state(state, move.type, move.label)
    if move.added:
        return now != ADDED if move.lasting else now == HIDDEN
    return now != HIDDEN if move.lasting else now == ADDED


def state_after(move: Move) -> int:
    """What people have said of a label once it has moved."""
    if not move.lasting:
        return NOTHING
    return ADDED if move.added else HIDDEN


def backwards(move: Move) -> Move:
    """The move that undoes another."""
    return Move(move.type, move.label, not move.added, not move.lasting)


def _state(state: dict[tuple[str, str], Said], kind: str, label: str) -> int:
    found = state.get((kind, fold(label)))
    return NOTHING if found is None else found.state
