"""A folder is read whole: what can be read is, and what cannot is a problem with a place."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.definition import parse_documents
from engine.shell.building import Unreadable
from engine.shell.load import fingerprint, load_file, load_folder, split_documents
from engine.shell.strict_json import read_json

FIXTURES = Path(__file__).parent.parent / "fixtures" / "documents"
ONE = "kind: Workflow\n"


def values(folder: Path) -> list[Any]:
    return [document.value for document in load_folder(folder).documents]


def codes(path: Path) -> list[tuple[str, int]]:
    found = load_folder(path) if path.is_dir() else load_file(path)
    return [(problem.code, problem.line) for problem in found.problems]


def written(tmp_path: Path, content: bytes | str, name: str = "a.yaml") -> Path:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_a_folder_of_good_documents_has_no_errors() -> None:
    loaded = load_folder(FIXTURES)
    catalogue = parse_documents(loaded.documents, {})
    assert loaded.problems == ()
    assert catalogue.errors == ()
    assert len(catalogue.workflows) == 5
    assert [(problem.path, problem.code) for problem in catalogue.problems] == [
        ("spec.effect", "weak_effect")
    ]
    (found,) = catalogue.problems
    line = Path(found.file).read_text(encoding="utf-8").splitlines()[found.line - 1]
    assert line.strip() == "effect: read"


def test_files_are_read_in_order_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.json", "z.YAML"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path, f'{{"name": "{name}"}}', name)
    for name in (".hidden.yaml", ".git/x.yaml", "notes.txt", "x.yaml.bak", "yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path, ONE, name)
    assert [value["name"] for value in values(tmp_path)] == [
        "a.yml",
        "b.yaml",
        "z.YAML",
        "sub/c.json",
    ]
    assert load_folder(tmp_path).documents[0].file == str(tmp_path / "a.yml")


def test_several_documents_in_a_file_keep_their_lines(tmp_path: Path) -> None:
    text = "# first\na: 1\n---\n# nothing\n--- # second\nb:\n  c: 2\n...\n---\nd: 3\n"
    documents = load_file(written(tmp_path, text)).documents
    assert [(one.index, one.value) for one in documents] == [
        (0, {"a": 1}), (2, {"b": {"c": 2}}), (3, {"d": 3}),
    ]  # fmt: skip
    assert [one.lines[path] for one, path in zip(documents, ("a", "b.c", "d"), strict=True)] == [
        2,
        7,
        10,
    ]


def test_a_broken_document_leaves_the_others_of_its_file(tmp_path: Path) -> None:
    text = "a: 1\n---\nb: [1\n---\nc: &x 3\n---\nd: 4\n---\ne: 5\ne: 6\n"
    loaded = load_file(written(tmp_path, text))
    assert [one.value for one in loaded.documents] == [{"a": 1}, {"d": 4}]
    assert [(one.code, one.line) for one in loaded.problems] == [
        ("bad_yaml", 4), ("alias", 5), ("duplicate_key", 10),
    ]  # fmt: skip


def test_a_version_line_before_a_document_is_allowed(tmp_path: Path) -> None:
    assert [
        one.value for one in load_file(written(tmp_path, "%YAML 1.2\n---\na: no\n")).documents
    ] == [{"a": "no"}]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"\xef\xbb\xbfa: 1", "not_utf8", 1),
        ("a: 1".encode("utf-16"), "not_utf8", 1),
        ("a: 1".encode("utf-16-be"), "bad_yaml", 1),
        (b"a: 1\nb: \xff\n", "not_utf8", 2),
        (b"a: \xc0\xaf", "not_utf8", 1),
        (b"a: " + b"x" * (256 * 1024), "too_large", 1),
        (b"a: 1\n---\nb: " + b"x" * (256 * 1024), "too_large", 2),
        (b"#" * (1024 * 1024 + 1), "too_large", 1),
        (b"---\na\n" * 1_001, "too_many", 0),
        (b"[" * 30_000, "too_deep", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    tmp_path: Path, content: bytes, code: str, line: int
) -> None:
    assert (code, line) in codes(written(tmp_path, content))


def test_a_document_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    text = "a: " + "x" * (256 * 1024 - 3)
    assert codes(written(tmp_path, text)) == []


def test_an_empty_file_is_no_document(tmp_path: Path) -> None:
    for text in (
        "",
        "\n\n",
        "# only a remark\n",
        "---\n",
        "---\n---\n",
        "null\n",
        "%YAML 1.2\n---\n",
    ):
        loaded = load_file(written(tmp_path, text))
        assert (loaded.documents, loaded.problems) == ((), ())


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert codes(tmp_path) == []
    found = load_folder(tmp_path / "nowhere")
    assert [problem.code for problem in found.problems] == ["no_folder"]


def test_links_are_followed_only_inside_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    outside.mkdir()
    written(outside, "{name: outside}")
    written(folder, "{name: inside}", "real.yaml")
    (folder / "link.yaml").symlink_to(folder / "real.yaml")
    (folder / "escape.yaml").symlink_to(outside / "a.yaml")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "dangling.yaml").symlink_to(folder / "nothing.yaml")
    (folder / "folder").symlink_to(outside)
    (folder / "ring").symlink_to(folder)
    assert values(folder) == [{"name": "inside"}, {"name": "inside"}]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert (values(tmp_path), codes(tmp_path)) == ([], [])


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    file, other = written(tmp_path, "{a: 1}"), written(tmp_path, "{b: 1}", "b.yaml")
    first = load_folder(tmp_path).documents
    again = load_folder(tmp_path).documents
    assert [one is same for one, same in zip(first, again, strict=True)] == [True, True]
    file.write_text("{a: 2}", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    second = load_folder(tmp_path).documents
    assert [document.value for document in second] == [{"a": 2}, {"b": 1}]
    assert second[1] is first[1]
    other.unlink()
    assert values(tmp_path) == [{"a": 2}]


def test_a_file_that_vanished_is_a_problem(tmp_path: Path) -> None:
    assert codes(tmp_path / "gone.yaml") == [("unreadable_file", 0)]


# -- fingerprints -----------------------------------------------------------------------------


def test_a_fingerprint_changes_with_names_sizes_and_times(tmp_path: Path) -> None:
    seen = {fingerprint(tmp_path), fingerprint(tmp_path / "nowhere")}
    file = written(tmp_path, ONE)
    seen.add(fingerprint(tmp_path))
    assert fingerprint(tmp_path) in seen
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint(tmp_path))
    written(tmp_path, ONE + "a: 1\n")
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint(tmp_path))
    file.rename(tmp_path / "b.yaml")
    seen.add(fingerprint(tmp_path))
    assert len(seen) == 6
    written(tmp_path, "notes", "notes.txt")
    assert fingerprint(tmp_path) in seen


# -- JSON ---------------------------------------------------------------------------------------


def test_json_documents_have_lines_too(tmp_path: Path) -> None:
    text = '{\n "a": [1,\n  {"b": "x\\ny",\n   "c": null}],\n "d/e": 1.5\n}\n'
    (document,) = load_file(written(tmp_path, text, "a.json")).documents
    assert document.value == {"a": [1, {"b": "x\ny", "c": None}], "d/e": 1.5}
    assert dict(document.lines) == {
        "": 1, "a": 2, "a[0]": 2, "a[1]": 3, "a[1].b": 3, "a[1].c": 4, "['d/e']": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "duplicate_key"),
        ('{"a": NaN}', "bad_number"),
        ('{"a": -Infinity}', "bad_number"),
        ('{"a": 1e999}', "bad_number"),
        ('{"a": ' + "9" * 5_000 + "}", "bad_number"),
        ('{"a": "\\ud800"}', "bad_text"),
        ('{"\\ud800": 1}', "bad_text"),
        ("[" * 100_000, "too_deep"),
        ("[" * 51 + "]" * 51, "too_deep"),
        ("[" + "1," * 20_000 + "1]", "too_large"),
        ('{"a": 1,}', "bad_json"),
        ("{'a': 1}", "bad_json"),
        ('{"a": 01}', "bad_json"),
        ('{"a": 1} {}', "bad_json"),
        ('{"a": "x\ny"}', "bad_json"),
        ("// no", "bad_json"),
        ("", "bad_json"),
        ("\x00", "bad_json"),
    ],
)
def test_json_that_is_not_strict_is_refused(tmp_path: Path, text: str, code: str) -> None:
    assert [found for found, _ in codes(written(tmp_path, text, "a.json"))] == [code]


def test_the_line_of_a_json_mistake_is_told(tmp_path: Path) -> None:
    assert codes(written(tmp_path, '{\n "a": 1,\n "a": 2\n}', "a.json")) == [("duplicate_key", 3)]
    assert codes(written(tmp_path, '{\n "a": 1,\n "b" 2\n}', "a.json")) == [("bad_json", 3)]


def test_json_larger_than_a_document_is_refused(tmp_path: Path) -> None:
    text = '{"a": "' + "x" * (256 * 1024) + '"}'
    assert codes(written(tmp_path, text, "a.json")) == [("too_large", 1)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)  # fmt: skip


@given(json_values, st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(
    original: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(original, indent=indent, ensure_ascii=ascii_only)
    assert read_json(text).value == original


@given(st.text(alphabet='{}[]",:\\ \n0123456789.eE+-truefalsn', max_size=40))
def test_any_text_is_strict_json_or_refused(text: str) -> None:
    with suppress(Unreadable):
        assert read_json(text).value == json.loads(text)


@given(st.lists(st.sampled_from(["a: 1", "---", "--- # x", "----", " ---", "# y", "", "..."])))
def test_cutting_a_file_loses_no_line(lines: list[str]) -> None:
    text = "\n".join(lines)
    for part, line in split_documents(text):
        assert text.splitlines()[line - 1 :][: len(part.splitlines())] == part.splitlines()
