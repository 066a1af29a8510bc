"""From where a request comes: the address of the connection, or what a trusted proxy says.

`X-Forwarded-For` is believed only as far as it was written by proxies that the settings name: it
is read from its end, past every trusted address, and the first other one is the caller. An IPv6
caller is known by its network of 64 bits, because it may choose the rest at will.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MOST_HOPS = 20
UNKNOWN = "unknown"


class Callers:
    """Names the caller of a request, for limits; it is no proof of who it is."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted = tuple(ip_network(text) for text in trusted)

    def address(self, peer: str, forwarded: str) -> str:
        """The caller's address; `peer` is the connection's, `forwarded` the header or empty.

        >>> Callers(["10.0.0.0/8"]).address("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2")
        '203.0.113.9'
        >>> Callers().address("203.0.113.9", "127.0.0.1")
        '203.0.113.9'
        """
        found = _parsed(peer)
        for hop in reversed(forwarded.split(",")[-MOST_HOPS:] if forwarded else []):
            if found is None or not self._trusts(found):
                break
            found = _parsed(hop.strip())
        return UNKNOWN if found is None else _known_by(found)

    def _trusts(self, address: Address) -> bool:
        return any(address.version == net.version and address in net for net in self._trusted)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _known_by(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address) >> 64 << 64, 64)))
