"""What makes a version: its content and nothing else; and a stored version compiles again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.definition import (
    RawDocument,
    digest,
    needs_acceptance,
    parse_documents,
    rebuild,
    stored_input,
)
from engine.core.model import Effect, Workflow
from engine.core.version import Semver, VersionClash, next_version
from tests.core.papers import EVERYTHING, FUNCTIONS, LOOK, SEND, documents, flow, read


def everything() -> Workflow:
    catalogue = read(*EVERYTHING)
    assert not catalogue.errors, catalogue.errors
    return catalogue.workflows[("default", "flow")]


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_the_input_of_a_stored_version_is_read_without_the_rest() -> None:
    workflow = everything()
    assert stored_input(workflow.bundle) == workflow.input_schema
    assert workflow.input_schema["properties"]


def test_a_bundle_holds_everything_a_version_needs() -> None:
    bundle = everything().bundle
    assert set(bundle["tasks"]) == {"default/look", "default/send", "default/starter", "other/far"}
    assert set(bundle["connectors"]) == {"crm/shop"}
    assert bundle["workflows"] == {"default/sub": "read"}
    assert bundle["functions"] == {"look": "read", "send": "mutation"}
    assert json.loads(json.dumps(bundle)) == bundle


def test_a_stored_version_compiles_to_the_same_workflow() -> None:
    found = everything()
    stored = json.loads(json.dumps(shuffled(found.bundle)))
    again = rebuild(stored, FUNCTIONS)
    assert again == found
    assert again.digest == found.digest == digest(found.bundle)
    assert needs_acceptance(again)


def test_a_stored_version_outlives_its_functions() -> None:
    again = rebuild(everything().bundle, {})
    assert again == everything()


def test_a_function_that_nobody_recorded_may_do_anything() -> None:
    found = read(flow("- {id: a, taskRef: look}"), LOOK).workflows[("default", "flow")]
    bundle = {**found.bundle, "functions": {}}
    assert needs_acceptance(rebuild(bundle, {}))


def test_a_function_that_became_stronger_is_believed() -> None:
    found = read(flow("- {id: a, taskRef: look}"), LOOK).workflows[("default", "flow")]
    assert not needs_acceptance(found)
    assert needs_acceptance(rebuild(found.bundle, {"look": Effect.MUTATION}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda bundle: bundle.pop("format"),
        lambda bundle: bundle.update(format=99),
        lambda bundle: bundle.pop("workflow"),
        lambda bundle: bundle.pop("tasks"),
        lambda bundle: bundle.update(tasks=[]),
        lambda bundle: bundle["tasks"].pop("default/look"),
        lambda bundle: bundle["tasks"].update({"default/look": 7}),
        lambda bundle: bundle.pop("workflows"),
        lambda bundle: bundle["workflows"].update({"default/sub": "harmless"}),
        lambda bundle: bundle["workflow"]["spec"].update(tasks=7),
        lambda bundle: bundle.update(workflow=bundle["tasks"]["default/look"]),
    ],
)
def test_a_damaged_bundle_is_a_value_error(damage: Any) -> None:
    bundle = json.loads(json.dumps(everything().bundle))
    damage(bundle)
    with pytest.raises(ValueError, match=r"\w"):
        rebuild(bundle, FUNCTIONS)


def digests(*texts: str) -> str:
    return read(*texts).workflows[("default", "flow")].digest


def test_key_order_comments_and_files_do_not_count() -> None:
    raw = documents(*EVERYTHING)
    moved = [
        RawDocument(f"elsewhere/{at}", 7, shuffled(one.value))
        for at, one in enumerate(reversed(raw))
    ]
    found = parse_documents(moved, FUNCTIONS).workflows[("default", "flow")]
    assert found.digest == everything().digest
    text = flow("- {id: a, taskRef: look}")
    assert digests(text, LOOK) == digests("# a remark\n" + text, LOOK)


def test_what_changes_the_meaning_changes_the_digest() -> None:
    base = flow("- {id: a, taskRef: look}\n- {id: b, workflowRef: sub}")
    sub = flow("- {id: a, taskRef: look}", name="sub")
    variants = [
        (base, sub, LOOK),
        (base.replace("id: a", "id: c"), sub, LOOK),
        (base, sub, LOOK.replace("function: look", "function: add")),
        (base, flow("- {id: a, taskRef: send}", name="sub"), LOOK, SEND),
    ]
    assert len({digests(*variant) for variant in variants}) == len(variants)


def test_a_sub_workflow_may_change_without_its_caller() -> None:
    base = flow("- {id: b, workflowRef: sub}")
    one = flow("- {id: a, taskRef: look}", name="sub")
    two = flow("- {id: a, taskRef: look}\n- {id: b, taskRef: look}", name="sub")
    assert digests(base, one, LOOK) == digests(base, two, LOOK)


# -- numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "declared", "content", "number"),
    [
        ([], None, "d", "1.0.0"),
        ([], "3.1.4", "d", "3.1.4"),
        ([("1.0.0", "d")], None, "d", "1.0.0"),
        ([("1.0.0", "c")], None, "d", "1.0.1"),
        ([("1.0.9", "a"), ("1.0.10", "b")], None, "d", "1.0.11"),
        ([("2.0.0", "a"), ("1.9.9", "b")], None, "d", "2.0.1"),
        ([("1.0.0", "d"), ("1.0.1", "c")], None, "d", "1.0.0"),
        ([("1.0.0", "d"), ("1.0.2", "d")], None, "d", "1.0.2"),
        ([("1.0.0", "d")], "1.0.0", "d", "1.0.0"),
        ([("1.0.0", "c")], "0.9.0", "d", "0.9.0"),
    ],
)
def test_content_gets_a_number(
    published: list[tuple[str, str]], declared: str | None, content: str, number: str
) -> None:
    assert next_version(published, declared, content) == number


def test_a_number_that_stands_for_other_content_is_a_clash() -> None:
    found = next_version([("1.0.0", "c"), ("1.4.0", "x")], "1.0.0", "d")
    assert isinstance(found, VersionClash)
    assert (found.declared, found.published_digest, found.digest) == ("1.0.0", "c", "d")
    assert found.hint == "bump the declared version, for example to 1.4.1"


@pytest.mark.parametrize(
    "text", ["1", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3", "1.2.3\n", "", "1.2.9999999999"]
)
def test_other_numbers_are_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        Semver.parse(text)


numbers = st.integers(0, 999_999_999)


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=2))
def test_numbers_sort_by_their_parts(parts: list[tuple[int, int, int]]) -> None:
    made = sorted(Semver(*part) for part in parts)
    assert [str(one) for one in made] == [".".join(map(str, part)) for part in sorted(parts)]
    assert [Semver.parse(str(one)) for one in made] == made


@given(st.lists(st.sampled_from("abcd"), max_size=20))
def test_publishing_again_and_again_never_moves_a_number(contents: list[str]) -> None:
    published: list[tuple[str, str]] = []
    for content in contents:
        number = next_version(published, None, content)
        assert isinstance(number, str)
        known = dict(published)
        assert known.get(number, content) == content
        if number not in known:
            published.append((number, content))
    assert len({number for number, _ in published}) == len(set(contents))
