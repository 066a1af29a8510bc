"""Masking by value: whatever the way out, a secret that this process knows is not on it."""

import base64
import html
import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import Failure, Kind
from engine.shell.redact import KNOWN, MASK, MASKING, Redactor

KEY = 'sk-live/9f+8&7 "quoted" ü'
SECRETS = st.text(st.characters(codec="utf-8"), min_size=8, max_size=40).filter(str.strip)
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "json": json.dumps,
    "json with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "json with slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "url": lambda text: quote(text, safe=""),
    "url path": quote,
    "form": quote_plus,
    "url in small letters": lambda text: re.sub(
        "%..", lambda each: each[0].lower(), quote(text, safe="")
    ),
    "html": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 after 1": lambda text: base64.b64encode(b"x" + text.encode() + b"y").decode(),
    "base64 after 2": lambda text: base64.b64encode(b"xx" + text.encode() + b"yy").decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(b"u:" + text.encode()).decode(),
}


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def told(text: str, secret: str) -> bool:
    """Whether what is left of a form still tells most of the secret."""
    return any(text[at : at + 8] in secret for at in range(len(text) - 7))


@pytest.mark.requirement("gate-redaction")
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_masked_in_every_form(way: str) -> None:
    given = f"before {WAYS[way](KEY)} after"
    masked = knowing(KEY).text(given)
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert not told(masked.replace("before", "").replace("after", ""), KEY)


@pytest.mark.requirement("gate-redaction")
@given(SECRETS, st.sampled_from(sorted(WAYS)), st.text(max_size=20))
def test_whatever_the_secret_its_forms_are_found(secret: str, way: str, around: str) -> None:
    redactor = knowing(secret)
    form = WAYS[way](secret)
    assert form not in redactor.text(around + form + around)
    assert MASK in redactor.text(around + form + around)


def test_a_value_is_masked_at_every_depth_and_else_stays_the_same_object() -> None:
    redactor = knowing("12345678901")
    value = {"a": [{"b": "x 12345678901"}], "12345678901": 12345678901, "c": [1, 2.5, True, None]}
    assert redactor.value(value) == {
        "a": [{"b": f"x {MASK}"}],
        MASK: MASK,
        "c": [1, 2.5, True, None],
    }
    clean = {"a": ["x"]}
    assert redactor.value(clean) is clean


def test_a_failure_is_masked_in_all_its_words() -> None:
    failure = Failure(
        Kind.AUTH, "code", f"no {KEY}", f"try {KEY}", cause=(KEY,), details={"excerpt": KEY}
    )
    assert "sk-live" not in repr(knowing(KEY).failure(failure))


def test_what_is_too_short_is_not_learnt_and_nothing_known_costs_nothing() -> None:
    redactor = knowing("short")
    value: Any = {"a": "short"}
    assert redactor.value(value) is value
    assert redactor.line("short") == "short"


# -- the log ----------------------------------------------------------------------------------

LONG = "correct-horse-battery-staple-42"


@pytest.mark.requirement("gate-redaction")
@pytest.mark.parametrize(
    "lines",
    [
        [LONG],
        [f"key={LONG[:20]}", LONG[20:]],
        [LONG[:12], f"{LONG[12:]} was it"],
        [LONG[:10], LONG[10:20], LONG[20:]],
        [f"{LONG[:12]}\n    {LONG[12:]}"],
        ["\n".join(LONG)],
        ["it was " + base64.b64encode(LONG.encode()).decode()[:24], "and so on"],
        [LONG[3:]],
    ],
)
def test_a_secret_that_is_spread_over_the_log_is_masked(lines: list[str]) -> None:
    redactor = knowing(LONG)
    said = "".join("".join(redactor.line(line).split()) for line in lines)
    assert MASK in said
    assert not any(LONG[at : at + 16] in said for at in range(len(LONG) - 15))


@given(st.integers(1, len(LONG) - 1))
def test_less_than_half_of_a_secret_is_left_wherever_it_is_split(at: int) -> None:
    redactor = knowing(LONG)
    said = redactor.line(f"> {LONG[:at]}") + redactor.line(LONG[at:])
    left = said.replace(MASK, "").replace("> ", "")
    assert len(left) < len(LONG) / 2


def test_a_line_of_any_length_costs_little_and_holds_no_secret() -> None:
    line = "x" * 2_000_000 + LONG
    assert knowing(LONG).line(line) == "x" * 2_000_000 + MASK


def test_other_lines_are_left_as_they_are() -> None:
    redactor = knowing(LONG)
    for line in ("a correct horse", "no battery\twas left", "  42  "):
        assert redactor.line(line) == line


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def test_records_of_the_engine_are_masked_whoever_handles_them() -> None:
    log, handler = logging.getLogger("handrail.test_redact"), _Kept()
    KNOWN.learn("a-secret-of-this-test-0147")
    log.addHandler(handler)
    try:
        log.warning("it is %s", "a-secret-of-this-test-0147")
        log.warning("split a-secret-of-this-")
        log.warning("test-0147 here")
        try:
            raise ValueError("a-secret-of-this-test-0147")
        except ValueError:
            log.exception("it broke")
    finally:
        log.removeHandler(handler)
    assert handler.lines == [
        f"it is {MASK}",
        f"split {MASK}",
        f"{MASK} here",
        "it broke (its traceback held a secret and was left out)",
    ]


def test_a_record_is_masked_once_however_many_filters_see_it() -> None:
    KNOWN.learn("a-secret-of-this-test-0258")
    record = logging.LogRecord("x", 30, "", 0, "a-secret-of-this-test-0258", None, None)
    assert MASKING.filter(record)
    assert MASKING.filter(record)
    assert record.getMessage() == MASK
