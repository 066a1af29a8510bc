"""The best match: every reason not to run at once holds by itself."""

from dataclasses import replace
from typing import Any

import pytest

from engine.core.discovery.extract import Extraction, Missing, Taken
from engine.core.discovery.guess import Guess
from engine.core.discovery.match import Best, Wish, best_match
from engine.core.discovery.rank import SURE
from engine.core.found import Found, Hit
from engine.core.model import Effect
from engine.core.views import InputField, WorkflowInfo

USER = InputField("userId", "string", True, "Number of the user.")
PROFILE = WorkflowInfo(
    "demo", "user-profile", "1.0.0", "The profile of a user.", Effect.READ, False, False, (), (),
    (USER,), 1,
)  # fmt: skip
KNOWN = Extraction((Taken("userId", "3", "context.userId"),))
YES = Wish(asked=True, allowed=True)


def best(
    extraction: Extraction = KNOWN,
    wish: Wish = YES,
    confidence: float = 0.95,
    close: tuple[str, ...] = (),
    guesses: tuple[Guess, ...] = (),
    **info: Any,
) -> Best:
    hit = Hit(replace(PROFILE, **info), 0.9, "words")
    return best_match(Found((hit,), confidence, close, True), extraction, guesses, wish)


@pytest.mark.requirement("auto-execute")
def test_a_sure_match_with_everything_known_can_be_run_at_once() -> None:
    for confidence in (SURE, 0.95):
        found = best(confidence=confidence)
        assert found.can_auto_execute
        assert not found.prompt
    assert best().why == "confidence 0.95, nothing is missing"


@pytest.mark.requirement("auto-execute")
@pytest.mark.parametrize(
    ("against", "why", "question"),
    [
        ({"wish": Wish(False, True)}, "autoExecute was not asked for", "Shall I run"),
        ({"wish": Wish(True, False)}, "HANDRAIL_AUTO_EXECUTE is off", "Shall I run"),
        ({"confidence": 0.79}, "confidence 0.79 is below 0.8", "Shall I run"),
        ({"close": ("demo/person-profile",)}, "as near: demo/person-profile", "do you mean"),
        ({"pending": True}, "a person must accept", "Shall I run"),
        ({"deprecated": True}, "deprecated", "Shall I run"),
        ({"extraction": Extraction((), (Missing(USER),))}, "userId is missing", "I still need"),
        (
            {"extraction": Extraction((), (Missing(USER, "the context says two things"),))},
            "userId: the context says two things",
            "I still need",
        ),
    ],
)
def test_each_reason_alone_keeps_it_from_being_run(
    against: dict[str, Any], why: str, question: str
) -> None:
    found = best(**against)
    assert not found.can_auto_execute
    assert why in found.why
    assert question in found.prompt


def test_near_twins_are_put_to_the_user_by_name() -> None:
    found = best(close=("demo/user-profile", "default/person-profile", "hr/profile"))
    asked = "Which of these do you mean: demo/user-profile, person-profile or hr/profile?"
    assert found.prompt == asked


def test_a_guess_stands_in_the_question_and_not_among_the_inputs() -> None:
    guess = Guess("userId", "3", 'query: "3" after "user"')
    found = best(Extraction((), (Missing(USER),)), guesses=(guess,))
    assert not found.taken
    assert found.prompt == (
        'To run demo/user-profile I still need userId (string): Number of the user (is it "3"?).'
    )


@pytest.mark.requirement("auto-execute")
def test_what_changes_something_says_that_a_person_is_asked() -> None:
    found = best(effect=Effect.MUTATION)
    assert found.can_auto_execute
    assert "a person is asked when it runs" in found.why
