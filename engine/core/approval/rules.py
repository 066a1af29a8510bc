"""A policy as people write it, read strictly: one wrong word, and the policy is not used at all.

Whoever writes a policy means every word of it, so an unknown field, a wrong type or a rule that
cannot be meant is a problem with its place, and a policy with a problem forbids every change.
What Handrail cannot hold yet (a third assurance, several approvers) is a problem too, never a
weaker rule. The same form serves for rules that the journal keeps.

It refuses to know where the text comes from.
"""

import re
from decimal import Decimal

from engine.core.approval.policy import (
    FLAGS,
    LONGEST_PENDING,
    MANY,
    ONE,
    PENDING_FOR,
    SPAN_NAMES,
    SPANS,
    Allow,
    Ask,
    Budget,
    Deny,
    Policy,
    Rule,
    Span,
    Verdict,
    Wanted,
    broken,
    trouble,
)
from engine.core.documents.raw import RawDocument, Report
from engine.core.documents.section import Section
from engine.core.errors import Failure
from engine.core.views import Problem

MOST_RULES = 200
MOST_IN_BUDGET = 100_000

_POLICY = ("default", "rules")
_RULE = ("id", "when", "then")
_ASK = ("require", "again", "typed", "ttl")
_AUTO = ("auto", "budget")
_NOT_YET = {"quorum": "1", "separate": "False"}
"""What a later Handrail will hold, with the one value that means no more than today."""
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}\Z")
_BUDGET = re.compile(r"([0-9]{1,6})/([mhd])\Z")
_SPAN_OF = {name: span for span, name in SPAN_NAMES.items()}


def policy_of(raw: RawDocument) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy that a document is, and its problems; with a problem it forbids every change."""
    report = Report(raw)
    if not isinstance(raw.value, dict):
        report.error("", "wrong_type", "a policy is an object with default and rules")
        return _unusable(report)
    whole = Section(report, "", raw.value, _POLICY)
    rules = tuple(_rules(whole))
    default = _default(whole)
    return _unusable(report) if report.problems else (Policy(rules, default), ())


def rule_of(tree: dict[str, object]) -> Rule | None:
    """The rule that `policy.written` wrote; None when it is not one of today's."""
    report = Report(RawDocument("", 0, tree))
    rule = _rule(Section(report, "", tree, _RULE), set())
    return None if report.problems else rule


def _unusable(report: Report) -> tuple[Policy, tuple[Problem, ...]]:
    first = min(report.problems, key=lambda problem: problem.line)
    return broken(trouble_of(first)), report.problems


