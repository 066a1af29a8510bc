"""The arithmetic of limits: what a caller may do, whatever it tries, and what is kept of it."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_server import http
from mcp_server.callers import MOST_HOPS, UNKNOWN, Callers
from mcp_server.limits import SECOND, AtOnce, Rate
from mcp_server.settings import ServerSettings
from tests.server.marks import limits

pytestmark = limits

GAPS = st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=200)


@given(st.integers(1, 50), st.integers(1, 50), GAPS)
def test_in_no_stretch_of_time_does_a_caller_get_more(
    rate: int, burst: int, gaps: list[int]
) -> None:
    limit, now, had = Rate(rate, burst), 0, []
    for gap in gaps:
        now += gap
        if not limit.wait("ann", now):
            had.append(now)
    for first, start in enumerate(had):
        for last in range(first, len(had)):
            stretch = had[last] - start
            # A step is a whole number of microseconds, so a rate may be exceeded by a hair.
            assert last - first + 1 <= burst + stretch // (SECOND // rate) + 1


@given(st.integers(1, 50), st.integers(1, 50), GAPS)
def test_who_comes_again_when_told_is_let_in(rate: int, burst: int, gaps: list[int]) -> None:
    limit, now = Rate(rate, burst), 0
    for gap in gaps:
        now += gap
        wait = limit.wait("ann", now)
        if wait:
            assert limit.wait("ann", now + wait - 1) > 0
            assert limit.wait("ann", now + wait) == 0
            now += wait


@given(st.integers(1, 50), st.integers(1, 50), GAPS, st.integers(0, 3600 * SECOND))
def test_a_clock_that_goes_back_locks_nobody_out(
    rate: int, burst: int, gaps: list[int], back: int
) -> None:
    limit, now = Rate(rate, burst), 4000 * SECOND
    for gap in gaps:
        now += gap
        limit.wait("ann", now)
    assert limit.wait("ann", now - back) <= SECOND // rate


def test_a_thousand_calls_one_after_another_are_what_anybody_may_make() -> None:
    usual = ServerSettings()
    calls = Rate(usual.call_rate, http.BURST * usual.call_rate)
    starts = Rate(usual.run_rate, http.BURST_OF_STARTS * usual.run_rate)
    address = Rate(
        http.BY_ADDRESS * usual.call_rate, http.BURST * http.BY_ADDRESS * usual.call_rate
    )
    for limit in (calls, starts, address):
        assert not any(limit.wait("ann", 0) for _ in range(1_000))


def test_a_thousand_calls_a_second_are_held_to_what_was_agreed() -> None:
    usual = ServerSettings()
    calls = Rate(usual.call_rate, http.BURST * usual.call_rate)
    seconds = 60
    had = sum(not calls.wait("ann", at * 1_000) for at in range(1_000 * seconds))
    assert had <= http.BURST * usual.call_rate + seconds * usual.call_rate
    assert calls.wait("bob", seconds * SECOND) == 0


def test_a_rate_of_nothing_is_no_limit() -> None:
    limit = Rate(0, 0)
    assert not any(limit.wait("ann", 0) for _ in range(10_000))
    assert len(limit) == 0


def test_callers_who_owe_nothing_are_forgotten() -> None:
    limit = Rate(1, 1, most=10)
    for number in range(1_000):
        assert limit.wait(f"caller {number}", number * SECOND) == 0
    assert len(limit) <= 2


def test_however_many_come_at_once_the_memory_is_bounded_and_no_debt_is_forgiven() -> None:
    limit = Rate(1, 1, most=10)
    assert limit.wait("ann", 0) == 0
    for number in range(100_000):
        limit.wait(f"caller {number}", 1)
    assert len(limit) <= 11
    assert limit.wait("ann", 1) > 0
    assert limit.wait("somebody new", 1) > 0  # they share one account until there is room
    assert limit.wait("somebody new", 2 * SECOND) == 0


def test_calls_under_way_are_counted_and_forgotten() -> None:
    count = AtOnce(2)
    assert [count.enter("ann") for _ in range(3)] == [True, True, False]
    assert count.enter("bob")
    count.leave("ann")
    assert count.enter("ann")
    for who in ("ann", "ann", "bob"):
        count.leave(who)
    assert len(count) == 0


# -- who an address is --------------------------------------------------------------------------

PROXY = Callers(["10.0.0.0/8", "fd00::/8"])


def test_a_proxy_that_is_not_trusted_says_nothing() -> None:
    for forwarded in ("127.0.0.1", "10.0.0.1, 10.0.0.1", "::1", "x", "", "," * 10_000):
        assert Callers().address("203.0.113.9", forwarded) == "203.0.113.9"
        assert PROXY.address("203.0.113.9", forwarded) == "203.0.113.9"


def test_what_a_caller_writes_itself_is_not_believed() -> None:
    assert PROXY.address("10.0.0.1", "127.0.0.1, 203.0.113.9") == "203.0.113.9"
    assert PROXY.address("fd00::1", "6.6.6.6, 203.0.113.9, 10.9.9.9") == "203.0.113.9"
    assert PROXY.address("10.0.0.1", "203.0.113.9, evil") == UNKNOWN
    assert PROXY.address("10.0.0.1", "") == "10.0.0.1"
    assert PROXY.address("10.0.0.1", ", ".join(["10.0.0.2"] * 10 * MOST_HOPS)) == "10.0.0.2"


def test_an_ipv6_caller_is_its_network() -> None:
    first = Callers().address("2001:db8::1", "")
    assert first == Callers().address("2001:db8::ffff:1", "") == "2001:db8::/64"
    assert first != Callers().address("2001:db8:0:1::1", "")
    assert Callers().address("::ffff:203.0.113.9", "") == "203.0.113.9"


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_text_is_some_caller(peer: str, forwarded: str) -> None:
    assert PROXY.address(peer, forwarded)
    assert PROXY.address("10.0.0.1", forwarded)
