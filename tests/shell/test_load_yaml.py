"""YAML means what it looks like, and nothing in it can hurt."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.shell import strict_yaml
from engine.shell.building import Unreadable
from engine.shell.strict_yaml import read_yaml, resolve

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(categories=["L"]), max_size=6), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers: the one written in C may be missing where there is no wheel for it."""
    if request.param == "python":
        monkeypatch.setattr(strict_yaml, "_LOADER", yaml.SafeLoader)


def value(text: str) -> Any:
    return read_yaml(text, 1).value


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("nil", "nil"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("0777", "0777"),
        ("012", "012"),
        ("-012", "-012"),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("190:20:30", "190:20:30"),
        ("1.5", 1.5),
        ("01.5", "01.5"),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("1.", 1.0),
        ("1e", "1e"),
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
        ("9" * 60, int("9" * 60)),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("-", None),
    ],
)
def test_a_plain_word_means_what_it_looks_like(text: str, meaning: Any) -> None:
    if text != "-":
        assert resolve(text) == meaning
        assert type(resolve(text)) is type(meaning)
    assert value(f"[{text}]" if text not in ("", "-") else "{a: }") in ([meaning], {"a": meaning})


@pytest.mark.parametrize(
    "quoted", ["'true'", '"7"', "'null'", '"0x1F"', "'.inf'", "|-\n  7", "'<<'"]
)
def test_what_is_quoted_is_text(quoted: str) -> None:
    assert isinstance(value(f"a: {quoted}")["a"], str)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".NaN", "1e999", "-1e999", "9" * 5_000])
def test_a_number_that_json_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        value(f"a:\n  - {text}")
    assert (caught.value.code, caught.value.line) == ("bad_number", 2)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("{no: 1, yes: 2}", {"no": 1, "yes": 2}),
        ("{1: a, true: b, ~: c}", {"1": "a", "true": "b", "~": "c"}),
        ("0777: a", {"0777": "a"}),
    ],
)
def test_a_key_is_the_text_that_stands_there(text: str, meaning: Any) -> None:
    assert value(text) == meaning


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[" * 30_000, "too_deep", 1),
        ("{a: " * 30_000, "too_deep", 1),
        ("- " * 30_000, "too_deep", 1),
        ("a: &x [1, 2]\nb: *x", "alias", 1),
        ("a: *x", "alias", 1),
        ("a: &a [*a]", "alias", 1),
        ("a: &x 1", "alias", 1),
        ("a: &x\n  b: 1", "alias", 1),
        ("a: !!python/object/apply:os.system [id]", "tag", 1),
        ("a: !!str 7", "tag", 1),
        ("a: ! 7", "tag", 1),
        ("a: !own {b: 1}", "tag", 1),
        ("%TAG ! tag:x,2000:\n--- \na: 1", "tag", 1),
        ("a: 1\nb: 2\na: 3", "duplicate_key", 3),
        ("{1: a, '1': b}", "duplicate_key", 1),
        ("{a: {b: 1, b: 2}}", "duplicate_key", 1),
        ("<<: {a: 1}", "merge_key", 1),
        ("a:\n  <<: [{b: 1}]", "merge_key", 2),
        ("{[a, b]: 1}", "bad_key", 1),
        ("{{a: 1}: 1}", "bad_key", 1),
        ("url: {{input.url}}", "bad_key", 1),
        ("? {a: 1}\n: b", "bad_key", 1),
        ("x" * 257 + ": 1", "too_long", 1),
        ("[" + "1," * 20_001 + "]", "too_large", 1),
        ("a: 1\n--- \nb: 2", "bad_yaml", 2),
        ("a: 1\n...\nb: 2", "bad_yaml", 3),
        ("a: [1", "bad_yaml", 1),
        ("a: 'x", "bad_yaml", 1),
        ("a: b: c", "bad_yaml", 1),
        ("a:\n\t- 1", "bad_yaml", 2),
        ("a: @b", "bad_yaml", 1),
        ("a: %b", "bad_yaml", 1),
        ("a: \0", "bad_yaml", 1),
        ("a: \x07", "bad_yaml", 1),
        ('a: "\\q"', "bad_yaml", 1),
        ("\ufeffa: [", "bad_yaml", 1),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text, 1)
    assert caught.value.code == code
    assert 0 <= caught.value.line - line <= 2


