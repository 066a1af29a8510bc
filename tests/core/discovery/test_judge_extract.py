"""Extraction judged: on a few calls of our own, and on the rows of others where they are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.core.discovery.judge_extract import judge_extract, respelled

ROWS: list[dict[str, Any]] = [
    {
        "query": "Profile of user 3",
        "input_schema": {
            "type": "object",
            "properties": {"user_id": {"type": "integer"}, "tier": {"enum": ["gold", "none"]}},
        },
        "gold_input": {"user_id": 3, "tier": "gold"},
    },
    {
        "query": "Weather in Oslo",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        "gold_input": {"city": "Oslo"},
        "accept": {"city": ["Oslo", "Oslo, Norway"]},
    },
    {
        "query": "This row's own answer does not fit its schema",
        "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "gold_input": {"n": "many"},
    },
]


def test_calls_are_judged_whole() -> None:
    figures = judge_extract(ROWS)
    assert (figures.plain.calls, figures.plain.right, figures.plain.invented) == (3, 2, 0)
    assert figures.respelled == figures.plain
    assert figures.nothing.invented == 0
    assert (figures.guessed, figures.guessed_right, figures.wanted) == (1, 1, 4)
    assert figures == judge_extract(reversed(ROWS))


def test_a_context_is_respelled_among_other_things() -> None:
    context = respelled(ROWS[0])
    assert context["tier"] == "GOLD"
    assert context["user-id"] == "3"
    assert "user_id" not in context
    assert context["previous"]["user_id"] == "something else"


@pytest.mark.requirement("extraction-measured")
def test_extraction_keeps_its_bars_on_calls_that_others_wrote() -> None:
    folder = os.environ.get("HANDRAIL_DATA")
    if not folder:
        pytest.skip("HANDRAIL_DATA does not point to the folder with discovery/dev_extract.jsonl")
    text = (Path(folder) / "discovery" / "dev_extract.jsonl").read_text("utf-8")
    figures = judge_extract(map(json.loads, text.splitlines()))
    assert figures.plain.calls > 1_000
    assert [each.invented for each in (figures.plain, figures.respelled, figures.nothing)] == [
        0
    ] * 3
    assert figures.plain.accuracy >= 0.95
    assert figures.respelled.accuracy >= 0.95
    assert figures.guessed_right / figures.guessed >= 0.9
