"""Request bodies from templates, each value kept inside its place.

An object is sent as JSON, or as a form if its content type says so. A text is sent as it reads,
after a check that it is what its type says. In a text that is JSON the template itself keeps
values in their places; in a form each value is percent-encoded here. So a value can never add a
field to what the author wrote.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from engine.core.errors import Failure, Kind, StepError
from engine.core.expr.values import to_text
from engine.core.response import is_json
from engine.core.template import Template

LARGEST_BODY = 5 * 1024 * 1024
"""Bytes in a request's body."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain; charset=utf-8"


def media_type(content_type: str) -> str:
    """The content type without its parameters, in lower case.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def render_body(
    template: Template, scope: Mapping[str, Any], media: str
) -> tuple[str, bytes | None]:
    """The content type to send if none was declared, and the body; null is no body.

    `media` is the declared type, or "". Raises StepError (validation) when the text is not what
    its type says or a value cannot stand in it.
    """
    if media == FORM and isinstance(template.source, str):
        pieces = template.pieces(scope)
        if len(pieces) > 1:
            return media, _bytes(
                "".join(_percent(p.text) if p.inserted else p.text for p in pieces)
            )
    value = template.render(scope)
    if value is None:
        return media, None
    if isinstance(value, str):
        return _text(value, template, media)
    if media == FORM and isinstance(value, dict):
        return media, _bytes(_form(value))
    return media or JSON, _bytes(_dump(value))


def _text(text: str, template: Template, media: str) -> tuple[str, bytes]:
    if is_json(media) and not _is_one_json(text):
        hint = "Check the quotes and commas of the body, or write it as an object."
        raise _invalid("bad_body", "the body says it is JSON and is not", hint)
    return media or (JSON if _written_as_json(template, text) else TEXT), _bytes(text)


def _written_as_json(template: Template, text: str) -> bool:
    """Whether the author's own text, not a value's, is JSON."""
    source = template.source.lstrip() if isinstance(template.source, str) else ""
    return source[:1] in {"{", "["} and source[:2] != "{{" and _is_one_json(text)


def _is_one_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _form(value: dict[str, Any]) -> str:
    return "&".join(
        f"{_percent(name)}={_percent(item)}" for name, item in value.items() if item is not None
    )


def _percent(value: Any) -> str:
    try:
        return quote(to_text(value), safe="")
    except UnicodeEncodeError:
        raise _unpaired() from None


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise _invalid("bad_body", "the body cannot be written as JSON") from None


def _bytes(text: str) -> bytes:
    try:
        body = text.encode()
    except UnicodeEncodeError:
        raise _unpaired() from None
    if len(body) > LARGEST_BODY:
        message = f"the body has {len(body):,} bytes; {LARGEST_BODY:,} are allowed"
        raise _invalid("body_too_large", message, "Send less at a time.")
    return body


def _unpaired() -> StepError:
    return _invalid("bad_text", "a value for the body has half a surrogate pair")


def _invalid(code: str, message: str, hint: str = "") -> StepError:
    return StepError(Failure(Kind.VALIDATION, code, message, hint))
