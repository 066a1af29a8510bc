"""Inputs as people type them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.views import InputField
from mcp_server.cli.ending import Stop
from mcp_server.cli.inputs import MOST_BYTES, read_inputs, strict_json

FIELDS = (
    InputField("id", "string", True, ""),
    InputField("limit", "integer", False, ""),
    InputField("tags", "array", False, ""),
)


def test_a_value_gets_the_type_that_the_workflow_declares() -> None:
    given_ = read_inputs(["id=3", "limit=3", 'tags=["a"]', "free=true", "text=hello"], FIELDS)
    assert given_ == {"id": "3", "limit": 3, "tags": ["a"], "free": True, "text": "hello"}


def test_a_value_may_contain_equal_signs_and_be_empty() -> None:
    assert read_inputs(["id=a=b", "note="], FIELDS) == {"id": "a=b", "note": ""}


def test_parts_are_merged_from_left_to_right(tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text('\ufeff{"id": "file", "limit": 1}', encoding="utf-8")
    assert read_inputs([f"@{file}", '{"limit": 2}', "id=typed"], FIELDS) == {
        "id": "typed",
        "limit": 2,
    }


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("userId", "cannot read 'userId' as an input"),
        ("=3", "cannot read '=3' as an input"),
        ("{bad json}", "--input is not valid JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("[1]", "--input holds a list, and an input is an object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "is not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason_and_the_forms(part: str, says: str) -> None:
    with pytest.raises(Stop) as caught:
        read_inputs([part])
    assert says in caught.value.ending.message
    assert "@input.json" in caught.value.ending.hint


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(Stop, match="not UTF-8"):
        read_inputs([f"@{file}"])
    file.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(Stop, match="larger than 4 MiB"):
        read_inputs([f"@{file}"])


@given(st.text())
def test_any_text_is_read_or_refused_and_never_crashes(part: str) -> None:
    try:
        found = read_inputs([part.lstrip("@")])
    except Stop:
        return
    assert isinstance(found, dict)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_strict_json_reads_what_json_writes(value: object) -> None:
    import json

    assert strict_json(json.dumps(value)) == value
