"""Sessions of the approval page: how they begin and end, and what binds a form to one."""

import pytest

from engine.core.approval.state import Approver
from engine.shell.clock import TestClock
from mcp_server.console.sessions import IDLE, LONGEST, MINUTE, MOST, Sessions

pytestmark = pytest.mark.requirement("page-sessions")
ANN = Approver("ann", "A2", "page")


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def sessions(clock: TestClock) -> Sessions:
    return Sessions(clock)


def test_a_session_is_256_bits_and_never_one_that_was_asked_for(sessions: Sessions) -> None:
    first, second = sessions.begin(ANN), sessions.begin(ANN)
    assert len(bytes.fromhex(first)) == 32
    assert first != second
    assert sessions.find("0" * 64) is None


def test_a_session_lives_on_while_it_is_used_and_ends_when_it_is_not(
    sessions: Sessions, clock: TestClock
) -> None:
    secret = sessions.begin(ANN)
    for _ in range(3):
        clock.time += IDLE - 1
        assert sessions.find(secret) is not None
    clock.time += IDLE
    assert sessions.find(secret) is None
    clock.time -= IDLE
    assert sessions.find(secret) is None


def test_a_session_that_is_used_all_day_ends_all_the_same(
    sessions: Sessions, clock: TestClock
) -> None:
    secret, began = sessions.begin(ANN), clock.time
    while clock.time + 10 * MINUTE < began + LONGEST:
        clock.time += 10 * MINUTE
        assert sessions.find(secret) is not None
    clock.time += 10 * MINUTE
    assert sessions.find(secret) is None


def test_a_clock_that_is_set_back_ends_a_session(sessions: Sessions, clock: TestClock) -> None:
    secret = sessions.begin(ANN)
    clock.time -= 1
    assert sessions.find(secret) is None


def test_signing_out_ends_a_session(sessions: Sessions) -> None:
    secret = sessions.begin(ANN)
    sessions.end(secret)
    sessions.end(secret)
    assert sessions.find(secret) is None


def test_there_is_room_for_few_and_the_oldest_gives_way(
    sessions: Sessions, clock: TestClock
) -> None:
    secrets = []
    for _ in range(MOST + 1):
        clock.time += 1
        secrets.append(sessions.begin(ANN))
    assert [sessions.find(secret) is not None for secret in secrets] == [False] + [True] * MOST


def test_a_token_holds_for_one_session_one_purpose_and_one_plan(sessions: Sessions) -> None:
    one, other = (sessions.find(sessions.begin(ANN)) for _ in range(2))
    assert one is not None
    assert other is not None
    token = one.token("decide", "apr_1", "digest")
    assert one.made(token, "decide", "apr_1", "digest")
    assert not other.made(token, "decide", "apr_1", "digest")
    for what in (("decide", "apr_1", "other"), ("decide", "apr_2", "digest"), ("logout",)):
        assert not one.made(token, *what)
    assert not one.made("é", "logout")
    assert not one.made("", "logout")
