"""The strongest attack: an assistant that tries everything, and a person who sometimes votes."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.attacks.malicious import Malicious, Stage

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def _tried(plays: int, steps: int) -> Counter[str]:
    """Play so often; what was tried in all."""
    Malicious.stage, Malicious.tried = Stage(), Counter()
    try:
        run_state_machine_as_test(
            Malicious,
            settings=settings(
                max_examples=plays,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                suppress_health_check=CALM,
                print_blob=True,
                phases=[Phase.generate],  # a play that was found is told as it was: each takes time
            ),
        )
    finally:
        Malicious.stage.close()
    return Malicious.tried


@pytest.mark.requirement("malicious-model")
@pytest.mark.timeout(300)
def test_five_thousand_tries_change_only_what_a_person_allowed() -> None:
    tried = _tried(95, 60)
    assert tried["steps"] >= 5_000, tried
    assert tried["changes"] >= 50, tried


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_hundred_thousand_tries_change_only_what_a_person_allowed() -> None:
    tried = _tried(1_900, 60)
    assert tried["steps"] >= 100_000, tried
