"""A plan in the server's own words: what a person reads before allowing it.

Everything comes from the plan: every operation stands here and every value in it, the dangerous
and the unusual first. What the assistant says of it comes last, in a box that says so and that
nothing can leave. Nothing is markup: whoever shows the lines only has to put them one below the
other. A plan has one text, so that every channel shows the same. (TRUST.md 1.6, the renderer.)

It refuses to know who reads it, where, and what the answer will be.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from engine.core.approval import lookalikes
from engine.core.approval.concerns import concerned
from engine.core.approval.plan import DESTRUCTIVE, MOST_RATIONALE, Operation, Plan
from engine.core.approval.values import HEAD, TAIL, leaves, named, parsed, shown
from engine.core.value import value
from engine.core.visible import visible
from engine.core.words import shorten

Kind = Literal["head", "warning", "operation", "field", "later", "rationale"]

FORM_MOST = 3_500
"""Characters of the longest text that a form may show; a longer plan is read on the page."""
WIDTH = 96
NARROWEST = 30
BOX = 76

_RANK = {"delete": 0, "pay": 1, "send": 2, "update": 4, "create": 5}
_ANY_VERB = 3
_RECIPIENTS = frozenset(
    {
        *("to", "cc", "bcc", "recipient", "recipients", "email", "e-mail", "phone", "channel"),
        *("account", "iban", "user", "userid", "customer", "customerid", "payee", "address"),
        *("webhook", "callback", "url", "host"),
    }
)
_AMOUNTS = frozenset(
    {"amount", "amounts", "total", "price", "sum", "cost", "quantity", "limit", "currency", "fee"}
)
_TITLES = {
    "run.mutations": "Carry out changes outside for {workflow} {version}",
    "version.accept": "Accept {workflow} {version}, so that it may run",
    "version.default": "Make {version} the default version of {workflow}",
    "version.deprecate": "Change the deprecation of {workflow} {version}",
    "run.cancel": "Cancel a run of {workflow}",
    "mutation.resolve": "Say what became of a change in a run of {workflow}",
    "workflow.activate": "Let {workflow} {version} run by itself",
    "labels.change": "Change labels",
    "labels.protect": "Change labels that rules rely on",
}


@value
class Line:
    """One line of a plan. `depth` says how far it is set in; a `rationale` belongs in a box.

    `at` is the place of its operation in `plan.ops`, -1 for a line that belongs to none.
    """

    kind: Kind
    text: str
    depth: int = 0
    at: int = -1


def lines(plan: Plan, known: Collection[str] | None = None) -> tuple[Line, ...]:
    """The plan for people; `known` are recipients, hosts and amounts allowed before, if one knows.

    What is not in `known` is marked as new and comes first. The assistant's words come last.
    """
    order = _by_danger(plan, known)
    body = [line for at in order for line in _operation(plan, at, known)]
    later = [Line("later", f"will ask again: {named(step)}") for step in plan.later]
    box = [Line("rationale", row) for row in _boxed(plan.rationale)]
    return (*_head(plan), *_warnings(plan), *body, *later, *box)


def summary(plan: Plan) -> str:
    """The plan in one line: what, how much of it, and how many operations.

    Whatever stands in it is in the lines too; it never replaces them.
    """
    return f"{_title(plan)}: {_counts(plan)}"


def text(plan: Plan, known: Collection[str] | None = None, width: int = WIDTH) -> str:
    """The plan as plain text, no line longer than `width` columns (at least `NARROWEST`).

    A line that goes on is set in deeper than where it began, so that no value can look like a
    line of its own.
    """
    width = max(width, NARROWEST)
    rows: list[str] = []
    box = False
    for line in lines(plan, known):
        if line.kind == "rationale":
            rows += [] if box else ["+-- written by the assistant; Handrail has not checked it"]
            box = True
            rows += [f"| {row}" for row in wrapped(line.text, width - 2, "")]
            continue
        mark = "! " if line.kind == "warning" else "  " * line.depth
        rows += wrapped(mark + line.text, width, "  " * (line.depth + 2))
    return "\n".join([*rows, "+--"] if box else rows)


def fits_form(plan: Plan) -> bool:
    """Whether a form can show the whole plan, nothing cut; a form that cannot is not offered."""
    texts = (one for op in plan.ops for one in (op.target, *(v for _, v in _fields(op))))
    cut = any(isinstance(one, str) and len(one) > HEAD + TAIL for one in texts)
    return not cut and len(text(plan)) <= FORM_MOST


# -- the parts ----------------------------------------------------------------------------------


def _head(plan: Plan) -> Iterator[Line]:
    yield Line("head", _title(plan))
    yield Line("head", f"asked for by {named(plan.requester.words)}", 1)
    if plan.run:
        yield Line("head", f"run {named(plan.run)}", 1)
    if plan.env:
        yield Line("head", f"environment: {named(plan.env)}", 1)
    yield Line("head", f"carried out before {_moment(plan.not_after)} or never", 1)
    yield Line("head", _counts(plan), 1)
    told = concerned(plan)
    if told is not None:
        yield Line("head", told.words, 1)
    yield Line("head", f"showing all {len(plan.ops):,}", 1)


def _title(plan: Plan) -> str:
    form = _TITLES.get(plan.kind, f"{named(plan.kind)}: {{workflow}} {{version}}")
    names = {
        "workflow": named(plan.workflow) or "(no workflow)",
        "version": named(plan.version),
    }
    return " ".join(form.format(**names).split())


def _counts(plan: Plan) -> str:
    verbs = Counter({op.verb: 0 for op in sorted(plan.ops, key=_rank)})
    for op in plan.ops:
        verbs[op.verb] += op.count
    parts = [f"{number:,} {shorten(named(verb))}" for verb, number in verbs.items()]
    some = "up to " if any(op.count > 1 for op in plan.ops) else ""
    noun = "operation" if len(plan.ops) == 1 else "operations"
    return f"{len(plan.ops):,} {noun} ({some}{', '.join(parts)})"


def _warnings(plan: Plan) -> Iterator[Line]:
    final = sum(not op.reversible for op in plan.ops)
    if final and plan.kind == "run.mutations":
        yield Line("warning", f"{final:,} of {len(plan.ops):,} cannot be taken back")
    told: dict[str, None] = {}
    for op in plan.ops:
        for _, one in (("", op.target), *leaves(op.args)):
            if isinstance(one, str):
                told |= dict.fromkeys(lookalikes.warnings(one))
    for warning in told:
        yield Line("warning", warning)


def _operation(plan: Plan, at: int, known: Collection[str] | None) -> Iterator[Line]:
    op = plan.ops[at]
    verb = shorten(named(op.verb))
    loud = verb.upper() if op.verb in DESTRUCTIVE else verb
    yield Line("operation", f"{at + 1} of {len(plan.ops)}. {loud}: {named(op.target)}", 0, at)
    for note in _notes(op):
        yield Line("field", note, 2, at)
    fields = sorted(_fields(op), key=lambda field: _importance(field[0], field[1], known))
    for name, one in fields:
        new = " (new)" if known is not None and _weighs(name) < 2 and str(one) not in known else ""
        yield Line("field", f"{name}: {shown(one)}{new}", 2, at)


def _notes(op: Operation) -> Iterator[str]:
    """What is declared of the operation, in words."""
    host = lookalikes.host_of(op.target.partition(" ")[2])
    if host:
        yield f"host: {named(host)}"
    yield f"step: {named(op.id)}" + (f" (task {named(op.task)})" if op.task else "")
    if op.count > 1:
        yield f"as many as {op.count:,} times"
    if op.definition:
        yield f"definition: sha256 {named(op.definition)}"
    if op.precondition:
        yield f"only while what was read is still so: sha256 {named(op.precondition)}"
    if op.weak_cas:
        yield "that is checked just before, not in the same moment"
    if host and op.idempotency == "none" and not op.lookup:
        yield "if the connection breaks, nobody can find out whether it happened"
    yield "can be taken back" if op.reversible else "cannot be taken back"


def _fields(op: Operation) -> list[tuple[str, Any]]:
    """Every value of the arguments: what is sent, then what it was made from if it differs."""
    args = op.args
    request = args.get("request") if isinstance(args, dict) else None
    if not isinstance(request, dict):
        return [*leaves(args, "value" if not isinstance(args, dict) else "")]
    sent = dict(request)
    if f"{sent.get('method')} {sent.get('url')}" == op.target:
        del sent["method"], sent["url"]
    if isinstance(sent.get("body"), str):
        sent["body"] = parsed(sent["body"])
    first = [*leaves(sent)] if sent else []
    said = {shown(one) for _, one in first}
    rest = {name: one for name, one in args.items() if name != "request" and one != {}}
    made = [field for field in leaves(rest) if rest and shown(field[1]) not in said]
    return first + made


# -- what comes first ---------------------------------------------------------------------------


def _rank(op: Operation) -> tuple[int, bool]:
    return _RANK.get(op.verb, _ANY_VERB), op.reversible


def _by_danger(plan: Plan, known: Collection[str] | None) -> list[int]:
    """Destructive verbs first, then what is new, then whatever is unlike the others."""
    marks = [_marks(op) for op in plan.ops]
    common = Counter(mark for found in marks for mark in found)

    def key(at: int) -> tuple[Any, ...]:
        new = known is not None and any(name not in known for _, name in marks[at])
        rarest = min((common[mark] for mark in marks[at]), default=len(plan.ops))
        return *_rank(plan.ops[at]), not new, rarest, at

    return sorted(range(len(plan.ops)), key=key)


def _marks(op: Operation) -> set[tuple[str, str]]:
    """The host, the recipients and the amounts of one operation."""
    found = {("host", lookalikes.host_of(op.target.partition(" ")[2]))}
    for name, one in _fields(op):
        if _weighs(name) < 2:
            found.add((_last(name), str(one)))
    return found


def _importance(name: str, one: Any, known: Collection[str] | None) -> tuple[bool, int]:
    weight = _weighs(name)
    return not (weight < 2 and known is not None and str(one) not in known), weight


def _weighs(name: str) -> int:
    """0 for a recipient or a host, 1 for an amount, 2 for anything else."""
    word = _last(name)
    return 0 if word in _RECIPIENTS else 1 if word in _AMOUNTS else 2


def _last(name: str) -> str:
    return name.rpartition(".")[2].partition("[")[0].replace("_", "").lower()


# -- text -----------------------------------------------------------------------------------------


def _boxed(rationale: str) -> list[str]:
    """The assistant's words, each row narrow enough that no terminal breaks it."""
    if not rationale.strip():
        return []
    cut = rationale[:MOST_RATIONALE]
    left = len(rationale) - len(cut)
    told = visible(cut, lines=True) + (f" ... +{left:,} chars" if left else "")
    return [row for line in told.split("\n") for row in wrapped(line, BOX, "")]


def wrapped(line: str, width: int, indent: str) -> list[str]:
    """One line as rows of at most `width` columns, all but the first behind `indent`.

    Nothing is left out, spaces neither.
    """
    rows: list[str] = []
    row, room = "", width
    for char in line:
        wide = columns(char)
        if wide > room:
            keep = row.rfind(" ") + 1
            keep = keep if row[:keep].strip() and len(row) - keep < width // 3 else len(row)
            rows.append(row[:keep])
            row = indent + row[keep:]
            room = width - sum(map(columns, row))
        row, room = row + char, room - wide
    return [*rows, row]


def columns(char: str) -> int:
    """How many columns of a terminal a character takes."""
    if char.isascii():
        return 1
    if unicodedata.category(char)[0] == "M":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _moment(at: int) -> str:
    try:
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    except OverflowError:
        return f"{at:,} microseconds"
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")
