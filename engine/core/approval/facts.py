"""What a policy may look at: the typed facts of a plan, and nothing that an assistant wrote.

Names of workflows, hosts and verbs come from documents that a person accepted and from the
requests as they will be sent; the assistant's reason, its arguments' words and the name of its
client are not among them. Labels count only where a person set them (protected labels), so they
are given by whoever knows that. It refuses to know what a policy makes of a fact.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from engine.core.approval.concerns import concerned
from engine.core.approval.lookalikes import host_of
from engine.core.approval.plan import DESTRUCTIVE, Operation, Plan
from engine.core.value import value

READ = "read"
NO_HOST = ""


@value
class Facts:
    """One plan as a policy sees it.

    `verbs`, `tasks`, `hosts`, `idempotency` and `definitions` are those of all operations; an
    operation that names no host has the host "". `items` counts what may happen at most, and
    `destructive` how many of those delete, pay or send. None in `workflows` (how many a change
    concerns) and `cost` (in dollars) means that nobody knows.
    """

    kind: str
    workflow: str
    namespace: str
    env: str
    channel: str
    verbs: frozenset[str]
    tasks: frozenset[str]
    hosts: frozenset[str]
    idempotency: frozenset[str]
    definitions: frozenset[str]
    reversible: bool
    items: int
    destructive: int
    labels: frozenset[str] = frozenset()
    tainted: bool = False
    workflows: int | None = None
    cost: Decimal | None = None


def facts(
    plan: Plan,
    *,
    labels: Iterable[str] = (),
    tainted: bool = False,
    workflows: int | None = None,
    cost: Decimal | None = None,
) -> Facts:
    """The facts of a plan. `labels` are protected ones only: those that a person has set."""
    ops, told = plan.ops, concerned(plan)
    return Facts(
        kind=plan.kind,
        workflow=plan.workflow,
        namespace=plan.workflow.rpartition("/")[0],
        env=plan.env,
        channel=plan.requester.channel,
        verbs=frozenset(op.verb for op in ops),
        tasks=frozenset(op.task for op in ops),
        hosts=frozenset(map(host_of, {url for op in ops for url in _urls(op)})),
        idempotency=frozenset(op.idempotency for op in ops),
        definitions=frozenset(op.definition for op in ops),
        reversible=all(op.reversible for op in ops),
        items=sum(op.count for op in ops),
        destructive=sum(op.count for op in ops if op.verb in DESTRUCTIVE),
        labels=frozenset(labels),
        tainted=tainted,
        workflows=told.workflows if workflows is None and told is not None else workflows,
        cost=cost,
    )


def _urls(op: Operation) -> Iterator[str]:
    """What an operation reaches, as its target says and as its request says."""
    yield op.target.partition(" ")[2]
    request = op.args.get("request") if isinstance(op.args, Mapping) else None
    if isinstance(request, Mapping):
        yield str(request.get("url", ""))
