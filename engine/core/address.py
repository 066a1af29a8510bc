"""Which IP addresses a request may reach: a pure rule over numbers.

The world's ranges that lead back into somebody's own network are refused, whatever form they
come in: an address that carries another one inside (IPv4-mapped, IPv4-compatible, 6to4,
Teredo, NAT64) is judged by both. Nothing here resolves a name or knows of a socket. The rule
is TRUST 4.4; `ipaddress.is_global` alone calls several of these global.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_DENIED = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "168.63.129.16/32",  # a cloud's own host agent, on a public number
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",  # Teredo and other protocol assignments
        "3fff::/20",
        "5f00::/16",
        "64:ff9b:1::/48",  # NAT64 for private use
        "fec0::/10",  # site-local, long deprecated, still routed by some
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_OWN = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
_CREDENTIALS = tuple(ip_network(text) for text in ("100.100.100.200/32", "fd00:ec2::254/128"))
"""Where clouds serve credentials inside ranges that are otherwise ordinary private ones."""


def is_public(address: Address) -> bool:
    """Whether any request may go to `address`.

    >>> from ipaddress import ip_address as ip
    >>> [is_public(ip(text)) for text in ("8.8.8.8", "127.0.0.1", "64:ff9b::7f00:1")]
    [True, False, False]
    """
    return all(_is_plain(form) for form in _forms(address))


def is_own(address: Address) -> bool:
    """Whether `address` is an ordinary private one, which a setting may open.

    Link-local addresses (where clouds serve their credentials), multicast and the rest of
    the refused ranges stay shut even then.

    >>> from ipaddress import ip_address as ip
    >>> [is_own(ip(text)) for text in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "8.8.8.8")]
    [True, True, False, False]
    """
    return all(_among(form, _OWN) and not _among(form, _CREDENTIALS) for form in _forms(address))


def literal(host: str) -> Address | None:
    """The address that `host` is written as, or None when it is a name.

    Only the ordinary spellings count. The others that a resolver would take for an address
    (`127.1`, `0x7f.1`) are names here, and their answers are judged like any name's.
    """
    try:
        return ip_address(host)
    except ValueError:
        return None


def _forms(address: Address) -> Iterator[Address]:
    """The address and every address hidden in it; a mapped one is reached as what it hides."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_plain(address: Address) -> bool:
    if getattr(address, "scope_id", None) is not None:
        return False
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if address.is_loopback or not address.is_global:
        return False
    return not _among(address, _DENIED)


def _among(address: Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
