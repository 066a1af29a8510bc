"""`handrail eval`: what it measures on examples, and what it says of lines that cannot be meant."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

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
