"""What an HTTP answer means: a failure classified by its status, or a JSON value.

Pure: bytes and headers in, values out. Kinds say whose move it is (SEMANTICS section 4): the
workflow's author for a wrong request, the clock for what passes, a person for rights. A body is
never trusted: its claims are checked, its text is cut and cleaned before it is shown.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any, Literal

from engine.core.errors import Failure, Kind, StepError
from engine.core.retry import SECOND

MAX_DEPTH = 64
MAX_RETRY_AFTER = 3600 * SECOND
EXCERPT = 300
_MOST_DIGITS = 9

_KINDS: Mapping[int, Kind] = MappingProxyType(
    {
        401: Kind.AUTH,
        402: Kind.PERMISSION,
        403: Kind.PERMISSION,
        404: Kind.PERMANENT,
        407: Kind.AUTH,
        408: Kind.TIMEOUT,
        409: Kind.PRECONDITION,
        410: Kind.PERMANENT,
        412: Kind.PRECONDITION,
        423: Kind.PRECONDITION,
        425: Kind.TRANSIENT,
        428: Kind.PRECONDITION,
        429: Kind.RATE_LIMITED,
        451: Kind.PERMISSION,
        501: Kind.PERMANENT,
        505: Kind.PERMANENT,
        511: Kind.AUTH,
    }
)
_HINTS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.AUTH: "Reconnect the account or renew its credentials.",
        Kind.PERMISSION: "Somebody with rights on that system must allow this.",
        Kind.PERMANENT: "Trying again will not help; check what was asked for.",
        Kind.PRECONDITION: "The state over there is not the expected one; look at it first.",
        Kind.LOGIC: "The workflow sends a wrong request; correct its task.",
        Kind.RATE_LIMITED: "The other system asks for a pause.",
    }
)
_UNPROVEN = frozenset({408, 409, 423, 425, 429})
"""4xx statuses that do not prove by themselves that nothing was done (TRUST 3.1)."""

Applied = Literal["no", "unknown", "yes"]


def judge(status: int, headers: Mapping[str, str], now: int | None = None) -> Failure | None:
    """What the status of a final answer means; None means all is well.

    `headers` have lower-case names. A `Retry-After` becomes microseconds, at most an hour; as
    a date it is compared with the answer's own `Date`, else with `now`.

    >>> judge(503, {"retry-after": "2"}).retry_after
    2000000
    >>> judge(404, {}).kind.value, judge(204, {})
    ('permanent', None)
    """
    if 200 <= status < 300:
        return None
    kind = _kind(status)
    failure = Failure(kind, f"http_{status}", f"the server answered {status}", _HINTS.get(kind, ""))
    wait = _retry_after(headers, now) if failure.retryable else None
    return Failure(
        kind, failure.code, failure.message, failure.hint, wait, details={"status": status}
    )


def _kind(status: int) -> Kind:
    known = _KINDS.get(status)
    if known is not None:
        return known
    return Kind.TRANSIENT if status >= 500 else Kind.LOGIC


def applied(
    status: int,
    headers: Mapping[str, str],
    not_sent: Collection[int] = (),
    *,
    atomic_5xx: bool = False,
) -> Applied:
    """Whether a mutation that was answered like this took place, by TRUST 3.1's table.

    `not_sent` and `atomic_5xx` are what the connector declares about its own system. A 409
    proves that this send did nothing, but an earlier one with the same key may have (`conflict`).

    >>> applied(201, {}), applied(422, {}), applied(500, {}), applied(503, {"retry-after": "1"})
    ('yes', 'no', 'unknown', 'no')
    >>> applied(425, {}), applied(425, {}, (425,)), applied(500, {}, atomic_5xx=True)
    ('unknown', 'no', 'no')
    """
    if 200 <= status < 300:
        return "yes"
    if status in not_sent or (atomic_5xx and status >= 500):
        return "no"
    if status in {429, 503} and "retry-after" in headers:
        return "no"
    if status == 409 or (300 <= status < 500 and status not in _UNPROVEN):
        return "no"
    return "unknown"


def conflict(status: int) -> bool:
    """Whether an answer speaks of what is there already: perhaps by an earlier send of the same.

    >>> conflict(409), conflict(412), conflict(422)
    (True, True, False)
    """
    return status in {409, 412}


def _retry_after(headers: Mapping[str, str], now: int | None) -> int | None:
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = int(text) if len(text) <= _MOST_DIGITS else MAX_RETRY_AFTER
        return min(seconds * SECOND, MAX_RETRY_AFTER)
    until, since = _moment(text), _moment(headers.get("date", ""))
    if since is None:
        since = now
    if until is None or since is None:
        return None
    return max(0, min(until - since, MAX_RETRY_AFTER))


def _moment(text: str) -> int | None:
    if not text or len(text) > 64:
        return None
    try:
        moment: datetime = parsedate_to_datetime(text)
        return int(moment.timestamp()) * SECOND
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def excerpt(body: bytes) -> str:
    """The beginning of a body, fit for a report: one line, no control characters.

    >>> excerpt(b"no\\x1b[31m such\\r\\n  user\\xff")
    'no [31m such user\ufffd'
    """
    text = body[: EXCERPT * 4].decode("utf-8", "replace")
    clean = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(clean.split())[:EXCERPT]


def decode(status: int, content_type: str, body: bytes) -> Any:
    """The JSON value of a good answer's body.

    JSON is read strictly; text becomes `{"text": ...}`; no body is null; a body that claims
    nothing is JSON if it can be read as JSON. Raises StepError (permanent, `bad_response`)
    for everything else, including a body that is not what its content type says.

    >>> decode(200, "application/json; charset=utf-8", b'{"id": 3}')
    {'id': 3}
    >>> decode(200, "text/plain", b"hello")
    {'text': 'hello'}
    """
    if status in {204, 205} or not body:
        return None
    media, charset = _content_type(content_type)
    if is_json(media):
        return _json(_text(body, charset))
    if _is_text(media):
        return {"text": _text(body, charset)}
    if media:
        raise bad_response("not_text", f"the answer is {media[:80]}, not JSON or text")
    text = _text(body, charset)
    try:
        return _json(text)
    except StepError:
        return {"text": text}


def bad_response(reason: str, message: str, code: str = "bad_response") -> StepError:
    """An answer that cannot be used; `reason` is a stable machine word."""
    hint = "Trying again will not help; check what that address serves."
    return StepError(Failure(Kind.PERMANENT, code, message, hint, details={"reason": reason}))


_CHARSETS: Mapping[str, str] = MappingProxyType(
    {
        "": "utf-8-sig",
        "utf-8": "utf-8-sig",
        "utf8": "utf-8-sig",
        "us-ascii": "ascii",
        "ascii": "ascii",
        "iso-8859-1": "latin-1",
        "latin1": "latin-1",
        "windows-1252": "cp1252",
    }
)
_TEXTUAL = frozenset(
    {
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/javascript",
        "application/x-ndjson",
        "application/jsonl",
        "application/x-www-form-urlencoded",
    }
)


def _content_type(value: str) -> tuple[str, str]:
    media, *parameters = value.split(";")
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "charset":
            return media.strip().lower(), text.strip().strip('"').lower()
    return media.strip().lower(), ""


def is_json(media: str) -> bool:
    """Whether a media type, in lower case and without parameters, promises JSON.

    >>> is_json("application/problem+json"), is_json("text/html")
    (True, False)
    """
    return media in {"application/json", "text/json"} or media.endswith("+json")


def _is_text(media: str) -> bool:
    return media.startswith("text/") or media in _TEXTUAL or media.endswith(("+xml", "+yaml"))


def _text(body: bytes, charset: str) -> str:
    codec = _CHARSETS.get(charset)
    if codec is None:
        raise bad_response("charset", f"the answer's charset {charset[:40]!r} is not supported")
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        raise bad_response("charset", f"the answer is not {charset or 'utf-8'} text") from None


class _Duplicate(ValueError):
    """An object names a key twice."""


def _json(text: str) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite
        )
    except _Duplicate:
        raise bad_response("duplicate_key", "the answer's JSON names a key twice") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise bad_response("invalid_json", "the answer says it is JSON and is not") from None
    _check_depth(text, value)
    _check_surrogates(text, value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Duplicate
    return value


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_depth(text: str, value: Any) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH or not isinstance(value, dict | list):
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise _too_deep()


def _children(node: Any) -> Iterator[Any]:
    inside = node.values() if isinstance(node, dict) else node
    return (child for child in inside if isinstance(child, dict | list))


def _too_deep() -> StepError:
    return bad_response("too_deep", f"the answer is nested deeper than {MAX_DEPTH}")


def _check_surrogates(text: str, value: Any) -> None:
    # Half a surrogate pair can only come from an escape, and cannot be stored.
    if "\\ud" not in text and "\\uD" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise bad_response("invalid_json", "the answer has half a surrogate pair") from None
