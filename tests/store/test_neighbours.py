"""Who is near whom in a catalogue, through the tables, and how good the suggestions are."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from engine.app import fitting_labels as fitting
from engine.app.judging_labels import judge_labels
from engine.core.discovery.neighbours import TYPES, Label, Type, chance
from engine.core.model import Effect
from engine.core.views import TaskInfo
from engine.store.neighbours import WEIGHTS, Neighbours
from engine.store.papers import Papers

F = TypeVar("F", bound=Callable[..., Any])
DATA = os.environ.get("HANDRAIL_DATA")


def with_data(test: F) -> F:
    """Minutes over the examples of people, where they are."""
    reason = "HANDRAIL_DATA does not name the folder of the data"
    for mark in (
        pytest.mark.slow,
        pytest.mark.timeout(1200),
        pytest.mark.skipif(not DATA, reason=reason),
    ):
        test = mark(test)
    return test


ROWS = [
    {"name": "send-invoice", "description": "Sends an invoice.", "categories": ["billing"]},
    {"name": "pay-invoice", "description": "Pays an invoice.", "categories": ["billing"]},
    {"name": "list-invoices", "description": "Lists invoices.", "categories": ["billing"]},
    {"name": "water-plants", "description": "Waters plants.", "categories": ["garden"]},
    {"name": "cut-plants", "description": "Cuts the plants.", "categories": ["garden"]},
    {"name": "feed-plants", "description": "Feeds all plants.", "categories": ["garden"]},
]


def test_each_is_judged_by_the_others() -> None:
    (figures,) = judge_labels(ROWS)
    assert (figures.type, figures.items, figures.precision_at_1) == ("category", 6, 1.0)
    assert figures.fitting <= figures.shown


def test_a_task_has_neighbours_of_its_own_until_it_is_gone() -> None:
    papers = Papers(None, "rules")
    papers.begin()
    for number, row in enumerate(ROWS, 1):
        papers.put_task(number, _task(row))
    papers.commit()
    around = Neighbours(papers.db)
    circle = around.of("task", "default", "pay-invoice")
    assert circle is not None
    assert circle.labels == {("category", "billing")}
    assert {each.title for each in circle.near} == {"send-invoice", "list-invoices"}
    papers.begin()
    papers.unread(1)
    papers.commit()
    after = around.of("task", "default", "pay-invoice")
    assert after is not None
    assert {each.title for each in after.near} == {"list-invoices"}
    assert around.of("task", "default", "nobody") is None
    papers.close()


def _task(row: Mapping[str, object]) -> TaskInfo:
    category = str(row["categories"][0])  # type: ignore[index]
    return TaskInfo(
        "default", str(row["name"]), "http", Effect.READ, str(row["description"]), category,
        (), {}, {}, (),
    )  # fmt: skip


def test_the_shipped_weights_name_no_word_of_any_example() -> None:
    document = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    assert set(document) == {"tag", "category"}
    assert len(WEIGHTS.read_text(encoding="utf-8")) < 1_500


def test_a_category_is_chosen_by_what_tells_it_from_the_others_of_its_item() -> None:
    """Items in a crowd have much of `angle` for every label and more labels of their own."""
    items = [_told(f"{kind}{at}", kind, at % 2) for kind in TYPES for at in range(12)]
    found = fitting.fitted(items)
    assert found["category"]["weights"]["angle"] == 0
    assert found["category"]["weights"]["words"] > 0
    assert found["tag"]["weights"]["angle"] > 0
    assert list(fitting.crossed(items)) == list(fitting.crossed(items))


def _told(id: str, kind: Type, crowded: int) -> fitting.Told:
    labels: list[Label] = [(kind, letter) for letter in "abcd"]
    own = frozenset(labels[: 1 + crowded])
    return fitting.Told(
        id,
        "here",
        {label: (crowded, label in own or label[1] == id[-1], 0, 0, 0, 0, 0) for label in labels},
        own,
    )


@pytest.fixture(scope="module")
def items() -> list[fitting.Told]:
    """What the examples of people come to, once for all tests that ask them."""
    text = (Path(str(DATA)) / "discovery/dev_labels.jsonl").read_text(encoding="utf-8")
    return fitting.told(json.loads(line) for line in text.splitlines())


@with_data
def test_the_same_examples_give_the_shipped_weights(items: list[fitting.Told]) -> None:
    assert fitting.fitted(items) == json.loads(WEIGHTS.read_text(encoding="utf-8"))


@with_data
@pytest.mark.requirement("suggestions-precise")
@pytest.mark.parametrize(
    ("source", "bar"), [("kestra-blueprints", 0.81), ("gha-starter", 0.89), ("debian", 0.69)]
)
def test_the_best_suggestion_is_right_as_often_as_was_asked_for(
    items: list[fitting.Told], source: str, bar: float
) -> None:
    right = []
    for each, made in fitting.crossed(items):
        own = {label for label in each.given if label[0] == "category"}
        if own and each.source == source:
            found = [
                (-chance(made["category"], row), label)
                for label, row in each.evidence.items()
                if label[0] == "category"
            ]
            right.append(min(found, default=(0, None))[1] in own)
    assert sum(right) / len(right) >= bar
