"""Times and spans as a terminal reads and writes them."""

import doctest
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server import words
from mcp_server.cli import inputs, run, shape
from mcp_server.cli.paint import marks, nesting, runs
from mcp_server.words import age, duration, parse_span, parse_when, rfc3339

DAY = 86_400_000_000


@pytest.mark.parametrize("module", [inputs, marks, nesting, run, runs, shape, words])
def test_the_examples_in_docstrings_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@given(st.integers(0, 4 * 10**15))
def test_a_time_survives_its_way_to_text_and_back(at: int) -> None:
    assert parse_when(rfc3339(at), now=0) == at


@given(st.integers(0, 10**16))
def test_a_span_is_at_most_two_numbers_with_their_units(span: int) -> None:
    assert len(duration(span).split()) in (2, 4)


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "-3s", "1e3", "5mm", "١s"])  # noqa: RUF001
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s"):
        parse_span(text)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "99999-01-01", "12:00"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 2026-11-21"):
        parse_when(text, now=0)


def test_a_bare_number_of_seconds_is_a_span() -> None:
    assert parse_span("1.5") == 1_500_000


def test_a_time_without_a_zone_is_the_machines_own() -> None:
    here = datetime(2026, 11, 21, 12).astimezone().astimezone(UTC)
    wanted = (here - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_when("2026-11-21T12:00:00", now=0) == wanted


def test_a_distance_is_told_in_both_directions() -> None:
    assert age(DAY, 0) == "1 d ago"
    assert age(0, DAY) == "in 1 d"
