"""The strongest attack: an assistant that tries everything, and a person who sometimes votes."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.attacks.malicious import Malicious, Stage

USUAL = 54
"""Steps of a play; one may be cut short."""
CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _tried(least: int) -> Counter[str]:
    """Play until so many steps were tried; what was tried in all."""
    Malicious.stage, Malicious.tried = Stage(), Counter()
    try:
        while (left := least - Malicious.tried["steps"]) > 0:
            _play(left // USUAL + 1)
    finally:
        Malicious.stage.close()
    return Malicious.tried


def _play(times: int) -> None:
    run_state_machine_as_test(
        Malicious,
        settings=settings(
            max_examples=times,
            stateful_step_count=60,
            database=None,
            suppress_health_check=CALM,
            print_blob=True,
            phases=[Phase.generate],  # a play that was found is told as it was: each takes time
        ),
    )


@pytest.mark.requirement("malicious-model")
@pytest.mark.timeout(300)
def test_five_thousand_tries_change_only_what_a_person_allowed() -> None:
    tried = _tried(5_000)
    assert tried["steps"] >= 5_000, tried
    assert tried["changes"] >= 50, tried


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_hundred_thousand_tries_change_only_what_a_person_allowed() -> None:
    tried = _tried(100_000)
    assert tried["steps"] >= 100_000, tried
