"""`handrail policy`: what it says of a policy, and docs/policy.md by what it does."""

import json
import re
from pathlib import Path

import pytest

from engine.core.approval.policy import FLAGS, MANY, ONE, SPANS
from engine.shell.policies import read_policy
from tests.cli.conftest import Call
from tests.tree import ROOT

PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def _said(call: Call, *words: str) -> dict[str, str]:
    done = call("policy", "explain", "--json", *words)
    assert done.code == 0, done
    told: dict[str, str] = json.loads(done.out)["plan"]
    return told


def test_the_shipped_policy_can_be_checked_and_explained(call: Call) -> None:
    assert call("policy", "check").code == 0
    done = call("policy", "explain")
    assert "small-and-reversible" in done.out
    assert "asks a person with assurance A2" in done.out


def test_a_plan_is_judged_by_the_rules(call: Call) -> None:
    assert _said(call, "--effect", "delete", "--items", "30")["rule"] == "much-is-destroyed"
    assert _said(call, "--effect", "update", "--reversible")["rule"] == "small-and-reversible"
    assert _said(call, "--effect", "update")["rule"] == "otherwise"


def test_a_mistake_is_told_with_its_line_and_forbids_everything(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("rules:\n  - id: a\n    wen: {}\n    then: deny\n", encoding="utf-8")
    for action in ("check", "explain"):
        done = call("policy", action, "--file", str(path))
        assert done.code == 1
        assert "p.yaml:3" in done.out.replace("\n", "")
        assert "every change is forbidden" in done.out


def test_the_environment_names_the_file(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_POLICY", str(tmp_path / "gone.yaml"))
    assert call("policy", "check").code == 1


def test_the_example_of_the_page_is_a_policy(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "policy.yaml"
    path.write_text(example, encoding="utf-8")
    policy, problems = read_policy(path)
    assert problems == ()
    assert len(policy.rules) == 3


def test_the_page_tells_of_every_condition_and_of_no_other() -> None:
    table = PAGE.split("| condition |")[1].split("\n\n")[0]
    told = [
        word for row in table.split("\n")[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert sorted(told) == sorted([*MANY, *ONE, *FLAGS, *SPANS])
