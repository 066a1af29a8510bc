"""What the policy says of a plan now: the file of the people, and the rules that they added.

The file is looked at before every judgement. Budgets are counted from what was granted, by the
minute, and once more inside the transaction that records a grant, so that many at once are many.
"""

import json
from dataclasses import replace

from engine.app.label_plans import PROTECT, LabelJournal
from engine.core.approval.events import ApprovalRequested
from engine.core.approval.facts import facts
from engine.core.approval.plan import Plan
from engine.core.approval.policy import MINUTE, Allow, Ask, Deny, Policy, Rule, judge
from engine.core.approval.rules import rule_of
from engine.core.approval.standing import HOUR, Standing
from engine.core.approval.state import LONGEST_PENDING
from engine.core.labels.change import ADDED, Item
from engine.core.labels.filter import fold
from engine.core.log import Param, Unless
from engine.core.value import value
from engine.shell.label_files import LabelFile
from engine.shell.policies import PolicyFile
from engine.store import SharedReads, Store

STANDING, ACTIVATION = "rule", "activation"
"""The kinds of standing grants: a rule that a person added, a workflow that runs by itself."""
BY_ITSELF = frozenset({"schedule", "webhook", "topic"})
"""Channels through which a workflow runs by itself. Nobody who calls can say so."""
_MOMENT = 1_000_000
"""Microseconds."""


@value
class Verdict:
    """Whether a person is asked, and how: `Ask` of the policy with its rule, allow or deny.

    `assurance` is the least that counts, `again` and `typed` what a yes needs besides, `ttl` how
    long the question stands. What is allowed by a rule with a budget is allowed `unless` that is
    spent when it is recorded. `policy` is the revision of the policy that says so.
    """

    says: str
    rule: str
    assurance: str = "A2"
    typed: bool = False
    again: bool = False
    ttl: int = 0
    unless: Unless | None = None
    by: str = ""
    policy: str = ""

    @property
    def grant(self) -> str:
        """What allows it, as runs keep it."""
        return self.by or f"rule:{self.rule}"

    def needed(self, asked: ApprovalRequested) -> str:
        """The assurance that a vote on a question needs now; empty when nobody may allow it.

        A policy that became stricter in what has to be typed lets nobody allow it as it was asked.
        """
        if self.says == "allow":
            return "A1"
        stricter = (self.typed and not asked.typed) or (self.again and not asked.again)
        return "" if self.says == "deny" or stricter else self.assurance


