"""Addresses that may not be what they look like: hosts and e-mail addresses in other scripts.

A Cyrillic letter in the name of a host is drawn like a Latin one. Nothing is changed or refused
here; a person is told which letters stand there and how the network spells the host.
What is no host and no address is let alone: a message may be in any script.
"""

import re
import unicodedata
from urllib.parse import urlsplit

from engine.core.visible import visible

MOST = 8
"""Warnings about one text; the rest are counted."""

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s\"'<>\\]+")
_ADDRESS = re.compile(r"[^\s\"'<>,;:()\\@]{1,256}@[^\s\"'<>,;:()/\\@]{1,256}")
_ONE_SCRIPT = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


def host_of(url: str) -> str:
    """The host that a URL leads to, or ""; what stands before an @ is not it.

    >>> host_of("https://shop.example@evil.example:8443/x"), host_of("no url")
    ('evil.example', '')
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def warnings(text: str) -> tuple[str, ...]:
    """What a reader of `text` should know about the hosts and addresses in it.

    >>> warnings("https://shop.example/orders")
    ()
    >>> warnings("https://shop.example@evil.example/")
    ('the address leads to evil.example, not to what stands before the @',)
    """
    if text.isascii() and "xn--" not in text and "@" not in text:
        return ()
    found: dict[str, None] = {}
    for url in _URL.findall(text):
        host = host_of(url)
        found |= dict.fromkeys(about_name(host, "host"))
        if "@" in url.split("://", 1)[1].split("/", 1)[0]:
            told = f"the address leads to {visible(host)}, not to what stands before the @"
            found[told] = None
    for address in _ADDRESS.findall(text):
        if "://" not in address:
            found |= dict.fromkeys(about_name(address, "e-mail address"))
    every = list(found)
    return (*every[:MOST], *([f"and {len(every) - MOST} more such names"] if every[MOST:] else []))


def about_name(name: str, what: str) -> tuple[str, ...]:
    """A warning when a host or an e-mail address is not written in plain ASCII letters."""
    if name.isascii():
        return _spelt(name, what)
    scripts = sorted(_scripts(name))
    odd = ", ".join(dict.fromkeys(f"{c} U+{ord(c):04X}" for c in name if not c.isascii()))
    how = f"mixes {' and '.join(scripts)} letters" if len(scripts) > 1 else "is not plain ASCII"
    return (f"the {what} {visible(name)} {how}: {visible(odd[:120])}{_network(name)}",)


def _spelt(name: str, what: str) -> tuple[str, ...]:
    if "xn--" not in name.lower():
        return ()
    try:
        drawn = name.lower().encode().decode("idna")
    except UnicodeError:
        return (f"the {what} {visible(name)} is an encoded name that cannot be read",)
    return (f"the {what} {visible(name)} may be drawn as {visible(drawn)}",)


def _network(name: str) -> str:
    try:
        spelt = name.rpartition("@")[2].encode("idna").decode()
    except UnicodeError:
        return "; the network cannot spell it"
    return f"; the network spells it {visible(spelt)}"


def _scripts(name: str) -> set[str]:
    """The scripts of the letters: Unicode names begin with them."""
    words = {unicodedata.name(char, "UNNAMED").split()[0] for char in name if char.isalpha()}
    east_asian = {"EAST ASIAN"} if words & _ONE_SCRIPT else set()
    return (words - _ONE_SCRIPT) | east_asian
