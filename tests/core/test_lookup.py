"""What a lookup proves, and what it does not."""

from typing import Any

import pytest

from engine.core.declared import HttpSpec, Lookup, Precondition, Reading
from engine.core.errors import Failure, Kind
from engine.core.expr import EvaluationError
from engine.core.lookup import absent, asked, found, guarded
from engine.core.template import compile_condition, compile_template

ROOTS = ("input", "output", "key")
SCOPE = {"input": {"id": 7}, "key": "k1"}


def reading(url: str = "https://a.example", given: Any = None) -> Reading:
    template = None if given is None else compile_template(given, ROOTS)
    return Reading("find", HttpSpec("GET", compile_template(url)), template)


def lookup(match: str, result: Any = None, url: str = "https://a.example") -> Lookup:
    template = None if result is None else compile_template(result, ROOTS)
    return Lookup(reading(url), compile_condition(match, ROOTS), template, 2_000_000, True)


@pytest.mark.requirement("gate-lookup")
@pytest.mark.parametrize(
    ("match", "answer", "verdict"),
    [
        ("size(output.items) > 0", {"items": [1]}, "yes"),
        ("size(output.items) > 0", {"items": []}, "no"),
        ("size(output.items) > 0", {"items": None}, "no"),
        ("size(output.items) > 0", {}, "unknown"),
        ("size(output.items) > 0", {"error": "try later"}, "unknown"),
        ("size(output.items) > 0", None, "unknown"),
        ("size(output.items) > 0", "<html>", "unknown"),
        ("size(output.items) > 0", {"items": 7}, "unknown"),
        ("size(output) > 0", [], "no"),
        ("output.id == {{input.id}}", {"id": 7}, "yes"),
        ("output.id == {{input.id}}", {"id": 8}, "no"),
        ("output.ref == key", {"ref": "k1"}, "yes"),
        ("output.paid", {"paid": True}, "yes"),
        ("output.paid", {"paid": None}, "no"),
        ("output.paid", {"paid": "true"}, "unknown"),
        ("output.deep.paid", {"deep": {}}, "unknown"),
        ("has(output.paid)", {}, "no"),
        ("output.paid | default(false)", {}, "no"),
        ("key in output[*].ref", [{"ref": "k0"}, {"ref": "k1"}], "yes"),
        ("output[0].ref == key", [], "no"),
    ],
)
def test_a_lookup_says_yes_or_no_only_when_it_understands_the_answer(
    match: str, answer: Any, verdict: str
) -> None:
    assert found(lookup(match), answer, SCOPE)[0] == verdict


def test_what_was_found_becomes_the_output_of_the_call() -> None:
    answer = {"items": [{"id": "p1"}]}
    assert found(lookup("size(output.items) > 0"), answer, SCOPE) == ("yes", answer)
    made = lookup("size(output.items) > 0", {"payment": "{{output.items[0].id}}", "of": "{{key}}"})
    assert found(made, answer, SCOPE) == ("yes", {"payment": "p1", "of": "k1"})


def test_a_no_is_a_proof_only_where_it_is_final() -> None:
    ways = (reading(), compile_condition("output.x", ROOTS), None)
    assert Lookup(*ways, 5, True).finality == 5
    assert Lookup(*ways, 5, False).finality == -1


def test_the_read_gets_the_input_of_the_call_or_what_is_made_of_it() -> None:
    assert asked(reading(), SCOPE) == {"id": 7}
    assert asked(reading(given={"ref": "{{key}}", "of": "{{input.id}}"}), SCOPE) == {
        "ref": "k1",
        "of": 7,
    }


@pytest.mark.parametrize(
    ("url", "status", "no"),
    [
        ("https://a.example/{{input.id}}", 404, True),
        ("https://a.example/{{input.id}}", 410, True),
        ("https://a.example/{{input.id}}", 403, False),
        ("https://a.example/all", 404, False),
    ],
)
def test_a_thing_that_is_not_there_is_a_no_where_one_was_asked_for(
    url: str, status: int, no: bool
) -> None:
    failure = Failure(Kind.PERMANENT, f"http_{status}", "", details={"status": status})
    assert absent(lookup("output.id == {{input.id}}", url=url), failure) is no


def test_a_precondition_is_all_that_was_read_or_what_the_template_takes_of_it() -> None:
    answer = {"stock": 3, "seen": "now"}
    assert guarded(Precondition(reading()), answer, SCOPE) == answer
    value = compile_template("{{output.stock}}", ROOTS)
    assert guarded(Precondition(reading(), value), answer, SCOPE) == 3
    with pytest.raises(EvaluationError):
        guarded(Precondition(reading(), compile_template("{{1 / 0}}")), answer, SCOPE)
