"""Who has to be asked: rules over the facts of a plan, and the one function that applies them.

Rules that forbid come first, then the first rule that matches; where none does, a person is
asked. A rule that lets something pass, or makes asking cheaper, has to match every operation of
a plan; a rule that forbids or asks for more matches as soon as one operation does. What nobody
knows (a cost) never helps a plan to pass. A policy that could not be read forbids every change.
(TRUST.md 1.7.)

It refuses to know where a policy is written, what time it is, and how often a rule was used.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

from engine.core.approval.facts import READ, Facts
from engine.core.errors import Failure, Kind, Move, Refused
from engine.core.value import value

Assurance = Literal["A1", "A2"]
MINUTE = 60_000_000
SPAN_NAMES = {MINUTE: "m", 60 * MINUTE: "h", 24 * 60 * MINUTE: "d"}
"""The spans of budgets, and how they are written."""
PENDING_FOR = 15 * MINUTE
"""How long a question stands when no rule says otherwise."""
LONGEST_PENDING = 24 * 60 * MINUTE
BROKEN = "policy_broken"


@value
class Allow:
    """It passes without a person, by a rule that one wrote."""

    rule: str


@value
class Ask:
    """A person is asked, with at least this assurance.

    `again`: the PIN is asked once more although the person is logged in. `typed`: they type what
    is destroyed and how many. `ttl` is how long the question stands, in microseconds.
    """

    assurance: Assurance
    rule: str = ""
    typed: bool = False
    again: bool = False
    ttl: int = PENDING_FOR


@value
class Deny:
    """It does not happen, whoever says so."""

    rule: str


Verdict = Allow | Ask | Deny


@value
class Budget:
    """At most `most` operations in any `span` microseconds."""

    most: int
    span: int


@value
class Span:
    """A number between two ends, both included; None is no end."""

    least: Decimal | None
    most: Decimal | None


Wanted = frozenset[str] | bool | Span


@value
class Rule:
    """One rule. `when` pairs the name of a fact with what it must be; all pairs must hold."""

    id: str
    when: tuple[tuple[str, Wanted], ...]
    then: Verdict
    budget: Budget | None = None

    @property
    def loosens(self) -> bool:
        """Whether it lets something pass or be decided with less than the usual proof."""
        return isinstance(self.then, Allow) or (
            isinstance(self.then, Ask) and self.then.assurance == "A1"
        )


@value
class Policy:
    """All rules, and what happens where none matches. `trouble` says why it forbids everything."""

    rules: tuple[Rule, ...] = ()
    default: Ask = Ask("A2")
    trouble: Failure | None = None


STRICT = Policy()
"""Every change asks a person who proves with the PIN who they are."""

MANY: Mapping[str, str] = {
    "effect": "verbs",
    "task": "tasks",
    "host": "hosts",
    "idempotency": "idempotency",
    "definition": "definitions",
    "label": "labels",
}
"""Conditions on words of which a plan has several, and the fact each looks at."""
ONE: Mapping[str, str] = {
    "kind": "kind",
    "workflow": "workflow",
    "namespace": "namespace",
    "env": "env",
    "channel": "channel",
}
FLAGS: Mapping[str, str] = {"reversible": "reversible", "tainted": "tainted"}
SPANS: Mapping[str, str] = {
    "items": "items",
    "destructive": "destructive",
    "workflows": "workflows",
    "cost_usd": "cost",
}


def broken(reason: Failure) -> Policy:
    """The policy in whose place another one could not be read: it forbids every change."""
    return Policy(trouble=reason)


def judge(
    policy: Policy,
    facts: Facts,
    used: Mapping[str, int] | None = None,
    standing: Iterable[Rule] = (),
) -> Verdict:
    """What a policy says of a plan.

    `used` says how many operations each rule has let pass within its budget's span. `standing`
    are rules that persons added for a time ("always allow") and that live now; the caller knows
    which. Something tainted never passes without a person.
    """
    if facts.verbs <= {READ} and facts.verbs:
        return Allow("reads")
    if policy.trouble is not None:
        return Deny(BROKEN)
    rules = [*(r for r in policy.rules if isinstance(r.then, Deny)), *standing, *policy.rules]
    for rule in rules:
        if matches(rule, facts) and _affordable(rule, facts, used or {}):
            return rule.then
    return policy.default


def matches(rule: Rule, facts: Facts) -> bool:
    """Whether every condition of a rule holds, its budget aside."""
    if isinstance(rule.then, Allow) and facts.tainted:
        return False
    return all(_holds(rule, name, wanted, facts) for name, wanted in rule.when)


def stricter(now: Verdict, then: Verdict) -> bool:
    """Whether `now` asks for more than `then` did: what was decided under `then` is void."""
    return _weight(now) > _weight(then)


def revision(policy: Policy, standing: Iterable[Rule] = ()) -> str:
    """Names what a policy says: it changes with every rule, and with nothing else."""
    tree = {
        "default": _asked(policy.default),
        "rules": [written(rule) for rule in policy.rules],
        "standing": [written(rule) for rule in standing],
        "broken": policy.trouble is not None,
    }
    return sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:16]


def written(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, in the form in which a policy file has it."""
    when = {name: _wanted(wanted) for name, wanted in rule.when}
    then: Any = {"auto": True} if isinstance(rule.then, Allow) else "deny"
    if isinstance(rule.then, Ask):
        then = _asked(rule.then)
    elif rule.budget is not None:
        then["budget"] = f"{rule.budget.most}/{SPAN_NAMES[rule.budget.span]}"
    return {"id": rule.id, "when": when, "then": then}