class Judging:
    """Judges the plans of one tenant."""

    def __init__(self, store: Store, tenant: str, file: PolicyFile, labels: LabelFile) -> None:
        self._store, self._tenant, self._file = store, tenant, file
        self._labels, self._journal = labels, LabelJournal(store, tenant, labels)
        self._shared = SharedReads(store.fetch)  # runs that are started together ask together

    @property
    def file(self) -> PolicyFile:
        """Where the policy comes from."""
        return self._file

    def revision(self) -> str:
        """What the policy is called now."""
        return self._file.revision

    async def __call__(self, plan: Plan, now: int) -> Verdict:
        """What the policy says of a plan now."""
        policy, rev = self._file.named()
        standing = [s.rule for s in await self.standing(now) if s.lives(now, rev)]
        used = await self._used(policy, standing, now)
        seen = facts(plan, labels=await self._protected(plan, [*standing, *policy.rules]))
        found = judge(policy, seen, used, standing)
        if plan.kind == PROTECT and not isinstance(found, Deny):
            found = _by_a_person(found)
        if isinstance(found, Allow):
            unless = self._budget([*standing, *policy.rules], found.rule, seen.items, now)
            return Verdict("allow", found.rule, unless=unless, policy=rev)
        if not isinstance(found, Ask):
            return Verdict("deny", found.rule, policy=rev)
        alone = await self._alone(plan, now) if plan.requester.channel in BY_ITSELF else None
        if alone is not None:
            return replace(alone, policy=rev)
        ttl = min(found.ttl, LONGEST_PENDING)
        kind, rule, assurance = "ask", found.rule, found.assurance
        return Verdict(kind, rule, assurance, found.typed, found.again, ttl, policy=rev)

    async def _protected(self, plan: Plan, rules: list[Rule]) -> set[str]:
        """The protected labels that a person gave the workflow of a plan, as rules write them.

        What a document says of itself is none of them.
        """
        named = {word for rule in rules for word in _labels_in(rule)}
        namespace, _, name = plan.workflow.rpartition("/")
        if not named or not name:
            return set()
        said = await self._journal.said(Item("workflow", namespace, name))
        own = {fold(each.label) for each in said if each.state == ADDED}
        return {word for word in named if fold(word) in own and self._labels.guards(word)}

    async def standing(self, now: int) -> list[Standing]:
        """The rules that persons added and that have not run out."""
        since = now - now % _MOMENT  # or those who ask together would not ask for the same
        rows = await self._shared.ask("grant_live", tenant=self._tenant, kind=STANDING, now=since)
        lives = (row for row in rows if row["expires_at"] > now)
        found = [(json.loads(row["body"]), row["expires_at"]) for row in lives]
        rules = [(rule_of(body["rule"]), until, body["policy"]) for body, until in found]
        return [Standing(rule, until, rev) for rule, until, rev in rules if rule is not None]

    async def active(self, digest: str, now: int) -> str:
        """The grant by which a version may run by itself now; empty where there is none."""
        name, _ = await self._activation(digest, now)
        return name

    async def _activation(self, digest: str, now: int) -> tuple[str, int]:
        rows = await self._store.fetch("grant_live", tenant=self._tenant, kind=ACTIVATION, now=now)
        for row in rows:
            body = json.loads(row["body"])
            if body["digest"] == digest:
                return row["uid"], body["hourly"]
        return "", 0

    async def _alone(self, plan: Plan, now: int) -> Verdict | None:
        """What an activation says of a run that nobody started: its own version, in its budget."""
        namespace, _, name = plan.workflow.rpartition("/")
        rows = await self._store.fetch(
            "version_digest",
            tenant=self._tenant, namespace=namespace, name=name, version=plan.version,
        )  # fmt: skip
        grant, hourly = await self._activation(rows[0]["digest"] if rows else "", now)
        if not grant:
            return None
        since, room = (now - HOUR) // MINUTE, hourly - facts(plan).items
        place: dict[str, Param] = {"tenant": self._tenant, "name": grant}
        (row,) = await self._store.fetch("grant_used", tenant=self._tenant, name=grant, since=since)
        if int(row["operations"] or 0) > room:
            return None
        spent = Unless("grant_spent", {**place, "since": since, "most": room})
        return Verdict("allow", "", unless=spent, by=grant)

    def _budget(self, rules: list[Rule], name: str, items: int, now: int) -> Unless | None:
        """The condition that a rule's budget has room for a plan, checked as it is recorded."""
        budget = next((rule.budget for rule in rules if rule.id == name), None)
        if budget is None:
            return None
        place: dict[str, Param] = {"tenant": self._tenant, "name": f"rule:{name}"}
        since, room = (now - budget.span) // MINUTE, budget.most - items
        return Unless("grant_spent", {**place, "since": since, "most": room})

    async def _used(self, policy: Policy, standing: list[Rule], now: int) -> dict[str, int]:
        used: dict[str, int] = {}
        for rule in (*policy.rules, *standing):
            if rule.budget is not None:
                since = (now - rule.budget.span) // MINUTE
                (row,) = await self._shared.ask(
                    "grant_used", tenant=self._tenant, name=f"rule:{rule.id}", since=since
                )
                used[rule.id] = int(row["operations"] or 0)
        return used


def _labels_in(rule: Rule) -> frozenset[str]:
    found = [wanted for name, wanted in rule.when if name == "label"]
    return found[0] if found and isinstance(found[0], frozenset) else frozenset()


def _by_a_person(found: Allow | Ask) -> Ask:
    """Protected labels are what rules rely on: none of them lets one be set by itself."""
    return replace(found, assurance="A2") if isinstance(found, Ask) else Ask("A2", found.rule)
