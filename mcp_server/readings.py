"""How the text of one setting is read: into the value it means, or a ValueError that says why not.

Each reader knows one kind of value and nothing of where the text came from. An address, a name
or an origin is exact: there are no wildcards, because what listens to them decides who may call.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOOLSETS = ("default", "operate")
MOST_RUNS = 1_000_000
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_SPAN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m)?")
_NAME = r"\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+"
_PAIR = re.compile(rf"({_NAME}):([0-9]{{1,5}})")
_HOST_NAME = re.compile(rf"(?:{_NAME})(?::[0-9]{{1,5}})?")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address that a server listens on.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "x.example")]
    [True, True, True, False, False]
    """
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def words(text: str) -> tuple[str, ...]:
    """Words with blanks or commas between."""
    return tuple(text.replace(",", " ").split())


def folders(text: str) -> tuple[Path, ...]:
    """Paths, separated as in PATH."""
    return tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part.strip())


def file(text: str) -> Path:
    """One file, wherever this process is later."""
    return Path(text).expanduser().absolute()


def toolsets(text: str) -> frozenset[str]:
    """Names of sets of tools."""
    names = words(text)
    for name in names:
        if name not in TOOLSETS:
            near = difflib.get_close_matches(name, TOOLSETS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(TOOLSETS)}."
            raise ValueError(f"there is no toolset {name[:40]!r}. {hint}")
    return frozenset(names)


def pairs(text: str) -> frozenset[tuple[str, int]]:
    """Pairs of host and port."""
    found = []
    for word in words(text):
        pair = _PAIR.fullmatch(word)
        if pair is None or int(pair[2]) > 65535:
            raise ValueError(f"{word[:60]!r} is not host:port")
        found.append((pair[1].strip("[]").lower(), int(pair[2])))
    return frozenset(found)


def flag(text: str) -> bool:
    """Yes or no."""
    word = text.strip().lower()
    if word not in (*_YES, *_NO):
        raise ValueError("it is neither yes nor no")
    return word in _YES


def address(text: str) -> str:
    """An address to listen on: a number, since what a name stands for may change."""
    from ipaddress import ip_address

    if text == "localhost":
        return text
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError("it is neither an IP address nor localhost") from None


def host_names(text: str) -> tuple[str, ...]:
    """What callers may put into the header Host, exactly so."""
    for word in words(text):
        if not _HOST_NAME.fullmatch(word):
            raise ValueError(f"{word[:60]!r} is no host name, with or without a port")
    return tuple(word.lower() for word in words(text))


def origins(text: str) -> tuple[str, ...]:
    """Web origins as a browser writes them: scheme, host and port, and nothing else."""
    for word in words(text):
        parts = urlsplit(word)
        if parts.scheme not in ("http", "https") or word != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"{word[:60]!r} is no origin such as https://app.example.com")
        if not _HOST_NAME.fullmatch(parts.netloc) or word != word.lower():
            raise ValueError(f"{word[:60]!r} is no exact origin")
    return words(text)


def url(text: str) -> str:
    """An https URL without user, query or fragment; http is enough on this machine."""
    word = text.strip()
    parts = urlsplit(word)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise ValueError("it is no https URL")
    if parts.username is not None or parts.query or parts.fragment or not _printable(word):
        raise ValueError("it has more than a scheme, a host and a path")
    return word


def networks(text: str) -> tuple[str, ...]:
    """IP addresses, or ranges of them."""
    from ipaddress import ip_network

    try:
        return tuple(str(ip_network(word)) for word in words(text))
    except ValueError:
        raise ValueError("it is no list of addresses such as 10.0.0.5 or 10.0.0.0/24") from None


def tenant(text: str) -> str:
    """The name of a tenant."""
    if not _TENANT.fullmatch(text):
        raise ValueError("it is no name of letters, digits, dots and hyphens")
    return text


def number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        digits = text.strip()
        if not (digits.isascii() and digits.isdecimal()) or not low <= int(digits[:9]) <= high:
            raise ValueError(f"it is no whole number from {low} to {high:,}")
        return int(digits)

    return read


def seconds(text: str) -> float:
    """A length of time, in seconds."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError("it is no length of time")
    return float(found[1]) * {"ms": 0.001, "m": 60.0}.get(found[2], 1.0)


def model(text: str) -> str:
    """The name of a language model, or `off`."""
    if not _MODEL.fullmatch(text.strip()):
        raise ValueError("it is no name of a model")
    return text.strip()


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


READERS: Mapping[str, Callable[[str], Any]] = {
    "database": str,
    "policy": file,
    "categories": file,
    "tenant": tenant,
    "folders": folders,
    "toolsets": toolsets,
    "allowed_hosts": pairs,
    "demo": flag,
    "host": address,
    "port": number(0, 65_535),
    "host_names": host_names,
    "origins": origins,
    "public_url": url,
    "tls_proxy": flag,
    "trusted_proxies": networks,
    "token_file": file,
    "issuer": url,
    "jwks_url": url,
    "call_rate": number(0, 1_000_000),
    "run_rate": number(0, 1_000_000),
    "most_calls": number(1, 100_000),
    "most_sessions": number(1, 100_000),
    "read_timeout": seconds,
    "json_response": flag,
    "concurrency": number(1, 10_000),
    "max_runs": number(0, MOST_RUNS),
    "drain": seconds,
    "release": str,
    "checkpoints": file,
    "checkpoint_key": file,
    "model_key": str.strip,
    "model_url": url,
    "model_labels": model,
    "model_extract": model,
    "encoder": str.strip,
    "ranker": file,
    "auto_execute": flag,
}

HINTS: Mapping[str, str] = {
    "HANDRAIL_HOST": "Use 127.0.0.1, ::1, 0.0.0.0 or another address of this machine.",
    "HANDRAIL_DEMO": "Use 1 or 0.",
    "HANDRAIL_TLS_PROXY": "Use 1 or 0.",
    "HANDRAIL_JSON_RESPONSE": "Use 1 or 0.",
    "HANDRAIL_PORT": "Use a number from 0 to 65535.",
    "HANDRAIL_ALLOWED_HOSTS": "Write host:port, several with a comma between.",
    "HANDRAIL_ORIGINS": "Write each as a browser does: scheme, host and port, no path, no *.",
    "HANDRAIL_CALLS_PER_SECOND": "0 is no limit.",
    "HANDRAIL_RUNS_PER_SECOND": "0 is no limit.",
    "HANDRAIL_MAX_RUNS": "0 is no limit; give every process the same number.",
    "HANDRAIL_MODEL_LABELS": "Write a model's name, or off.",
    "HANDRAIL_MODEL_EXTRACT": "Write a model's name, or off.",
    "HANDRAIL_AUTO_EXECUTE": "Use on or off.",
    "HANDRAIL_DRAIN": "Write a length of time such as 10s or 1m.",
    "HANDRAIL_READ_TIMEOUT": "Write a length of time such as 10s or 1m.",
}
"""What to write instead, by variable."""