def _asked(ask: Ask) -> dict[str, Any]:
    extras = {name: True for name in ("again", "typed") if getattr(ask, name)}
    return {"require": ask.assurance, **extras, "ttl": f"{ask.ttl // 1_000}ms"}


def _wanted(wanted: Wanted) -> Any:
    if isinstance(wanted, Span):
        ends = {"min": wanted.least, "max": wanted.most}
        return {name: _plain(end) for name, end in ends.items() if end is not None}
    return wanted if isinstance(wanted, bool) else sorted(wanted)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def policy_broken(trouble: Failure) -> Refused:
    """The refusal of every change while the policy cannot be read."""
    return Refused(
        BROKEN,
        f"no change is allowed: {trouble.message}",
        trouble.hint or "`handrail policy check` lists every problem of the policy.",
        move=Move.PERSON,
        details=dict(trouble.details),
    )


def trouble(message: str, hint: str = "", **where: Any) -> Failure:
    """Why a policy cannot be used, and where it says so (`file`, `line`, `field`)."""
    return Failure(Kind.VALIDATION, BROKEN, message, hint, details=where)


# -- one condition --------------------------------------------------------------------------------


def _holds(rule: Rule, name: str, wanted: Wanted, facts: Facts) -> bool:
    if isinstance(wanted, Span):
        return _within(getattr(facts, SPANS[name]), wanted, unknown=not rule.loosens)
    if isinstance(wanted, bool):
        return bool(getattr(facts, FLAGS[name])) is wanted
    if name in ONE:
        return getattr(facts, ONE[name]) in wanted
    found: frozenset[str] = getattr(facts, MANY[name])
    if rule.loosens and name != "label":
        return bool(found) and found <= wanted
    return bool(found & wanted)


def _within(number: int | Decimal | None, span: Span, *, unknown: bool) -> bool:
    if number is None:
        return unknown
    if span.least is not None and number < span.least:
        return False
    return span.most is None or number <= span.most


def _affordable(rule: Rule, facts: Facts, used: Mapping[str, int]) -> bool:
    return rule.budget is None or used.get(rule.id, 0) + facts.items <= rule.budget.most


def _weight(verdict: Verdict) -> tuple[int, bool, bool]:
    if isinstance(verdict, Ask):
        return (1 if verdict.assurance == "A1" else 2), verdict.again, verdict.typed
    return (0 if isinstance(verdict, Allow) else 3), False, False
