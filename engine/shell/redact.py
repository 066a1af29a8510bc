"""Nothing that this process knows to be a secret leaves it in words: masking by value.

Whoever resolves a secret teaches it here. From then on it is masked, as it is and in the forms
into which programs put it (base64 in each alignment, hex, percent-encoded, escaped in JSON or
HTML), in every output and failure before it is recorded, in tool results, and in the log. In the
log even a larger part of one is masked, also when it is spread over several lines; in data only
the whole, because a masked value is a changed one. It is one per process, as the log is.
"""

import base64
import contextlib
import html
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from engine.core.errors import Failure, StepError
from engine.core.secrets import SHORTEST

MASK = "[secret]"
_LONG_LINE = 65_536
_BLANK = re.compile(r"\s+")


def forms(secret: str) -> frozenset[str]:
    """The texts in which a secret may turn up, itself among them.

    >>> "c2VjcmV0LTEyM" in forms("secret-123")
    True
    """
    raw = secret.encode("utf-8", "surrogatepass")
    found = {secret, raw.hex(), raw.hex().upper(), html.escape(secret), *_aligned(raw)}
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        found |= {escaped, escaped.replace("/", "\\/")}
    for percent in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        found |= {percent, re.sub("%[0-9A-F]{2}", lambda each: each[0].lower(), percent)}
    return frozenset(each for each in found if len(each) >= SHORTEST)


def _aligned(raw: bytes) -> Iterator[str]:
    """Base64 of the bytes wherever they begin in what is encoded: what is certain of it."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).decode()
        begin, end = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        certain = text[begin:end]
        yield from (certain, certain.replace("+", "-").replace("/", "_"))


class Redactor:
    """Knows secrets by their values and takes them out of whatever is given to it."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._forms: set[str] = set()
        self._dumped: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._parts: dict[int, set[str]] = {}
        self._longest = 0
        self._tail = ""

    def learn(self, secret: str) -> None:
        """Mask this from now on. What is shorter than `SHORTEST` cannot be told from words."""
        if secret in self._secrets or len(secret) < SHORTEST:
            return
        self._secrets.add(secret)
        self._forms |= forms(secret)
        self._dumped = {json.dumps(each, ensure_ascii=False)[1:-1] for each in self._forms}
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(each) for each in longest_first))
        for each in forms(secret):
            self._learn_parts(_BLANK.sub("", each))
        shield_logs()

    def _learn_parts(self, text: str) -> None:
        size = max(SHORTEST, (len(text) + 1) // 2)
        parts = self._parts.setdefault(size, set())
        parts.update(text[at : at + size] for at in range(len(text) - size + 1))
        self._longest = max(self._longest, len(text))

    def text(self, text: str) -> str:
        """A text without secrets."""
        if self._pattern is None or not any(each in text for each in self._forms):
            return text  # looking for each form is many times faster than the pattern
        return self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """A JSON value without secrets; the same one where there were none."""
        return value if self._pattern is None or self._free(value) else self._value(value)

    def _free(self, value: Any) -> bool:
        """Whether no secret is in a value; a text of it is looked through much faster than it."""
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return False
        return not any(each in text for each in self._dumped)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            made = {self.text(str(key)): self._value(item) for key, item in value.items()}
            return value if made == value else made
        if isinstance(value, list | tuple):
            items = [self._value(item) for item in value]
            return value if items == list(value) else items
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if str(value) in self._secrets else value
        return value

    def failure(self, failure: Failure) -> Failure:
        """A failure without secrets in any of its words."""
        if self._pattern is None:
            return failure
        return replace(
            failure,
            code=self.text(failure.code),
            message=self.text(failure.message),
            hint=self.text(failure.hint),
            cause=tuple(self.text(each) for each in failure.cause),
            details=self.value(failure.details),
        )

    def error(self, error: StepError) -> StepError:
        """The same for a failure under way."""
        return StepError(self.failure(error.failure))

    def line(self, text: str) -> str:
        """A piece of the log without secrets or larger parts of them.

        What was written just before counts, so that the second half of a secret is masked when
        its first half went out with the line before.
        """
        if not self._parts:
            return text
        if len(text) > _LONG_LINE:  # every place of it is looked at below
            return self.text(text)
        places = [at for at, char in enumerate(text) if not char.isspace()]
        before = len(self._tail)
        whole = self._tail + "".join(text[at] for at in places)
        self._tail = whole[-self._longest :]
        hidden = {places[at - before] for at in self._hidden(whole) if at >= before}
        return _masked(text, hidden)

    def _hidden(self, whole: str) -> set[int]:
        found: set[int] = set()
        for size, parts in self._parts.items():
            for at in range(len(whole) - size + 1):
                if whole[at : at + size] in parts:
                    found.update(range(at, at + size))
        return found


def _masked(text: str, hidden: set[int]) -> str:
    if not hidden:
        return text
    made: list[str] = []
    for at, char in enumerate(text):
        if at not in hidden:
            made.append(char)
        elif at - 1 not in hidden:
            made.append(MASK)
    return "".join(made)


KNOWN = Redactor()
"""The secrets that this process has had in its hands."""


class _Mask(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Put the record's own words into a form without secrets, once."""
        if not hasattr(record, _SEEN):
            setattr(record, _SEEN, True)
            with contextlib.suppress(Exception):  # logging itself tells of a record that is broken
                _mask(record)
        return True


_SEEN = "handrail_masked"


def _mask(record: logging.LogRecord) -> None:
    said = record.getMessage()
    clean = KNOWN.line(said)
    traceback = _FORMATTER.formatException(record.exc_info) if record.exc_info else ""
    if KNOWN.text(traceback) != traceback:
        record.exc_info = record.exc_text = None
        clean += " (its traceback held a secret and was left out)"
    if clean != said:
        record.msg, record.args = clean, ()


_FORMATTER = logging.Formatter()
MASKING = _Mask()
"""The filter of a log's loggers and handlers."""


def shield_logs(name: str = "handrail") -> None:
    """Have every logger below `name` mask: what hosts the engine may have handlers of its own."""
    for known in list(logging.root.manager.loggerDict):
        if known == name or known.startswith(f"{name}."):
            logging.getLogger(known).addFilter(MASKING)
