"""The arguments that narrow a list, the same for every list, and the filter that they mean.

How long and how many they may be is the engine's to say, so that every door says the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine import Refused
from mcp_server.arguments import nearest, received
from mcp_server.calls import argument
from mcp_server.shapes import TEXT, Schema, listing

if TYPE_CHECKING:
    from engine.core.labels.filter import Filter

_WORDS: Schema = {**listing(TEXT), "default": []}

FILTERS: Mapping[str, Schema] = {
    "category": {**TEXT, "default": ""},
    "categories": argument("array", "Any of them.", items=TEXT, default=[]),
    "tags": argument("array", "All of them.", items=TEXT, default=[]),
    "anyTags": _WORDS,
    "excludeTags": _WORDS,
    "tagPattern": argument("string", "Such as team-*.", default=""),
}

TASK_FILTERS: Mapping[str, Schema] = {
    name: schema for name, schema in FILTERS.items() if name != "categories"
}
"""The same for tasks, which have one category at most."""


def filter_of(given: Mapping[str, Any]) -> "Filter":
    """What the arguments of a call narrow a list to."""
    from engine.core.labels.filter import narrowed

    return narrowed(
        given["category"],
        given.get("categories", ()),
        all_tags=tuple(given["tags"]),
        any_tags=tuple(given["anyTags"]),
        exclude_tags=tuple(given["excludeTags"]),
        tag_pattern=given["tagPattern"],
    )


SEARCHED = argument(
    "object", "categories, tags (all), anyTags, excludeTags: lists; namespace.", default={}
)
"""The argument of a search: told in words, because its schema would cost every conversation."""
_SEARCH_NAMES = (*FILTERS, "namespace")


def searched(given: Mapping[str, Any], tool: str = "search_workflows") -> "Filter":
    """What the argument `filters` of a tool narrows to; raises Refused `invalid_arguments`."""
    wrong = [
        {"name": f"filters.{name}", "error": error, "received": received(given[name])}
        for name in given
        if (error := _error(name, given[name]))
    ]
    if wrong:
        near = [each for name in given if name not in _SEARCH_NAMES for each in _near(name)]
        raise Refused(
            "invalid_arguments",
            f"{tool} was called with wrong filters; nothing was done",
            f"filters takes: {', '.join(_SEARCH_NAMES)}.",
            details={"arguments": wrong, "suggestions": near},
        )
    usual = {name: schema["default"] for name, schema in FILTERS.items()}
    found = filter_of({**usual, **given})
    return replace(found, namespace=given.get("namespace", ""))


def _near(name: str) -> list[str]:
    return nearest(name, _SEARCH_NAMES)[:1]


def _error(name: str, given: Any) -> str:
    if name not in _SEARCH_NAMES:
        return "there is no such filter"
    if name != "namespace" and FILTERS[name]["type"] == "array":
        fits = isinstance(given, list) and all(isinstance(each, str) for each in given)
        return "" if fits else "must be a list of texts"
    return "" if isinstance(given, str) else "must be a string"
