"""The plan: exactly what a person is asked to allow, its bytes, its digest and its short code.

Whatever is carried out later is carried out from the stored bytes, never from words that were
sent again, so nobody can be shown one thing and get another done. `digest` names the bytes and
`subject` what is asked, whoever asks for it when. Secrets appear as references only; the
assistant's words (`rationale`) are kept apart and bind nobody.

It refuses to know who decides, when, and what a plan's operations do to the world.
"""

from dataclasses import field, fields, replace
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, Literal

from engine.core.approval.tree import part, refused, tree_of, whole, written
from engine.core.value import value

Channel = Literal["stdio", "http", "terminal", "engine", "page"]
MOST_OPERATIONS = 200
"""Operations in one plan; nobody reads more of them."""
MOST_RATIONALE = 500
"""Characters of the assistant's words."""
DESTRUCTIVE = frozenset({"delete", "send", "pay"})
"""Verbs whose effect cannot be taken back by doing something else."""

CATALOGUE = frozenset(
    {
        "version.accept", "version.default", "version.deprecate", "workflow.activate",
        "labels.change", "labels.protect",
    }
)  # fmt: skip
"""Kinds of plans that change the catalogue, and say how much else that concerns."""
CONCERNS = "concerns"

_FORM = 1
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@value
class Requester:
    """Who asks, as the transport knows it. The name of a client proves nothing."""

    channel: str
    iss: str = ""
    sub: str = ""
    client: str = ""

    @property
    def principal(self) -> str:
        """Whom the requests count for: `iss|sub` where there is a subject, else `local`."""
        return f"{self.iss}|{self.sub}" if self.sub else "local"

    @property
    def words(self) -> str:
        """Who asks, for people."""
        who = self.sub or "somebody on this computer"
        through = f" through {self.client}" if self.client else ""
        return f"{who}{through} ({self.channel})"


def requester_of(principal: str, channel: str, client: str = "") -> Requester:
    """The requester that a recorded principal stands for."""
    iss, bar, sub = principal.rpartition("|")
    return Requester(channel, iss, sub, client) if bar else Requester(channel, client=client)


@value
class Operation:
    """One change. `id` is a step path, or a template (`notify[*]`) with at most `count` items.

    `definition` is the digest of the pinned workflow version and `precondition` that of what was
    read before, so that another version or another state of the world is another operation.
    `kept` is its digest once that was asked for; it is no part of it.
    """

    id: str
    verb: str
    target: str
    args: Any
    task: str = ""
    definition: str = ""
    reversible: bool = False
    idempotency: str = "none"
    lookup: bool = False
    weak_cas: bool = False
    precondition: str = ""
    count: int = 1
    kept: str = field(default="", init=False, compare=False, repr=False)


@value
class Plan:
    """What one approval allows, once: between `created` and `not_after`, in microseconds."""

    tenant: str
    kind: str
    requester: Requester
    run: str
    workflow: str
    version: str
    ops: tuple[Operation, ...]
    later: tuple[str, ...]
    policy_rev: str
    created: int
    not_after: int
    rationale: str = ""
    env: str = ""


def canonical(plan: Plan) -> bytes:
    """The one form of a plan as bytes; raises Refused `bad_plan`."""
    if not plan.ops:
        raise refused("it changes nothing")
    if len(plan.ops) > MOST_OPERATIONS:
        raise refused(f"it has more than {MOST_OPERATIONS} operations")
    if len(plan.rationale) > MOST_RATIONALE:
        raise refused(f"its reason is longer than {MOST_RATIONALE} characters")
    if len({op.id for op in plan.ops}) != len(plan.ops):
        raise refused("two of its operations have the same id")
    return written({"v": _FORM, **_tree(plan)})


def read(raw: bytes) -> Plan:
    """The plan that these bytes are; raises Refused `bad_plan` for any others."""
    tree = tree_of(raw)
    if not isinstance(tree, dict) or tree.pop("v", None) != _FORM:
        raise refused("it was not written by this Handrail")
    try:
        ops = tuple(Operation(**op) for op in tree.pop("ops"))
        requester = Requester(**tree.pop("requester"))
        plan = Plan(ops=ops, requester=requester, later=tuple(tree.pop("later")), **tree)
    except (KeyError, TypeError) as error:
        raise refused(f"these bytes are not a plan: {error}") from None
    if canonical(plan) != raw:
        raise refused("these bytes are not in the one form of a plan")
    return plan


def digest(raw: bytes) -> str:
    """The name of a plan's bytes: hexadecimal SHA-256."""
    return sha256(b"handrail/plan/v1\0" + raw).hexdigest()


def code(digest: str) -> str:
    """Eight characters a person can compare: the first 40 bits of a digest.

    >>> code("00443214c7" + "0" * 54)
    '01234567'
    """
    number = int(digest[:10], 16)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -5, -5))


def subject(plan: Plan) -> str:
    """What is asked, whatever the client, the hour and the words: the same call, the same one.

    What a run wants is the same in another run: a no holds for both. How much else a change of
    the catalogue concerns was counted when it was asked, and does not make it another one.
    """
    who = Requester("", plan.requester.iss, plan.requester.sub)
    run = "" if plan.kind == "run.mutations" else plan.run
    ops = tuple(map(_asked, plan.ops)) if plan.kind in CATALOGUE else plan.ops
    timeless = replace(
        plan, requester=who, run=run, ops=ops, created=0, not_after=0, policy_rev="", rationale=""
    )  # fmt: skip
    return sha256(b"handrail/subject/v1\0" + canonical(timeless)).hexdigest()


def _asked(op: Operation) -> Operation:
    if CONCERNS not in op.args:
        return op
    return replace(op, args={name: one for name, one in op.args.items() if name != CONCERNS})


def operation_digest(op: Operation) -> str:
    """What a grant binds: the operation, as hexadecimal SHA-256."""
    if not op.kept:
        digest = sha256(b"handrail/operation/v1\0" + _written(op)).hexdigest()
        object.__setattr__(op, "kept", digest)
    return op.kept


def _written(op: Operation) -> bytes:
    """`written` of its fields: what a step sends is new each time, what says so never is."""
    values = _SAID(op)
    said = _said if {str, int, bool}.issuperset(map(type, values)) else _said.__wrapped__
    return whole(f'{{"args":{part(op.args, 1)},{said(*values)}')


@lru_cache(maxsize=4096, typed=True)
def _said(*values: str | int) -> str:
    return part(dict(zip(_BESIDE, values, strict=True)), 0)[1:]


def confirmation(plan: Plan) -> str:
    """What a person types before many things are destroyed: `delete 47`."""
    verbs = [op.verb for op in plan.ops if op.verb in DESTRUCTIVE] or [op.verb for op in plan.ops]
    verb = max(sorted(set(verbs)), key=verbs.count)
    return f"{verb} {sum(op.count for op in plan.ops if op.verb == verb)}"


def destructive(plan: Plan) -> bool:
    """Whether anything in it cannot be taken back."""
    return any(op.verb in DESTRUCTIVE or not op.reversible for op in plan.ops)


def _tree(plan: Plan) -> dict[str, Any]:
    ops = [_fields(op) for op in plan.ops]
    return {**_fields(plan), "requester": _fields(plan.requester), "ops": ops}


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _NAMES[type(one)]}


_NAMES = {
    cls: tuple(each.name for each in fields(cls) if each.init)
    for cls in (Requester, Operation, Plan)
}
_BESIDE = tuple(sorted(name for name in _NAMES[Operation] if name != "args"))
_SAID = attrgetter(*_BESIDE)
"""What an operation says besides its arguments, whose name comes first of all in the bytes."""
