"""Who has to be asked: the shipped policy, rules that people write, and rules that are broken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.approval.facts import Facts, facts
from engine.core.approval.plan import Operation, Plan
from engine.core.approval.policy import (
    Allow,
    Ask,
    Deny,
    Policy,
    Rule,
    Verdict,
    judge,
    revision,
    stricter,
    written,
)
from engine.core.approval.rules import policy_of, rule_of
from engine.core.approval.standing import HOUR, Standing, describe, narrow
from engine.core.definition import RawDocument
from engine.core.errors import Refused
from engine.shell.policies import SHIPPED, read_policy
from tests.core.approval.plans import operation, plan

DEFAULT = read_policy(SHIPPED)[0]
VERBS = ["create", "update", "delete", "send", "pay", "call"]


def _policy(*rules: dict[str, Any]) -> Policy:
    policy, problems = policy_of(RawDocument("p.yaml", 0, {"rules": list(rules)}))
    assert problems == ()
    return policy


def _small(verb: str = "create", **more: Any) -> Operation:
    return operation(verb=verb, **{"reversible": True, "definition": "d1", **more})


def _sees(*ops: Operation, **more: Any) -> Facts:
    return facts(plan(*ops), **more)


# -- the shipped one --------------------------------------------------------------------------


def _many(count: int, verb: str = "create", reversible: bool = True) -> Plan:
    return plan(*(operation(f"s{at}", verb, reversible=reversible) for at in range(count)))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (_many(1), Ask("A1", "small-and-reversible")),
        (_many(5), Ask("A1", "small-and-reversible")),
        (_many(6), Ask("A2")),
        (_many(1, reversible=False), Ask("A2")),
        (_many(1, "delete"), Ask("A2", "cannot-be-undone-by-anybody", again=True)),
        (_many(1, "send"), Ask("A2", "cannot-be-undone-by-anybody", again=True)),
        (_many(1, "pay"), Ask("A2", "cannot-be-undone-by-anybody", again=True)),
        (_many(21), Ask("A2", "many-at-once", again=True)),
        (_many(21, "delete"), Ask("A2", "much-is-destroyed", typed=True, again=True)),
        (plan(operation(count=21, reversible=True)), Ask("A2", "many-at-once", again=True)),
        (plan(_small("accept"), kind="version.accept"), Ask("A2")),
    ],
)
def test_the_shipped_policy_asks_for_every_change(asked: Plan, answer: Ask) -> None:
    assert judge(DEFAULT, facts(asked)) == answer


@given(st.lists(st.tuples(st.sampled_from(VERBS), st.booleans(), st.integers(1, 30)), min_size=1))
def test_no_plan_passes_the_shipped_policy_without_a_person(ops: list[Any]) -> None:
    asked = plan(
        *(
            operation(f"s{n}", verb, reversible=back, count=c)
            for n, (verb, back, c) in enumerate(ops)
        )
    )
    verdict = judge(DEFAULT, facts(asked))
    assert isinstance(verdict, Ask)
    harmless = all(back and verb not in ("delete", "send", "pay") for verb, back, _ in ops)
    assert (verdict.assurance == "A1") == (harmless and sum(c for *_, c in ops) <= 5)


# -- rules ------------------------------------------------------------------------------------


def test_what_forbids_comes_before_what_allows_wherever_it_stands() -> None:
    policy = _policy(
        {"id": "all", "when": {"effect": VERBS}, "then": {"auto": True, "budget": "9/h"}},
        {"id": "prod", "when": {"env": "prod"}, "then": "deny"},
    )
    assert judge(policy, facts(plan(env="prod"))) == Deny("prod")
    assert judge(policy, facts(plan(env="dev"))) == Allow("all")


def test_the_first_of_the_others_counts_and_none_is_a_question() -> None:
    policy = _policy(
        {"id": "one", "when": {"workflow": "demo/a"}, "then": {"require": "A1"}},
        {"id": "two", "when": {"namespace": "demo"}, "then": {"require": "A2", "ttl": "1h"}},
    )
    assert judge(policy, facts(plan(workflow="demo/a"))) == Ask("A1", "one")
    assert judge(policy, facts(plan(workflow="demo/b"))) == Ask("A2", "two", ttl=HOUR)
    assert judge(policy, facts(plan(workflow="other/b"))) == Ask("A2")


@pytest.mark.parametrize(
    ("name", "fits", "other"),
    [
        ("effect", operation(verb="create"), operation("b", verb="delete")),
        ("task", operation(task="create"), operation("b", task="x/y")),
        ("idempotency", operation(idempotency="create"), operation("b", idempotency="none")),
        ("definition", operation(definition="create"), operation("b", definition="d2")),
        ("host", operation(url="https://create/"), operation("b", url="https://evil.example/")),
        ("host", operation(url="https://create/"), operation("b", target="python f", args={})),
    ],
)
def test_what_loosens_must_fit_every_operation_and_what_restricts_only_one(
    name: str, fits: Operation, other: Operation
) -> None:
    loose = _policy({"id": "r", "when": {name: "create"}, "then": {"auto": True, "budget": "9/h"}})
    tight = _policy({"id": "r", "when": {name: "create"}, "then": "deny"})
    assert judge(loose, _sees(fits)) == Allow("r")
    assert judge(loose, _sees(fits, other)) == Ask("A2")
    assert judge(tight, _sees(fits, other)) == Deny("r")
    assert judge(tight, _sees(other)) == Ask("A2")


def test_a_request_to_another_host_than_the_target_says_is_seen() -> None:
    args = {"request": {"method": "POST", "url": "https://evil.example/x", "body": ""}}
    lying = operation(target="POST https://shop.example/x", args=args)
    assert _sees(lying).hosts == {"shop.example", "evil.example"}


def test_what_nobody_knows_never_helps_to_pass() -> None:
    auto = {"auto": True, "budget": "9/h"}
    cheap = _policy({"id": "cheap", "when": {"cost_usd": {"max": 0.1}}, "then": auto})
    wide = _policy({"id": "wide", "when": {"workflows": {"min": 5}}, "then": "deny"})
    assert judge(cheap, _sees()) == Ask("A2")
    assert judge(wide, _sees()) == Deny("wide")
    assert judge(wide, _sees(workflows=4)) == Ask("A2")


@pytest.mark.requirement("policy")
def test_a_budget_counts_operations_and_what_is_over_it_asks() -> None:
    auto = {"auto": True, "budget": "20/h"}
    policy = _policy({"id": "few", "when": {"effect": "create"}, "then": auto})
    assert judge(policy, _sees(operation(count=20)), {"few": 0}) == Allow("few")
    assert judge(policy, _sees(operation(count=20)), {"few": 1}) == Ask("A2")
    assert judge(policy, _sees(), {"few": 20}) == Ask("A2")


@pytest.mark.requirement("policy")
def test_something_tainted_never_passes_by_itself() -> None:
    auto = {"auto": True, "budget": "20/h"}
    for condition in ({"tainted": True}, {"effect": "create"}):
        policy = _policy({"id": "r", "when": condition, "then": auto})
        assert judge(policy, _sees(tainted=True)) == Ask("A2")


@pytest.mark.requirement("policy")
def test_only_labels_that_a_person_set_are_given_to_a_rule() -> None:
    auto = {"auto": True, "budget": "20/h"}
    policy = _policy({"id": "r", "when": {"label": "auto-ok"}, "then": auto})
    assert judge(policy, _sees()) == Ask("A2")
    assert judge(policy, _sees(labels=["auto-ok"])) == Allow("r")


# -- what cannot be meant ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ({"rules": [], "defualt": {}}, "defualt"),
        ({"default": {"require": "A1"}}, "default.require"),
        ({"default": {"require": "A0"}}, "default.require"),
        ({"default": {"quorum": 2}}, "default.quorum"),
        ({"default": {"ttl": "25h"}}, "default.ttl"),
        ({"rules": [{"when": {}, "then": "deny"}]}, "rules[0].id"),
        ({"rules": [{"id": "a", "then": "maybe"}]}, "rules[0].then"),
        ({"rules": [{"id": "a", "then": "allow"}]}, "rules[0].then"),
        ({"rules": [{"id": "a", "then": {"auto": True}}]}, "rules[0].then.budget"),
        ({"rules": [{"id": "a", "then": {"auto": True, "budget": "9/h"}}]}, "rules[0].when"),
        ({"rules": [{"id": "a", "then": {"auto": True, "budget": "0/h"}}]}, "rules[0].then.budget"),
        ({"rules": [{"id": "a", "then": {"auto": "never"}}]}, "rules[0].then.auto"),
        ({"rules": [{"id": "a", "then": {"require": "A3"}}]}, "rules[0].then.require"),
        ({"rules": [{"id": "a", "then": {"separate": True}}]}, "rules[0].then.separate"),
        ({"rules": [{"id": "a", "when": {"verb": "x"}, "then": "deny"}]}, "rules[0].when.verb"),
        ({"rules": [{"id": "a", "when": {"env": None}, "then": "deny"}]}, "rules[0].when.env"),
        ({"rules": [{"id": "a", "when": {"env": []}, "then": "deny"}]}, "rules[0].when.env"),
        ({"rules": [{"id": "a", "when": {"env": 3}, "then": "deny"}]}, "rules[0].when.env"),
        ({"rules": [{"id": "a", "when": {"items": 3}, "then": "deny"}]}, "rules[0].when.items"),
        ({"rules": [{"id": "a", "when": {"items": {}}, "then": "deny"}]}, "rules[0].when.items"),
        ({"rules": [{"id": "a", "then": "deny"}, {"id": "a", "then": "deny"}]}, "rules[1].id"),
        ([], ""),
    ],
)
def test_a_policy_with_one_wrong_word_forbids_every_change_and_names_the_field(
    tree: Any, field: str
) -> None:
    policy, problems = policy_of(RawDocument("p.yaml", 0, tree))
    assert field in [problem.path for problem in problems]
    assert policy.trouble is not None
    assert judge(policy, _sees()) == Deny("policy_broken")


# -- revisions, and what is stricter ------------------------------------------------------------


def test_a_revision_names_what_a_policy_says() -> None:
    one = {"id": "a", "when": {"effect": ["x", "y"]}, "then": "deny"}
    other = {"id": "a", "when": {"effect": ["y", "x"]}, "then": "deny"}
    assert revision(_policy(one)) == revision(_policy(other))
    seen = {revision(_policy()), revision(_policy(one)), revision(DEFAULT)}
    seen.add(revision(_policy({**one, "then": {"require": "A2"}})))
    assert len(seen) == 4


def test_what_asks_for_more_is_stricter() -> None:
    order: list[Verdict] = [Allow("a"), Ask("A1"), Ask("A2"), Ask("A2", again=True), Deny("a")]
    for at, verdict in enumerate(order):
        assert [stricter(verdict, other) for other in order] == [n < at for n in range(len(order))]


# -- always allow -------------------------------------------------------------------------------


@pytest.mark.requirement("always-allow")
def test_always_allow_matches_the_same_plan_and_none_that_differs() -> None:
    rule = narrow(plan(_small()))
    assert judge(DEFAULT, _sees(_small()), standing=(rule,)) == Allow(rule.id)
    for other in (
        _small(definition="d2"),
        _small(task="demo/other"),
        _small("update"),
        _small(url="https://evil.example/charge"),
        _small(reversible=False),
        _small(count=2),
    ):
        assert isinstance(judge(DEFAULT, _sees(other), standing=(rule,)), Ask)
    elsewhere = facts(plan(_small(), workflow="demo/other"))
    assert isinstance(judge(DEFAULT, elsewhere, standing=(rule,)), Ask)
    assert isinstance(judge(DEFAULT, _sees(_small()), {rule.id: 20}, (rule,)), Ask)
    assert isinstance(judge(DEFAULT, _sees(_small(), tainted=True), standing=(rule,)), Ask)


@pytest.mark.requirement("always-allow")
@pytest.mark.parametrize(
    "asked",
    [
        *(plan(_small(verb)) for verb in ("delete", "send", "pay")),
        plan(_small(reversible=False)),
        plan(_small(definition="")),
        plan(_small(url="https://{{item.host}}/x")),
        plan(_small(), kind="version.accept"),
    ],
)
def test_what_is_dangerous_or_open_is_asked_each_time(asked: Plan) -> None:
    with pytest.raises(Refused) as told:
        narrow(asked)
    assert told.value.code == "cannot_always_allow"


@pytest.mark.requirement("always-allow")
def test_a_standing_rule_ends_with_its_time_and_with_its_policy() -> None:
    standing = Standing(narrow(plan(_small())), until=100, policy_rev="r1")
    assert standing.lives(99, "r1")
    assert not standing.lives(100, "r1")
    assert not standing.lives(99, "r2")


def test_a_rule_says_in_words_what_it_matches() -> None:
    told = "\n".join(describe(narrow(plan(_small()))))
    for word in ("workflow: demo/place-order", "host: shop.example", "d1", "20 operations"):
        assert word in told


def _written() -> list[Rule]:
    return [
        *DEFAULT.rules,
        narrow(plan(_small())),
        narrow(plan(_small(target="python f", args={}))),
    ]


@pytest.mark.parametrize("rule", _written(), ids=lambda rule: rule.id)
def test_a_rule_that_was_written_reads_back_as_it_was(rule: Rule) -> None:
    assert rule_of(written(rule)) == rule
