"""Arguments of a tool call held against the published schema, strictly and in words.

What the schema accepts is accepted, what it refuses is refused with every mistake at once: an
unknown name with the one that was probably meant, JSON sent as text with a hint to send it as it
is. The schema is the only rule, so that a client which checks it first is never surprised.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from engine import Refused
from mcp_server.foreign import cut
from mcp_server.shapes import Schema
from mcp_server.text import visible

_SHOWN = 60


class Taking(Protocol):
    """What can be called with arguments: a tool, or a route of the HTTP API."""

    @property
    def name(self) -> str:
        """What a refusal calls it."""
        ...

    @property
    def takes(self) -> Schema:
        """The schema of its arguments."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """What arguments that are left out stand for."""
        ...


T = TypeVar("T", bound=Taking)


class Checked(Generic[T]):
    """One tool with the check of its arguments, compiled at the first call."""

    def __init__(self, tool: T) -> None:
        self.tool = tool
        parts: Mapping[str, Any] = tool.takes["properties"]
        self._whole = frozenset(n for n, part in parts.items() if part.get("type") == "integer")

    @cached_property
    def _validator(self) -> Any:
        import jsonschema_rs  # not needed for the first listing

        return jsonschema_rs.validator_for(self.tool.takes)

    def arguments(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """`given` with the defaults filled in. Raises Refused `invalid_arguments`."""
        if not self._validator.is_valid(given):
            raise self._refusal(given)
        filled = {**self.tool.defaults, **given}
        for name in self._whole:  # to JSON Schema 5.0 is a whole number
            if isinstance(filled[name], float):
                filled[name] = int(filled[name])
        return filled

    def _refusal(self, given: Mapping[str, Any]) -> Refused:
        names = list(self.tool.takes["properties"])
        wrong: list[dict[str, str]] = []
        hints: list[str] = []
        for error in self._validator.iter_errors(given):
            found, hint = _explain(error, names)
            wrong += found
            hints += hint
        unknown = [each["name"] for each in wrong if each["name"] not in names]
        near = [name for each in unknown for name in nearest(each, names) if name not in given]
        return Refused(
            "invalid_arguments",
            f"{self.tool.name} was called with wrong arguments; nothing was done",
            " ".join([*dict.fromkeys(hints), f"It takes: {', '.join(names) or 'nothing'}."]),
            details={"arguments": wrong, "suggestions": list(dict.fromkeys(near))},
        )


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names that were probably meant, best first."""
    folded = {each.casefold(): each for each in names}
    close = difflib.get_close_matches(name[:100].casefold(), folded, n=3, cutoff=0.6)
    return [folded[each] for each in close]


def _explain(error: Any, names: list[str]) -> tuple[list[dict[str, str]], list[str]]:
    kind = error.kind.name
    if kind == "additionalProperties":
        unknown = [visible(name[:_SHOWN]) for name in error.kind.unexpected]
        meant = [nearest(name, names)[:1] for name in unknown]
        hints = [
            f"Use {near[0]} instead of {name}."
            for name, near in zip(unknown, meant, strict=True)
            if near
        ]
        return [{"name": name, "error": "there is no such argument"} for name in unknown], hints
    if kind == "required":
        return [{"name": error.kind.property, "error": "is missing"}], []
    name = ".".join(str(part) for part in error.instance_path) or "arguments"
    wrong = {"name": name, "error": _words(error), "received": received(error.instance)}
    return [wrong], _text_hint(name, error)


def _words(error: Any) -> str:
    kind = error.kind
    match kind.name:
        case "type":
            return f"must be {' or '.join(_with_article(each) for each in kind.types)}"
        case "enum":
            return f"must be one of {', '.join(str(each) for each in kind.options)}"
        case "minimum":
            return f"must be at least {kind.limit}"
        case "maximum":
            return f"must be at most {kind.limit}"
        case "minLength":
            return "must not be empty"
        case "maxLength":
            return f"must not be longer than {kind.limit} characters"
        case other:
            return f"breaks the rule {other}"


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def _text_hint(name: str, error: Any) -> list[str]:
    """JSON that was wrapped in a text is a common slip of models; say how to unwrap it."""
    if error.kind.name != "type" or not isinstance(error.instance, str):
        return []
    try:
        inner = json.loads(error.instance)
    except (ValueError, RecursionError):
        return []
    wanted = error.kind.types
    fits: dict[str, type] = {"object": dict, "integer": int, "boolean": bool}
    if not any(isinstance(inner, fits[each]) for each in wanted if each in fits):
        return []
    return [f"Send {name} as JSON itself, not as a text that contains JSON: no quotes round it."]


def received(value: Any) -> str:
    """A short, harmless look at what came."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return visible(cut(text, _SHOWN))