def trouble_of(problem: Problem) -> Failure:
    """A problem of a policy file as the reason why nothing is allowed."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    field = f" ({problem.path})" if problem.path else ""
    return trouble(
        f"the policy {place}{field}: {problem.message}",
        problem.hint,
        file=problem.file,
        line=problem.line,
        field=problem.path,
    )


# -- rules ----------------------------------------------------------------------------------------


def _rules(whole: Section) -> list[Rule]:
    if len(whole.sequence("rules")) > MOST_RULES:
        whole.error("rules", "too_many", f"a policy has at most {MOST_RULES} rules")
        return []
    seen: set[str] = set()
    found = [_rule(section, seen) for section in whole.sections("rules", _RULE)]
    return [rule for rule in found if rule is not None]


def _rule(section: Section, seen: set[str]) -> Rule | None:
    name = section.text("id")
    if not _ID.match(name):
        hint = "use small letters, digits, - and ."
        section.error("id", "bad_id", "a rule needs an id, since answers name it", hint)
        return None
    if name in seen:
        section.error("id", "duplicate", f"there is a rule {name} already")
    seen.add(name)
    when = tuple(_conditions(section.section("when", (*MANY, *ONE, *FLAGS, *SPANS))))
    then, budget = _then(section, name)
    if then is None:
        return None
    rule = Rule(name, when, then, budget)
    if rule.loosens and not when:
        section.error("when", "too_wide", "a rule that lets things pass says which", "add when")
    return rule


def _conditions(when: Section) -> list[tuple[str, Wanted]]:
    found: list[tuple[str, Wanted]] = []
    for name in when.value:
        if name in FLAGS:
            found.append((name, when.flag(name)))
        elif name in SPANS:
            found.append((name, _span(when.section(name, ("min", "max")))))
        elif name in MANY or name in ONE:
            words = frozenset(when.strings(name))
            if not words:
                when.error(name, "empty", "this can never hold", "name at least one")
            found.append((name, words))
        if when.get(name) is None:
            when.error(name, "empty", "this says nothing", "give it a value, or leave it out")
    return found


def _span(section: Section) -> Span:
    if not section.value:
        section.report.error(section.path, "empty", "this needs min, max or both")
    ends: list[Decimal | None] = []
    for name in ("min", "max"):
        before = section.report.errors
        section.number(name, 0.0, 0, 1e12)
        known = section.get(name) is not None and section.report.errors == before
        ends.append(Decimal(str(section.get(name))) if known else None)
    return Span(ends[0], ends[1])


# -- what follows ---------------------------------------------------------------------------------


def _then(section: Section, name: str) -> tuple[Verdict | None, Budget | None]:
    given = section.get("then")
    if given == "deny":
        return Deny(name), None
    if given == "allow":
        return _plain_allow(section, name), None
    if not isinstance(given, dict):
        hint = "write deny, {require: A2} or {auto: true, budget: 20/h}"
        section.error("then", "bad_value", "it is not said what follows", hint)
        return None, None
    if "auto" in given:
        return _auto(section.section("then", _AUTO), name)
    return _ask(section.section("then", (*_ASK, *_NOT_YET)), name, weakest="A1"), None


def _plain_allow(section: Section, name: str) -> Verdict:
    if section.mapping("when").get("effect") not in ("read", ["read"]):
        hint = "write {auto: true, budget: 20/h}: whatever changes something has a budget"
        section.error("then", "no_budget", "only reads are allowed without a budget", hint)
    return Allow(name)


def _auto(then: Section, name: str) -> tuple[Verdict | None, Budget | None]:
    if then.get("auto") is not True:
        then.error("auto", "bad_value", "auto is true, or it is left out", "write {require: A2}")
    found = _BUDGET.match(then.text("budget"))
    most = int(found[1]) if found else 0
    if found is None or not 0 < most <= MOST_IN_BUDGET:
        hint = "such as 20/h: so many operations in a minute (m), an hour (h) or a day (d)"
        then.error("budget", "no_budget", "whatever passes by itself needs a budget", hint)
        return None, None
    return Allow(name), Budget(most, _SPAN_OF[found[2]])


def _ask(then: Section, name: str, weakest: str) -> Ask:
    for key, usual in _NOT_YET.items():
        if key in then and repr(then.get(key)) != usual:
            then.error(key, "not_supported_yet", f"{key} cannot be held yet", "leave it out")
    required = then.text("require", "A2")
    if required == "A3":
        hint = "A2, decided with the PIN on the page or in the terminal, is the strongest there is"
        then.error("require", "not_supported_yet", "A3 cannot be held yet", hint)
    elif required not in ("A1", "A2") or required < weakest:
        then.error("require", "bad_value", f"{required!r} is not allowed here", "A2")
    typed = then.flag("typed")
    ttl = then.duration("ttl") or PENDING_FOR
    if ttl > LONGEST_PENDING:
        then.error("ttl", "too_long", "a question stands for 24 hours at most", "24h")
    again = then.flag("again") or typed
    if again and required == "A1":
        then.error("again", "bad_value", "the PIN belongs to A2", "write require: A2")
    return Ask("A1" if required == "A1" else "A2", name, typed, again, ttl)


def _default(whole: Section) -> Ask:
    """What happens without a rule: never weaker than a person with a PIN."""
    return _ask(whole.section("default", (*_ASK, *_NOT_YET)), "", weakest="A2")
