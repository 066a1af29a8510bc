"""The order of things that need each other, against what it means to be in order."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.documents.graph import rings, sort

nodes = st.integers(0, 9)
graphs = st.dictionaries(nodes, st.sets(nodes, max_size=4), max_size=10).map(
    lambda found: {node: {need for need in needs if need in found} for node, needs in found.items()}
)


def reach(needs: dict[int, set[int]], start: int) -> set[int]:
    found: set[int] = set()
    todo = list(needs[start])
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(needs[node])
    return found


@given(graphs)
def test_every_node_comes_after_what_it_needs_and_groups_are_independent(
    needs: dict[int, set[int]],
) -> None:
    found = sort(needs)
    place = {node: at for at, node in enumerate(found.order)}
    assert all(place[need] < place[node] for node in found.order for need in needs[node])
    level = {node: at for at, group in enumerate(found.groups) for node in group}
    assert level.keys() == place.keys()
    assert all(level[need] < level[node] for node in found.order for need in needs[node])
    assert set(found.order) | set(found.stuck) == set(needs)


@given(graphs)
def test_a_circle_is_told_exactly_when_there_is_one(needs: dict[int, set[int]]) -> None:
    found = sort(needs)
    on_circle = {node for node in needs if node in reach(needs, node)}
    assert bool(found.cycle) == bool(on_circle) == bool(found.stuck)
    for here, following in zip(found.cycle, found.cycle[1:], strict=False):
        assert following in needs[here]
    assert {node for ring in rings(needs) for node in ring} == on_circle


@given(graphs)
def test_a_ring_is_whoever_reaches_each_other(needs: dict[int, set[int]]) -> None:
    for ring in rings(needs):
        for node in ring:
            assert set(ring) == {
                other for other in reach(needs, node) if node in reach(needs, other)
            }


def test_ties_keep_the_given_order() -> None:
    assert sort({"z": set(), "a": set(), "m": {"z"}}).order == ("z", "a", "m")


def test_a_chain_of_ten_thousand_needs_no_stack() -> None:
    chain = {at: {at + 1} for at in range(10_000)} | {10_000: {0}}
    assert len(sort(chain).cycle) == 10_002
    assert [len(ring) for ring in rings(chain)] == [10_001]
