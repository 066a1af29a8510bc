"""Addresses: every form of a private one is private, and an exception opens only plain ones."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.address import is_own, is_public, literal

private = st.one_of(
    *(
        st.integers(first, last).map(lambda number: IPv4Address(number))
        for first, last in (
            (0x00000000, 0x00FFFFFF),
            (0x0A000000, 0x0AFFFFFF),
            (0x64400000, 0x647FFFFF),
            (0x7F000000, 0x7FFFFFFF),
            (0xA9FE0000, 0xA9FEFFFF),
            (0xAC100000, 0xAC1FFFFF),
            (0xC0A80000, 0xC0A8FFFF),
            (0xE0000000, 0xFFFFFFFF),
        )
    )
)


def hidden(address: IPv4Address) -> list[IPv6Address]:
    """The forms in which an IPv6 address carries an IPv4 one."""
    number = int(address)
    return [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | (number ^ 0xFFFFFFFF)),
        IPv6Address(0x20010000 << 96 | number << 64 | (0x08080808 ^ 0xFFFFFFFF)),
    ]


@given(address=private)
def test_a_private_address_is_private_in_every_form(address: IPv4Address) -> None:
    assert not is_public(address)
    assert not any(is_public(form) for form in hidden(address))
    assert int(address) < 2 or not is_public(IPv6Address(int(address)))


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert not is_own(ip_address(text))


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "fd12::1", "100.64.0.1"]
)
def test_ordinary_private_addresses_can_be_opened(text: str) -> None:
    assert is_own(ip_address(text))


def test_a_mapped_address_is_what_it_hides() -> None:
    assert is_own(ip_address("::ffff:127.0.0.1"))
    assert not is_own(ip_address("::ffff:169.254.169.254"))


@given(number=st.integers(0, 2**32 - 1))
def test_no_address_is_both_public_and_own(number: int) -> None:
    address = IPv4Address(number)
    assert not (is_public(address) and is_own(address))


@pytest.mark.parametrize("text", ["127.1", "0x7f.1", "2130706433", "0", "localhost", "[::1]", ""])
def test_other_spellings_are_names(text: str) -> None:
    assert literal(text) is None
