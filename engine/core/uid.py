"""Public ids: UUIDv7 (RFC 9562), ordered by time, from a time and ten random bytes."""

import re

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new(now: int, chance: bytes) -> str:
    """A UUIDv7 for `now` (microseconds) with ten bytes of chance.

    >>> new(1_700_000_000_000_000, bytes(10))
    '018bcfe5-6800-7000-8000-000000000000'
    """
    tail = int.from_bytes(chance[:10]) & ((1 << 74) - 1)
    moment = now // 1000 & ((1 << 48) - 1)
    value = moment << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    text = value.to_bytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def valid(text: str) -> bool:
    """Whether `text` is such an id, in its canonical spelling."""
    return _UID.fullmatch(text) is not None
