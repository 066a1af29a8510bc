"""`handrail eval`: what it measures on examples, and what it says of lines that cannot be meant."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.core.discovery.rank import sets
from engine.store.search import shipped
from tests.cli.conftest import Call, Done

SCHEMA = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["order_id"],
}
CALL = {
    "query": "Refund 12.5 of order A-7.",
    "input_schema": SCHEMA,
    "gold_input": {"order_id": "A-7", "amount": 12.5},
}


def written(folder: Path, *rows: Any, name: str = "examples.jsonl") -> str:
    file = folder / name
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(file)


def told(done: Done) -> dict[str, Any]:
    assert done.code == 0, done
    value: dict[str, Any] = json.loads(done.out)
    return value


@pytest.mark.requirement("figures-recomputed")
def test_inputs_are_measured_on_the_lines_of_a_file(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path, CALL, "", CALL | {"id": "b", "accept": {"amount": [12.5, ""]}})
    value = told(call("eval", file, "--json"))
    assert (value["kind"], value["file"]) == ("extract", file)
    assert value["figures"]["plain"] == {"calls": 2, "right": 2, "invented": 0}
    painted = call("eval", file).out
    assert "100.0 %" in painted
    assert "nothing runs on a guess" in painted


def test_a_packed_file_is_read_as_it_is(call: Call, tmp_path: Path) -> None:
    packed = tmp_path / "e.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(CALL).encode()))
    assert told(call("eval", str(packed), "--json"))["figures"]["plain"]["calls"] == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ":2: this is no JSON"),
        ("[" * 5_000, ":2: this is no JSON"),
        ("[1]", ":2: a line is one JSON object"),
        ('{"query": "x"}', ":2: `input_schema` is missing"),
        ({**CALL, "query": " "}, ":2: `query` is what was asked"),
        ({**CALL, "gold_input": [1]}, ":2: `gold_input` is an object"),
        ({**CALL, "accept": {"amount": 1}}, ":2: `accept` is an object with a list"),
        ({**CALL, "id": 7}, ":2: `id` is a text"),
        ({**CALL, "gold_input": None}, ":2: `gold_input` is an object"),
        (" " * 10 + "1" * 1_000_001, ":2: a line may have 1,000,000 characters"),
    ],
)
def test_a_line_that_cannot_be_meant_is_told_with_its_place(
    call: Call, tmp_path: Path, line: Any, words: str
) -> None:
    done = call("eval", written(tmp_path, CALL, line), "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["code"]) == (2, "bad_example")
    assert f"examples.jsonl{words}" in error["message"]
    assert "docs/evaluation.md" in error["hint"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [([], "holds no examples"), (["\n"], "holds no examples"), (["{}"], ":1: it has neither")],
)
def test_a_file_without_examples_says_so(
    call: Call, tmp_path: Path, lines: list[str], words: str
) -> None:
    done = call("eval", written(tmp_path, *lines), "--json")
    assert done.code == 2
    assert words in json.loads(done.out)["error"]["message"]


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_a_file_of_other_bytes_is_told_and_not_a_crash(
    call: Call, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(b"\x1f\x8b\xff\xfe" * 9)
    done = call("eval", str(file), "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "unreadable"


@pytest.mark.parametrize(
    "schema", [{"properties": 1}, {"properties": {"a": 1}}, {"type": ["x"]}, {"$ref": "http://a"}]
)
def test_a_schema_that_cannot_be_used_is_told_with_its_place(
    call: Call, tmp_path: Path, schema: dict[str, Any]
) -> None:
    done = call("eval", written(tmp_path, {**CALL, "input_schema": schema}), "--json")
    assert done.code == 2
    assert ":1: `input_schema` cannot be used" in json.loads(done.out)["error"]["message"]


def test_a_schema_without_inputs_gives_none(call: Call, tmp_path: Path) -> None:
    row = {**CALL, "input_schema": {}, "gold_input": {}}
    assert told(call("eval", written(tmp_path, row), "--json"))["figures"]["guessed"] == 0


# -- search ----------------------------------------------------------------------------------

VERBS = ("create", "cancel", "list", "refund", "export")
THINGS = ("order", "invoice", "customer", "ticket", "report", "shipment")
ENTRIES = [
    {
        "name": f"shop/{verb}-{thing}",
        "description": f"{verb.capitalize()} one {thing} of the shop.",
        "input_schema": {"type": "object", "properties": {f"{thing}_id": {"type": "string"}}},
    }
    for verb in VERBS
    for thing in THINGS
]


def asked(count: int) -> list[dict[str, Any]]:
    """Queries, the same ones in other words again and again; every seventh is turned down once."""
    found = []
    for at in range(count):
        verb, thing = VERBS[at % 5], THINGS[at % 6]
        query = f"please {verb} the {thing} number {at}"
        row: dict[str, Any] = {"id": f"q{at}", "query": query, "gold": [f"{verb}-{thing}"]}
        found.append(row | ({"rejected": [f"shop/list-{thing}"]} if at % 7 == 1 else {}))
    return found


@pytest.fixture
def words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_ENCODER", "off")


@pytest.mark.requirement("figures-recomputed")
def test_search_is_measured_on_a_catalogue_in_a_file(call: Call, tmp_path: Path) -> None:
    strange = [{"query": "sing a lullaby", "gold": []}, {"query": "x", "gold": ["shop/gone"]}]
    file = written(tmp_path, *asked(12), *strange)
    entries = written(tmp_path, *ENTRIES, name="catalogue.jsonl")
    words = ("eval", file, "--catalogue", entries, "--size", "10", "--size", "99")
    value = told(call(*words, "--json"))
    assert [value[name] for name in ("kind", "workflows", "queries", "leftOut")] == [
        "search", 30, 13, 1,
    ]  # fmt: skip
    sizes = value["figures"]["sizes"]
    assert [(each["workflows"], each["figures"]["queries"]) for each in sizes] == [
        (10, 12), (30, 12),
    ]  # fmt: skip
    assert all(each["figures"]["recallAt5"] == 1.0 for each in sizes)
    levels = value["figures"]["reliability"]
    assert sum(level["answers"] for level in levels) == pytest.approx(24)
    assert value["figures"]["strays"]["queries"] == 1
    painted = call(*words).out
    assert "1 left out" in painted
    assert "1 query that nothing answers" in painted


def test_search_is_measured_on_the_workflows_of_the_folders(
    call: Call, tmp_path: Path, words_alone: None
) -> None:
    file = written(tmp_path, {"query": "order-total", "gold": ["order-total"]})
    value = told(call("eval", file, "--json"))
    assert value["encoder"] == "off"
    assert value["figures"]["sizes"][-1]["figures"]["hitAt1"] == 1.0


@pytest.mark.requirement("refit-own-choices")
def test_weights_are_fitted_to_choices_written_and_used(
    call: Call, tmp_path: Path, words_alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = written(tmp_path, *asked(130)), tmp_path / "weights.json"
    entries = written(tmp_path, *ENTRIES, name="catalogue.jsonl")
    words = ("eval", file, "--catalogue", entries, "--size", "30")
    value = told(call(*words, "--refit", "--out", str(out), "--json"))
    fitted = value["refit"]
    assert fitted["fittedTo"] + fitted["measuredOn"] == 130
    assert fitted["figures"]["sizes"][0]["figures"]["hitAt1"] >= 0.95
    assert sets(json.loads(out.read_text(encoding="utf-8"))).keys() == shipped().keys()
    monkeypatch.setenv("HANDRAIL_RANKER", str(out))
    assert told(call(*words, "--json"))["ranker"] == str(out)
    out.write_text("{}", encoding="utf-8")
    done = call(*words, "--json")
    assert json.loads(done.out)["error"]["code"] == "bad_ranker"


@pytest.mark.parametrize(
    ("words", "code", "ends"),
    [
        (("--refit",), "usage", 2),
        (("--out", "w.json"), "usage", 2),
        (("--refit", "--out", "w.json", "--size", "30"), "too_few_examples", 4),
        (("--kind", "extract"), "usage", 2),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    call: Call, tmp_path: Path, words_alone: None, words: tuple[str, ...], code: str, ends: int
) -> None:
    rows = [CALL] if "extract" in words else asked(4)
    entries = written(tmp_path, *ENTRIES, name="catalogue.jsonl")
    done = call("eval", written(tmp_path, *rows), "--catalogue", entries, *words, "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["code"]) == (ends, code)
    assert error["hint"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"name": 1}, ":2: `name` is a name"),
        ({"name": "x", "tags": "a"}, ":2: `tags` is a list of texts"),
        (ENTRIES[0], ":2: the name 'shop/create-order' stands there a second time"),
    ],
)
def test_a_catalogue_that_cannot_be_meant_is_told_with_its_place(
    call: Call, tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    entries = written(tmp_path, ENTRIES[0], entry, name="catalogue.jsonl")
    done = call("eval", written(tmp_path, *asked(1)), "--catalogue", entries, "--json")
    assert done.code == 2
    assert f"catalogue.jsonl{words}" in json.loads(done.out)["error"]["message"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": ["x"], "default": 1}}},
        {"properties": {"a": {"$ref": "#"}}},
        {"properties": {"a": {"type": "array", "default": "none"}}},
    ],
)
def test_a_catalogue_is_searched_though_a_schema_in_it_is_of_no_use(
    call: Call, tmp_path: Path, words_alone: None, schema: dict[str, Any]
) -> None:
    odd = {"name": "shop/odd", "description": "Something else.", "input_schema": schema}
    entries = written(tmp_path, *ENTRIES, odd, name="catalogue.jsonl")
    done = call("eval", written(tmp_path, *asked(7)), "--catalogue", entries, "--json")
    assert told(done)["workflows"] == 31


def test_examples_of_another_catalogue_are_refused(call: Call, tmp_path: Path) -> None:
    done = call("eval", written(tmp_path, *asked(2)), "--json")
    assert json.loads(done.out)["error"]["code"] == "bad_example"


# -- labels ----------------------------------------------------------------------------------


@pytest.mark.requirement("figures-recomputed")
def test_suggested_labels_are_measured_against_those_that_people_gave(
    call: Call, tmp_path: Path
) -> None:
    rows = [
        {
            "name": f"{verb}-{thing}-{at}",
            "description": f"{verb} the {thing}",
            "tags": [thing],
            "source": "shop",
        }
        for verb in VERBS
        for thing in ("order", "invoice")
        for at in range(2)
    ]
    file = written(tmp_path, *rows)
    (figures,) = told(call("eval", file, "--json"))["figures"]
    assert (figures["source"], figures["type"], figures["items"]) == ("shop", "tag", 20)
    assert figures["first"] >= 18
    assert "First right" in call("eval", file).out


@pytest.mark.parametrize("context", [[], {"uses": 3}, {"depends": "a"}])
def test_a_context_of_another_shape_is_told_with_its_place(
    call: Call, tmp_path: Path, context: Any
) -> None:
    row = {"name": "a", "description": "b", "tags": ["c"], "context": context}
    done = call("eval", written(tmp_path, row), "--json")
    assert done.code == 2
    assert ":1: `context` is an object" in json.loads(done.out)["error"]["message"]
