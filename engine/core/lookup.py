"""Finding out whether a mutation happened, and whether what it relies on is still so.

Pure: the declarations of a connector over what a read gave. A lookup answers yes, no, or that the
answer says neither; a no counts only after the declared delay and only when it is final, which is
for whoever asks to see (`Lookup.finality`). What cannot be understood is never a no, because
after a no a payment may be sent again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from engine.core.declared import Lookup, Precondition, Reading
from engine.core.errors import Failure
from engine.core.expr import EvaluationError, parse
from engine.core.expr.tree import Call, Node, children
from engine.core.template import Condition

Answer = Literal["yes", "no", "unknown"]
_GONE = frozenset({404, 410})
_FORGIVING = frozenset({"has", "default"})


def asked(reading: Reading, scope: Mapping[str, Any]) -> Any:
    """The input of the read that is made for a call; `scope` has its `input` and `key`.

    Raises EvaluationError when the template cannot be worked out.
    """
    return scope["input"] if reading.input is None else reading.input.render(scope)


def found(lookup: Lookup, answer: Any, scope: Mapping[str, Any]) -> tuple[Answer, Any]:
    """Whether the call happened by what the read gave, and the output it would have had.

    `scope` has the call's `input` and `key`. Unknown is an answer that `match` cannot be judged
    over: it fails, or what it looks at is not there at all, so the system must have answered
    something that nobody expected.
    """
    seen = {**scope, "output": answer}
    try:
        if not _understood(lookup.match, answer):
            return "unknown", None
        if not lookup.match.evaluate(seen):
            return "no", None
        return "yes", answer if lookup.result is None else lookup.result.render(seen)
    except EvaluationError:
        return "unknown", None


def absent(lookup: Lookup, failure: Failure) -> bool:
    """Whether a failed read is a no: it asked for one thing by its path, and there is none."""
    return failure.details.get("status") in _GONE and bool(lookup.http.url.references())


def guarded(precondition: Precondition, answer: Any, scope: Mapping[str, Any]) -> Any:
    """What must not change between approval and call. Raises EvaluationError."""
    if precondition.value is None:
        return answer
    return precondition.value.render({**scope, "output": answer})


def _understood(match: Condition, answer: Any) -> bool:
    """Whether all that `match` looks at is there; null counts, and it may ask with `has`."""
    looked = [each[1:] for each in match.references() if each[0] == "output"]
    if all(_there(answer, keys) for keys in looked):
        return True
    return any(
        isinstance(node, Call) and node.name in _FORGIVING
        for node in _nodes(parse(match.source, braces=True).node)
    )


def _there(value: Any, keys: tuple[str | int, ...]) -> bool:
    for key in keys:
        if not isinstance(value, Mapping):
            return isinstance(value, list) and isinstance(key, int)
        if key not in value:
            return False
        value = value[key]
    return True


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _nodes(child)
