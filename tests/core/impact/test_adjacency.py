"""Who uses what: the same however it came about, and found by name."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.impact.adjacency import (
    CONNECTOR,
    LEAST_BROAD,
    TASK,
    WORKFLOW,
    Adjacency,
    Key,
    adjacency,
    ranked,
)
from engine.core.impact.spread import spread
from tests.core.impact.graphs import task, workflow

keys = st.builds(Key, st.integers(0, 2), st.sampled_from(["a", "b", "c", "x/a", "x/b"]))
rows = st.dictionaries(keys, st.sets(keys, max_size=4), max_size=10)


@pytest.mark.requirement("impact-current")
@settings(max_examples=70)
@given(before=rows, after=rows)
def test_changing_it_gives_what_making_it_anew_gives(
    before: dict[Key, set[Key]], after: dict[Key, set[Key]]
) -> None:
    touched = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    came_or_went = before.keys() ^ after.keys()
    touched |= {key for key, used in after.items() if used & came_or_went}
    changed = adjacency(before).changed({key: after.get(key) for key in touched})
    assert changed == adjacency(after)


@settings(max_examples=40)
@given(rows=rows)
def test_rows_of_numbers_in_any_order_give_the_same(rows: dict[Key, set[Key]]) -> None:
    made = adjacency(rows)
    names = [[*made.of_kind(kind)] for kind in range(3)]
    numbered = [(user, [*made.uses[user]]) for user in range(len(made)) if made.uses[user]]
    random.Random(1).shuffle(numbered)
    assert ranked(names, numbered) == made


@pytest.mark.requirement("impact-current")
@settings(max_examples=40)
@given(before=rows, uses=st.lists(st.sets(keys, max_size=4), min_size=10, max_size=10))
def test_rewiring_what_is_there_gives_the_same(
    before: dict[Key, set[Key]], uses: list[set[Key]]
) -> None:
    news = dict(zip(list(before)[::2], uses, strict=False))
    assert adjacency(before).changed(news) == adjacency(before | news)


def test_a_thing_is_found_by_its_name_and_kind() -> None:
    made = adjacency({task("b"): (), task("a"): (), workflow("a"): (), Key(CONNECTOR, "z"): ()})
    assert [made.key(number) for number in range(4)] == [
        task("a"), task("b"), workflow("a"), Key(CONNECTOR, "z"),
    ]  # fmt: skip
    assert made.find(workflow("a")) == 2
    assert made.find(workflow("b")) == -1
    assert made.find(task("z")) == -1


def test_a_bare_name_is_found_in_every_namespace() -> None:
    made = adjacency({task(name): () for name in ("send", "shop/send", "post/send", "shop/resend")})
    assert made.called(TASK, "send") == ["send", "post/send", "shop/send"]
    assert made.called(TASK, "resend") == ["shop/resend"]
    assert made.called(WORKFLOW, "send") == []


def _large(seed: int) -> Adjacency:
    """A catalogue in which some tasks are used by hundreds of workflows."""
    chance = random.Random(seed)
    rows: dict[Key, list[Key]] = {task(f"t{n}"): [] for n in range(400)}
    for n in range(900):
        common = [task(f"t{each}") for each in range(3) if chance.random() < 0.5]
        rare = [task(f"t{chance.randrange(3, 400)}") for _ in range(2)]
        calls = [workflow(f"w{chance.randrange(900)}")] if n % 50 == 0 else []
        rows[workflow(f"w{n}")] = [*common, *rare, *calls]
    return adjacency(rows)


@pytest.mark.requirement("impact-complete")
def test_what_is_known_beforehand_of_hubs_changes_no_answer() -> None:
    for seed in (1, 2):
        known, plain = _large(seed), _large(seed)
        assert known.broad, f"nothing in it has {LEAST_BROAD} users"
        plain.broad = ()
        for start in range(0, len(known), 37):
            for depth in (0, 1, 2, 3):
                assert spread(known, start, depth) == spread(plain, start, depth)
            assert spread(known, start, 3, 300) == spread(plain, start, 3, 300)
