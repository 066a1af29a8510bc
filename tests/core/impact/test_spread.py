"""The three scenarios of seed 003, and what a spread promises on any catalogue."""

import networkx  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.impact.adjacency import CONNECTOR, TASK, WORKFLOW, Adjacency, Key, adjacency
from engine.core.impact.spread import spread
from tests.core.impact.graphs import catalogue, levels, reached, task, workflow

CHAIN = {"W1": "AB", "W2": "BC"}


@pytest.mark.requirement("impact-scenarios")
def test_a_simple_chain_is_followed_one_step_at_a_time() -> None:
    edges = catalogue(CHAIN)
    assert levels(edges, reached(edges, task("A"), 1)) == [(["W1"], ["B"])]
    assert levels(edges, reached(edges, task("A"), 2)) == [(["W1"], ["B"]), (["W2"], ["C"])]


@pytest.mark.requirement("impact-scenarios")
def test_in_a_diamond_a_task_appears_once() -> None:
    edges = catalogue({"W1": "AB", "W2": "AB"})
    assert levels(edges, reached(edges, task("A"))) == [(["W1", "W2"], ["B"])]


@pytest.mark.requirement("impact-scenarios")
def test_a_cycle_ends() -> None:
    edges = catalogue({"W1": "AB", "W2": "BA"})
    found = reached(edges, task("A"))
    assert levels(edges, found) == [(["W1", "W2"], ["B"])]
    assert not found.cut


@pytest.mark.requirement("impact-depth")
def test_it_says_that_it_was_cut_only_if_there_is_more() -> None:
    edges = catalogue(CHAIN)
    assert reached(edges, task("A"), 1).cut
    assert not reached(edges, task("A"), 2).cut
    assert not reached(edges, task("A"), 3).cut
    assert not reached(edges, task("A")).cut


def test_what_nobody_uses_reaches_nothing() -> None:
    edges = adjacency({task("A"): ()})
    assert reached(edges, task("A")).levels == ()


def test_what_uses_a_workflow_is_one_step_behind_it() -> None:
    edges = adjacency(
        {
            task("A"): (), task("B"): (),
            workflow("inner"): [task("A")],
            workflow("outer"): [workflow("inner"), task("B")],
        }
    )  # fmt: skip
    assert levels(edges, reached(edges, task("A"))) == [(["inner"], []), (["outer"], ["B"])]
    assert levels(edges, reached(edges, workflow("inner"))) == [(["outer"], ["B"])]


def test_a_workflow_does_not_change_its_own_tasks() -> None:
    edges = catalogue({"W1": "AB", "W2": "BC"})
    assert reached(edges, workflow("W1")).levels == ()


def test_a_task_that_starts_a_workflow_is_a_step_behind_it() -> None:
    edges = adjacency(
        {
            task("A"): (), task("starter"): [workflow("inner")],
            workflow("inner"): [task("A")], workflow("outer"): [task("starter")],
        }
    )  # fmt: skip
    found = levels(edges, reached(edges, task("A")))
    assert found == [(["inner"], []), ([], ["starter"]), (["outer"], [])]


def test_a_connector_reaches_the_tasks_that_call_it_first() -> None:
    shop = Key(CONNECTOR, "shop")
    edges = adjacency(
        {shop: (), task("A"): [shop], task("B"): (), workflow("W"): [task("A"), task("B")]}
    )
    assert levels(edges, reached(edges, shop)) == [([], ["A"]), (["W"], ["B"])]


def test_a_workflow_that_uses_itself_ends() -> None:
    edges = adjacency({task("A"): (), workflow("W"): [workflow("W"), task("A")]})
    assert levels(edges, reached(edges, workflow("W"))) == []
    assert levels(edges, reached(edges, task("A"))) == [(["W"], [])]


@pytest.mark.requirement("impact-hubs")
def test_what_has_too_many_users_is_named_and_not_followed() -> None:
    edges = catalogue({"W1": "AH", "W2": "H", "W3": "H", "W4": "HZ"})
    found = reached(edges, task("A"), most=3)
    assert levels(edges, found) == [(["W1"], ["H"])]
    assert [*edges.names.some(found.held)] == ["H"]
    assert reached(edges, task("A"), most=4).held == ()
    assert levels(edges, reached(edges, task("H"), most=1))[0][0] == ["W1", "W2", "W3", "W4"]


def test_only_the_users_that_count_are_followed_first() -> None:
    edges = catalogue({"W1": "AB", "W2": "AC", "W3": "BC"})
    first = [edges.find(workflow("W1"))]
    found = spread(edges, edges.find(task("A")), first=first)
    assert levels(edges, found) == [(["W1"], ["B"]), (["W3"], ["C"]), (["W2"], [])]


# -- any catalogue ------------------------------------------------------------------------------

numbers = st.integers(0, 11)
graphs = st.fixed_dictionaries(
    {
        "tasks": st.dictionaries(numbers, st.sets(numbers, max_size=2), max_size=12),
        "workflows": st.dictionaries(
            numbers, st.tuples(st.sets(numbers, max_size=4), st.sets(numbers, max_size=2)),
            max_size=12,
        ),
    }
)  # fmt: skip


def built(graph: dict[str, dict[int, object]]) -> Adjacency:
    rows: dict[Key, list[Key]] = {
        Key(TASK, f"t{n}"): [Key(WORKFLOW, f"w{each}") for each in starts]  # type: ignore[attr-defined]
        for n, starts in graph["tasks"].items()
    }
    for n, (tasks, calls) in graph["workflows"].items():  # type: ignore[misc]
        uses = [Key(TASK, f"t{each}") for each in tasks]  # type: ignore[has-type]
        uses += [Key(WORKFLOW, f"w{each}") for each in calls]  # type: ignore[has-type]
        rows[Key(WORKFLOW, f"w{n}")] = uses
    return adjacency(rows)


def directed(edges: Adjacency, start: int) -> networkx.DiGraph:
    """Where one step leads, with weight 1, and a workflow's own tasks besides, with weight 0."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(edges)))
    for number in range(len(edges)):
        graph.add_weighted_edges_from((number, user, 1) for user in edges.users[number])
        if edges.kind(number) == WORKFLOW and number != start:
            own = (each for each in edges.uses[number] if edges.kind(each) == TASK)
            graph.add_weighted_edges_from((number, each, 0) for each in own)
    return graph


@pytest.mark.requirement("impact-complete")
@settings(max_examples=60)
@given(graph=graphs, depth=st.integers(0, 4))
def test_everything_within_the_depth_is_reached_at_its_distance(
    graph: dict[str, dict[int, object]], depth: int
) -> None:
    edges = built(graph)
    for start in range(len(edges)):
        far = networkx.single_source_dijkstra_path_length(directed(edges, start), start)
        wanted = {number: far[number] for number in far if number != start}
        found = spread(edges, start, depth)
        got = {
            number: at
            for at, level in enumerate(found.levels, 1)
            for number in (*level.workflows, *level.tasks)
        }
        most = depth or len(edges)
        assert got == {number: steps for number, steps in wanted.items() if steps <= most}
        assert found.cut == any(steps > most for steps in wanted.values())


@settings(max_examples=25)
@given(graph=graphs)
def test_a_limit_of_users_that_nothing_has_changes_nothing(
    graph: dict[str, dict[int, object]],
) -> None:
    edges = built(graph)
    for start in range(len(edges)):
        assert spread(edges, start, 0, len(edges) + 1) == spread(edges, start)
