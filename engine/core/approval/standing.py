"""Rules that a person adds while deciding: "always allow" exactly this, for a while.

Such a rule is as narrow as what was just decided: the same steps of the same workflow versions,
by digest, to the same hosts, doing the same things, only what can be taken back, so many in an
hour, until a day. It is kept as an event of the journal and says in words what it will match
before it is made. A policy that changed ends it. (TRUST.md 1.6 and 1.7.)

It refuses to know who made it and how it is stored.
"""

from decimal import Decimal
from hashlib import sha256

from engine.core.approval.facts import NO_HOST, facts
from engine.core.approval.plan import DESTRUCTIVE, Plan
from engine.core.approval.policy import (
    MINUTE,
    SPAN_NAMES,
    Allow,
    Ask,
    Budget,
    Deny,
    Rule,
    Span,
    Wanted,
)
from engine.core.errors import Move, Refused
from engine.core.value import value
from engine.core.visible import visible

HOUR = 60 * MINUTE
LASTS = 30 * 24 * HOUR
"""How long such a rule lives unless it is said otherwise."""
USUAL = 20
"""Operations in an hour that it lets pass unless it is said otherwise."""

_NAMES = {
    "effect": "what it does",
    "task": "task",
    "host": "host",
    "idempotency": "idempotency",
    "definition": "definition (sha256)",
    "label": "label, set by a person",
    "kind": "kind",
    "workflow": "workflow",
    "namespace": "namespace",
    "env": "environment",
    "channel": "asked through",
    "items": "operations in one plan",
    "destructive": "operations that delete, pay or send",
    "workflows": "workflows concerned",
    "cost_usd": "cost in dollars",
}


@value
class Standing:
    """A rule that a person added: it lives until `until`, and while the policy says the same."""

    rule: Rule
    until: int
    policy_rev: str

    def lives(self, now: int, policy_rev: str) -> bool:
        """Whether it counts at `now` under the policy of this revision."""
        return now < self.until and policy_rev == self.policy_rev


def narrow(plan: Plan, most: int = USUAL) -> Rule:
    """The rule that lets plans like this one pass, and nothing else.

    Raises Refused `cannot_always_allow` for what deletes, sends, pays, cannot be taken back, is
    not pinned to a definition, or is no run of a workflow.
    """
    seen = facts(plan)
    why = _too_much(plan)
    if why:
        raise Refused(
            "cannot_always_allow",
            f"this has to be asked each time: {why}",
            "Allow it once; a rule in the policy file can say more.",
            move=Move.PERSON,
        )
    when: tuple[tuple[str, Wanted], ...] = (
        ("kind", frozenset({plan.kind})),
        ("workflow", frozenset({plan.workflow})),
        ("definition", seen.definitions),
        ("task", seen.tasks),
        ("effect", seen.verbs),
        ("host", seen.hosts),
        ("env", frozenset({plan.env})),
        ("reversible", True),
        ("items", Span(None, Decimal(seen.items))),
    )
    name = f"always-{sha256(repr([(n, _sorted(w)) for n, w in when]).encode()).hexdigest()[:12]}"
    return Rule(name, when, Allow(name), Budget(max(most, seen.items), HOUR))


def describe(rule: Rule) -> tuple[str, ...]:
    """What a rule matches and what follows, one line each, for people."""
    told = [f"{_NAMES.get(name, name)}: {_words(wanted)}" for name, wanted in rule.when]
    return (*told, _follows(rule))


def _too_much(plan: Plan) -> str:
    if plan.kind != "run.mutations":
        return "it is no run of a workflow"
    for op in plan.ops:
        if op.verb in DESTRUCTIVE:
            return f"{op.id} is a {op.verb}"
        if not op.reversible:
            return f"{op.id} cannot be taken back"
        if not op.definition:
            return f"{op.id} is not pinned to a version"
        if "{{" in op.target:
            return f"where {op.id} goes is known only at run time"
    return ""


def _follows(rule: Rule) -> str:
    then = rule.then
    if isinstance(then, Deny):
        return "is forbidden"
    if isinstance(then, Ask):
        extras = (", the PIN once more" if then.again else "") + (", typed" if then.typed else "")
        return f"asks a person with assurance {then.assurance}{extras}"
    if rule.budget is None:
        return "passes without asking"
    span = {"m": "a minute", "h": "an hour", "d": "a day"}[SPAN_NAMES[rule.budget.span]]
    return f"passes without asking, at most {rule.budget.most:,} operations in {span}"


def _words(wanted: Wanted) -> str:
    if isinstance(wanted, bool):
        return "yes" if wanted else "no"
    if isinstance(wanted, Span):
        ends = (("at least", wanted.least), ("at most", wanted.most))
        return " and ".join(f"{word} {end}" for word, end in ends if end is not None)
    return ", ".join(visible(word) if word != NO_HOST else "none" for word in sorted(wanted))


def _sorted(wanted: Wanted) -> object:
    return sorted(wanted) if isinstance(wanted, frozenset) else wanted