def test_half_a_character_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml('a: "\\ud800"', 1)
    assert caught.value.code in ("bad_yaml", "bad_text")


@pytest.mark.requirement("bad-documents")
def test_a_laughing_document_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 40)]
    with pytest.raises(Unreadable) as caught:
        read_yaml("\n".join(lines), 1)
    assert caught.value.code == "alias"


def test_fifty_thousand_merge_keys_are_refused_at_the_first() -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml("a:\n" + "  <<: {b: 1}\n" * 50_000, 1)
    assert (caught.value.code, caught.value.line) == ("merge_key", 2)


@pytest.mark.parametrize(
    "text",
    [
        '"' + "x" * 250_000,
        "'" * 250_000,
        "a" * 250_000,
        "a: " * 80_000,
        "? " * 100_000,
        ": " * 100_000,
        "!" * 250_000,
        "&" + "a" * 250_000,
        "#" * 250_000,
        "\n" * 250_000,
        " " * 250_000,
        "\t" * 250_000,
        "|" + "\n" * 250_000,
        ">\n" + " x\n" * 80_000,
        "- |\n" * 60_000,
        "a:\n" * 80_000,
        "[a, " * 60_000,
        "{a: [" * 50_000,
        "%" * 250_000,
        "---\n" * 60_000,
        "...\n" * 60_000,
        "a: \\" * 60_000,
        '"' + "\\n" * 120_000 + '"',
        "x:\n  " + "y " * 120_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_quarter_megabyte_of_anything_is_answered(text: str) -> None:
    with suppress(Unreadable):
        assert len(read_yaml(text, 1).lines) <= 20_000


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: {{input.x}}", "put quotes round a template: '{{input.id}}'"),
        ("a: {{input.x}} and more", "put quotes round a"),
        ("- if: {{input.x}} == 1", "put quotes round a"),
        ("a: b: c", "put quotes round a value that holds a colon"),
        ("a:\n\tb: 1", "indent with spaces, not tabs"),
        ("a: *b", "write the value out where it is needed"),
        ("a: [1", "check the indentation"),
    ],
)
def test_a_common_slip_is_met_with_advice(text: str, hint: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_yaml(text, 1)
    assert caught.value.hint.startswith(hint)


def test_every_node_has_a_line() -> None:
    built = read_yaml("# one\na: 1\nb:\n  - x\n  - c: |\n      long\n      text\n    d/e: 2\n", 10)
    assert dict(built.lines) == {
        "": 11, "a": 11, "b": 13, "b[0]": 13, "b[1]": 14, "b[1].c": 14, "b[1]['d/e']": 17,
    }  # fmt: skip
    assert dict(built.lines.items()) == dict(built.lines)
    assert "b[2]" not in built.lines
    assert "nothing" not in built.lines


def test_a_key_that_is_shortened_in_its_path_has_a_line() -> None:
    built = read_yaml(f'"{"a b " * 40}": 1\nc: 2\n', 1)
    assert [line for path, line in built.lines.items() if path] == [1, 2]


@given(json_values)
def test_what_another_writer_wrote_is_read_the_same(original: Any) -> None:
    # JSON is a subset of YAML, so this writer needs no rules of its own.
    text = yaml.safe_dump({"value": original}, allow_unicode=True, default_style='"')
    read_back = read_yaml(text, 1) if "!!" not in text else None
    if read_back is not None:
        assert read_back.value == {"value": original}


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Unreadable):
        built = read_yaml(text, 1)
        assert bool(built.lines) == built.complete
