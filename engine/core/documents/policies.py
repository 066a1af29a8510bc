"""Retry, circuit breaker and loop settings: every spelling a document may use, one value out.

The short retry form is the platform's (`maxAttempts`, `backoffMs`), the full one is that of
SEMANTICS section 4. `maxAttempts` counts every attempt, the first one included.
"""

from collections.abc import Mapping
from typing import Any

from engine.core.breaker import BreakerPolicy
from engine.core.documents.section import Section
from engine.core.errors import Kind
from engine.core.retry import NEVER, RetryPolicy
from engine.core.words import listed, shorten

POLICIES = ("exponential", "fixed", "none")
RETRY_FIELDS = (
    "policy",
    "maxAttempts",
    "initialDelay",
    "maxDelay",
    "multiplier",
    "jitter",
    "on",
    "deadline",
    "backoffMs",
)
BREAKER_FIELDS = ("failureThreshold", "samplingDuration", "breakDuration", "halfOpenRequests")

_MILLI = 1_000
_STANDARD = RetryPolicy()
_KINDS = tuple(kind.value for kind in Kind if kind not in (Kind.CANCELLED, Kind.INTERNAL))


def read_retry(section: Section) -> RetryPolicy | None:
    """The policy under `retry` or its other name `retryPolicy`; None when there is neither."""
    key = "retry" if "retry" in section else "retryPolicy"
    if "retry" in section and "retryPolicy" in section:
        section.error(
            "retryPolicy", "conflict", "retry and retryPolicy say the same thing", "keep retry"
        )
    value = section.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        return _named(section.choice(key, POLICIES, "exponential"))
    policy = section.section(key, RETRY_FIELDS)
    return _full(policy) if policy.value else _STANDARD


def _named(policy: str) -> RetryPolicy:
    if policy == "none":
        return NEVER
    return _STANDARD if policy == "exponential" else RetryPolicy(factor=1.0)


def _full(section: Section) -> RetryPolicy:
    base = _named(section.choice("policy", POLICIES, "exponential"))
    if base is NEVER:
        return NEVER
    initial = _initial(section, base.initial)
    maximum = section.duration("maxDelay") or max(base.maximum, initial)
    if maximum < initial:
        section.error("maxDelay", "bad_value", "maxDelay is shorter than the first delay")
    return RetryPolicy(
        attempts=section.integer("maxAttempts", base.attempts, 1, 1_000),
        initial=initial,
        maximum=maximum,
        factor=section.number("multiplier", base.factor, 1, 100),
        jitter=section.number("jitter", base.jitter, 0, 1),
        kinds=_kinds(section, base.kinds),
        within=section.duration("deadline"),
    )


def _initial(section: Section, default: int) -> int:
    if "initialDelay" in section and "backoffMs" in section:
        section.error("backoffMs", "conflict", "initialDelay and backoffMs say the same thing")
    if "backoffMs" in section:
        return section.integer("backoffMs", default // _MILLI, 0, 86_400_000) * _MILLI
    return section.duration("initialDelay") or default


def _kinds(section: Section, default: frozenset[Kind]) -> frozenset[Kind]:
    words = section.strings("on")
    if "on" not in section:
        return default
    for word in words:
        if word not in _KINDS:
            hint = section.report.nearest(word, _KINDS) or f"one of: {listed(_KINDS)}"
            section.error("on", "bad_value", f"{shorten(word)!r} is not a kind of failure", hint)
    return frozenset(Kind(word) for word in words if word in _KINDS)


def read_breaker(section: Section) -> BreakerPolicy | None:
    """The policy under `circuitBreaker`; None when there is none."""
    if section.get("circuitBreaker") is None:
        return None
    inner = section.section("circuitBreaker", BREAKER_FIELDS)
    base = BreakerPolicy()
    return BreakerPolicy(
        failures=inner.integer("failureThreshold", base.failures, 1, 10_000),
        sampling=inner.duration("samplingDuration") or base.sampling,
        pause=inner.duration("breakDuration") or base.pause,
        trials=inner.integer("halfOpenRequests", base.trials, 1, 1_000),
    )


LOOP_FIELDS = (
    "items",
    "in",
    "itemVar",
    "as",
    "indexVar",
    "parallel",
    "maxConcurrency",
    "maxParallel",
)
_MOST_AT_ONCE = 1_000


def read_limit(section: Section) -> int | None:
    """How many items at a time: 1 by default, None is unbounded.

    `parallel: true` alone is unbounded, a number alone (`maxConcurrency`, `maxParallel`) counts
    as parallel, and `parallel: false` wins over a number.
    """
    key = "maxConcurrency" if "maxConcurrency" in section else "maxParallel"
    number = section.integer(key, 0, 1, _MOST_AT_ONCE) or None
    if "parallel" not in section:
        return number or 1
    if section.flag("parallel"):
        return number
    if number not in (None, 1):
        section.warn(key, "no_effect", f"{key} has no effect because parallel is false")
    return 1


def either(section: Section, first: str, second: str, default: Any = None) -> tuple[str, Any]:
    """The value of a field with two spellings, and the spelling used."""
    values: Mapping[str, Any] = section.value
    if first in values and second in values:
        section.error(
            second, "conflict", f"{first} and {second} are two names of one field", f"keep {first}"
        )
    if first in values:
        return first, values[first]
    return second, values.get(second, default)
