"""Times, spans and counts in the words a terminal shows and reads. Pure: now is an argument.

Inside, every time is microseconds since the epoch and every span is microseconds; outside,
people see "1.24 s" and "3 min ago", programs see RFC 3339.
"""

import re
from datetime import UTC, datetime, tzinfo

SECOND = 1_000_000
_UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": 86_400 * SECOND}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")
_SPAN = re.compile(rf"(?:{_PART.pattern})+\Z")


def duration(micros: int) -> str:
    """A span for people: two units at most.

    >>> [duration(n) for n in (0, 900, 35_400, 1_240_000, 125_000_000, 7_380_000_000)]
    ['0 ms', '0.9 ms', '35 ms', '1.24 s', '2 min 5 s', '2 h 3 min']
    >>> duration(59_999_999), duration(266_400_000_000)
    ('1 min', '3 d 2 h')
    """
    if micros < 1_000:
        return f"{micros / 1_000:.1g} ms" if micros else "0 ms"
    if micros < 999_500:
        return f"{round(micros / 1_000)} ms"
    if micros < 59_950_000:
        return f"{micros / SECOND:.3g} s"
    seconds = round(micros / SECOND)
    for size, unit, below, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if seconds >= size:
            return _two(seconds // size, unit, seconds % size // below, smaller)
    return _two(seconds // 60, "min", seconds % 60, "s")


def _two(count: int, unit: str, rest: int, smaller: str) -> str:
    return f"{count} {unit} {rest} {smaller}" if rest else f"{count} {unit}"


def age(now: int, then: int) -> str:
    """How long ago, or how far ahead.

    >>> age(10_000_000, 9_800_000), age(75_000_000, 0), age(0, 5_000_000), age(0, 100)
    ('just now', '1 min ago', 'in 5 s', 'in a moment')
    """
    distance = abs(now - then)
    if distance < SECOND:
        return "just now" if then <= now else "in a moment"
    words = duration(distance // SECOND * SECOND)
    if distance >= 60 * SECOND:
        words = " ".join(words.split()[:2])
    return f"{words} ago" if then < now else f"in {words}"


def moment(at: int, zone: tzinfo | None = None) -> str:
    """A time for people, in `zone` or else in the machine's own zone.

    >>> moment(1_795_262_651_000_000, UTC)
    '2026-11-21 12:04:11'
    """
    return _time(at).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(at: int) -> str:
    """A time for programs.

    >>> rfc3339(1_795_262_651_000_250)
    '2026-11-21T12:04:11.000250Z'
    """
    return _time(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(at: int) -> datetime:
    whole, rest = divmod(at, SECOND)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=rest)


def parse_span(text: str) -> int:
    """Microseconds written as `90s`, `1h30m` or `250ms`; a bare number is seconds.

    Raises ValueError for anything else.

    >>> parse_span("1h30m"), parse_span("2.5s"), parse_span("20")
    (5400000000, 2500000, 20000000)
    """
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        text += "s"
    if not _SPAN.match(text):
        raise ValueError(f"{text[:40]!r} is not a length of time such as 90s, 5m or 1h30m")
    return sum(round(float(count) * _UNITS[unit]) for count, unit in _PART.findall(text))


def parse_when(text: str, now: int) -> int:
    """A time written as RFC 3339, as a date, or as a span back from now (`2h`, `7d`).

    A time without a zone is taken in the machine's own zone. Raises ValueError.

    >>> rfc3339(parse_when("2026-11-21T12:00:00Z", now=0))
    '2026-11-21T12:00:00.000000Z'
    >>> parse_when("2h", now=7_200_000_000)
    0
    """
    if _SPAN.match(text):
        return now - parse_span(text)
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text[:40]!r} is not a time such as 2026-11-21T12:00:00Z, 2026-11-21, 2h or 7d"
        ) from None
    return int(found.replace(microsecond=0).timestamp()) * SECOND + found.microsecond


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    >>> count(1, "run"), count(3, "run"), count(1200, "entry", "entries")
    ('1 run', '3 runs', '1,200 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
