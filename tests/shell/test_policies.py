"""The policy file: read again when it changed, refused when it cannot be trusted."""

import os
from pathlib import Path

import pytest

from engine.core.approval.facts import facts
from engine.core.approval.policy import Deny, judge, revision
from engine.shell.policies import NAME, SHIPPED, PolicyFile, read_policy
from tests.core.approval.plans import plan

DENY = "rules:\n  - {id: never, when: {kind: run.mutations}, then: deny}\n"


def test_the_shipped_policy_has_no_problem(tmp_path: Path) -> None:
    policy = PolicyFile(None, tmp_path, [SHIPPED.parent])
    assert policy.path == SHIPPED
    assert policy.current().trouble is None
    assert policy.problems == ()


def test_the_file_beside_the_database_counts_and_a_named_one_before_it(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(DENY, encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text("default: {require: A2}\n", encoding="utf-8")
    assert PolicyFile(None, tmp_path).current().rules[0].id == "never"
    assert PolicyFile(other, tmp_path).current().rules == ()


@pytest.mark.requirement("policy")
def test_a_change_counts_at_once_and_a_broken_one_forbids_everything(tmp_path: Path) -> None:
    file = PolicyFile(None, tmp_path)
    before = file.revision
    (tmp_path / NAME).write_text(DENY, encoding="utf-8")
    assert file.revision != before
    assert file.named() == (file.current(), revision(file.current()))
    (tmp_path / NAME).write_text("rules: [{id: x, wehn: {}, then: deny}]\n", encoding="utf-8")
    assert judge(file.current(), facts(plan())) == Deny("policy_broken")
    (tmp_path / NAME).unlink()
    assert file.revision == before


@pytest.mark.requirement("policy")
@pytest.mark.parametrize(
    "text",
    [
        "rules:\n - {id: a, when: {odd: 1}, then: deny}\n",
        "rules: [",
        "rules: &a [*a]",
        "rules: []\nrules: []\n",
        "default: !!python/object/apply:os.system [x]",
        "",
        "default: {}\n---\ndefault: {}\n",
        "[" * 30_000,
    ],
)
def test_a_policy_that_cannot_be_read_says_where(tmp_path: Path, text: str) -> None:
    path = tmp_path / NAME
    path.write_text(text, encoding="utf-8")
    policy, problems = read_policy(path)
    assert problems
    assert policy.trouble is not None
    assert policy.trouble.details["file"] == str(path)
    assert str(path) in policy.trouble.message


def test_the_line_and_the_field_of_a_mistake_are_named(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text("default: {}\nrules:\n- id: a\n  when:\n    effct: x\n  then: deny\n")
    trouble = read_policy(path)[0].trouble
    assert trouble is not None
    assert trouble.details["line"] == 5
    assert trouble.details["field"] == "rules[0].when.effct"
    assert "effect" in trouble.hint


def test_a_named_file_that_is_not_there_forbids_every_change(tmp_path: Path) -> None:
    file = PolicyFile(tmp_path / "gone.yaml", tmp_path)
    assert judge(file.current(), facts(plan())) == Deny("policy_broken")


def test_a_file_among_the_documents_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(DENY, encoding="utf-8")
    assert read_policy(tmp_path / NAME, [tmp_path])[1][0].code == "unsafe_place"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / NAME).symlink_to(tmp_path / NAME)
    assert read_policy(elsewhere / NAME, [tmp_path])[1][0].code == "unsafe_place"


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(DENY, encoding="utf-8")
    path.chmod(0o666)
    assert read_policy(path)[1][0].code == "unsafe_mode"
