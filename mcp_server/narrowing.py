"""The arguments that narrow a list, the same for every list, and the filter that they mean.

How long and how many they may be is the engine's to say, so that every door says the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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


def filter_of(given: Mapping[str, Any]) -> "Filter":
    """What the arguments of a call narrow a list to."""
    from engine.core.labels.filter import narrowed

    return narrowed(
        given["category"],
        given["categories"],
        all_tags=tuple(given["tags"]),
        any_tags=tuple(given["anyTags"]),
        exclude_tags=tuple(given["excludeTags"]),
        tag_pattern=given["tagPattern"],
    )
