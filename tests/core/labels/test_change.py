"""Changes of labels as pure functions: what was wished holds, twice is once, and back is back."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.labels.alike import alike
from engine.core.labels.change import (
    Item,
    Labels,
    Move,
    Said,
    backwards,
    effective,
    moves,
    state_after,
    still,
)
from engine.core.labels.declared import Declared
from engine.core.labels.filter import fold

ITEM = Item("workflow", "default", "w")
WORDS = st.lists(st.sampled_from(["a", "A", "b", "c", "Prod:x"]), max_size=3, unique_by=fold)
LABELS = st.builds(Labels, WORDS.map(tuple), WORDS.map(tuple))
GUARDED = Declared(protected=("prod:*",)).is_protected


def after(said: list[Said], found: tuple[Move, ...]) -> list[Said]:
    keys = {(move.type, fold(move.label)) for move in found}
    kept = [each for each in said if (each.type, fold(each.label)) not in keys]
    return kept + [Said(move.type, move.label, state_after(move)) for move in found]


def folded(labels: Labels) -> set[tuple[str, str]]:
    return {(kind, fold(label)) for kind, label in labels.pairs()}


@given(LABELS, LABELS, LABELS, LABELS)
def test_what_was_wished_holds_and_comes_back_as_it_was(
    document: Labels, before: Labels, add: Labels, remove: Labels
) -> None:
    none = Labels()
    said = after([], moves(ITEM, document, [], before, none, GUARDED))
    had = folded(effective("workflow", document, said, GUARDED))
    goes = folded(remove) - folded(add)
    takes = Labels(
        tuple(x for x in remove.categories if ("category", fold(x)) in goes),
        tuple(x for x in remove.tags if ("tag", fold(x)) in goes),
    )
    found = moves(ITEM, document, said, add, takes, GUARDED)
    now = after(said, found)
    has = effective("workflow", document, now, GUARDED)
    assert folded(has) == (had | folded(add)) - goes
    assert moves(ITEM, document, now, add, takes, GUARDED) == ()
    assert not any(still(move, now) for move in found)
    back = after(now, tuple(backwards(move) for move in found))
    assert folded(effective("workflow", document, back, GUARDED)) == had


@given(LABELS)
def test_a_protected_label_of_a_document_is_none(document: Labels) -> None:
    found = effective("workflow", document, [], GUARDED)
    assert not any(GUARDED(label) for _, label in found.pairs())
    own = [Said("tag", "PROD:x", 1)]
    assert "PROD:x" in effective("workflow", document, own, GUARDED).tags


def test_a_category_by_people_stands_for_that_of_a_task() -> None:
    own = [Said("category", "mine", 1), Said("tag", "t", -1)]
    found = effective("task", Labels(("its",), ("t", "u")), own, GUARDED)
    assert found == Labels(("mine",), ("u",))


def test_a_thousand_labels_that_look_like_nothing_are_no_pairs() -> None:
    labels = [(f"topic-{number}", 1) for number in range(1_000)]
    assert alike(labels) == ()
    assert [pair.why for pair in alike([("payments", 3), ("paymnets", 1)])] == ["spelling"]
