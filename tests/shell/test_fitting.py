"""Weights out of examples, and measuring with them: reproducible, and without anybody's words."""

import json
from itertools import product

import pytest

from engine.app import fitting
from engine.app.evaluation import (
    Query,
    figures,
    for_test,
    full_name,
    item,
    measured,
    outcomes,
    query,
    samples,
)
from engine.core.discovery import rank
from engine.core.views import WorkflowInfo
from engine.store.search import Ranking

VERBS = ("close", "open", "send", "count", "archive", "compare")
NOUNS = ("invoices", "orders", "tickets", "shipments", "budgets", "contracts")


def catalogue() -> list[WorkflowInfo]:
    return [
        item(
            {
                "name": f"shop/{verb}_{noun}",
                "description": f"{verb.capitalize()} {noun} of a customer. For the {noun} team.",
                "input_schema": {
                    "type": "object",
                    "properties": {f"{noun}Id": {"type": "string"}},
                    "required": [f"{noun}Id"] if verb == "close" else [],
                },
                "tags": [noun],
                "categories": [],
            }
        )
        for verb, noun in product(VERBS, NOUNS)
    ]


def asked() -> list[Query]:
    said = ("please {} the {} of jane", "{} some {} and tell me", "{} 12 {}", "the {} must {}")
    return [
        query({"id": f"{at}-{verb}-{noun}", "query": text, "gold": [f"shop/{verb}_{noun}"]})
        for at, words in enumerate(said)
        for verb, noun in product(VERBS, NOUNS)
        for text in [words.format(*((noun, verb) if at == 3 else (verb, noun)))]
        if (at + len(verb) + len(noun)) % 3
    ]


@pytest.fixture(scope="module")
def made() -> str:
    found = fitting.examples(catalogue(), asked(), (36,))
    return fitting.text_of({"lexical": fitting.fitted(found)})


@pytest.mark.requirement("ranker-reproducible")
def test_the_same_examples_give_the_same_bytes(made: str) -> None:
    again = fitting.examples(catalogue(), list(reversed(asked())), (36,))
    assert fitting.text_of({"lexical": fitting.fitted(again)}) == made


@pytest.mark.requirement("search-calibrated")
def test_a_catalogue_of_each_size_has_a_level_of_its_own() -> None:
    found = fitting.examples(catalogue(), asked(), (12, 36, 1_000))
    levels = dict(fitting.fitted(found)["levels"])
    assert [*levels] == [12, len(catalogue())]
    assert all(0.5 <= level < 1 for level in levels.values())


@pytest.mark.requirement("ranker-reproducible")
def test_no_word_of_an_example_is_in_the_weights(made: str) -> None:
    words = {*VERBS, *NOUNS, "jane", "shop"}
    assert not {word for word in words if word in made}


def test_with_its_weights_what_was_meant_is_found(made: str) -> None:
    ranking = Ranking(weights=rank.sets(json.loads(made)))
    found = measured(catalogue(), asked(), 36, ranking)
    assert found.hit_at_1 >= 0.95
    assert found.recall_at_5 >= found.hit_at_1
    assert found.accepted_unanswerable <= 0.1


def test_a_sample_has_what_was_meant_and_is_the_same_every_time() -> None:
    made = list(samples(catalogue(), asked(), 12))
    assert made == list(samples(catalogue()[::-1], asked()[::-1], 12))
    assert sorted(each.id for sample in made for each in sample.queries) == sorted(
        each.id for each in asked()
    )
    for sample in made:
        names = {full_name(info) for info in sample.infos}
        assert len(names) == len(sample.infos) == 12
        assert all(each.gold <= names for each in sample.queries)


def test_left_out_means_left_out() -> None:
    (sample,) = samples(catalogue(), asked()[:2], 36)
    for outcome in outcomes(sample):
        names = {full_name(hit.info) for hit in outcome.without.hits}
        assert names
        assert not names & outcome.query.gold


def test_nothing_asked_is_nothing_measured() -> None:
    assert figures([]).queries == 0
    assert figures([]).precision == 1.0


def test_half_of_the_queries_is_kept_for_measuring() -> None:
    kept = sum(map(for_test, asked()))
    assert 0.3 < kept / len(asked()) < 0.7
