"""What became of suggested labels: the rows tell what their events tell, also drawn again.

One request may say the same of one label twice, as two processes do that suggest at once.
"""

import random
from collections.abc import AsyncGenerator

import pytest

from engine.core.labels.events import LabelAdded
from engine.core.labels.suggested import SuggestionMade, SuggestionRejected
from engine.core.log import NEW, Append, Entry
from engine.features import labels, suggestions
from engine.features.suggestions import ACCEPTED, OPEN, REJECTED
from engine.store import Store
from tests.store.journals import AT, Driver

Event = SuggestionMade | SuggestionRejected | LabelAdded
LABELS = ("mail", "Mail", "billing", "naïve")


@pytest.fixture
async def store(driver: Driver) -> AsyncGenerator[Store]:
    async with driver.open(features=(labels.FEATURE, suggestions.FEATURE)) as store:
        yield store


def happens(dice: random.Random) -> Event:
    place = "workflow", "default", dice.choice(["w", "v"]), "tag", dice.choice(LABELS)
    what = dice.randrange(4)
    if what < 2:
        source = dice.choice(["neighbours", "model"])
        return SuggestionMade(*place, source, dice.randrange(1_000))
    return LabelAdded("change", *place) if what == 2 else SuggestionRejected(*place)


def told(history: list[Event]) -> dict[tuple[str, str], tuple[str, int]]:
    """By thing and folded label, the label as it was suggested last, and its state."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for event in history:
        key = event.name, event.label.casefold()
        if isinstance(event, SuggestionMade):
            found[key] = event.label, OPEN
        elif found.get(key, ("", -1))[1] == OPEN:
            state = ACCEPTED if isinstance(event, LabelAdded) else REJECTED
            found[key] = found[key][0], state
    return found


@pytest.mark.requirement("projections-rebuilt")
async def test_rows_of_suggestions_tell_what_their_histories_tell(
    driver: Driver, store: Store
) -> None:
    dice = random.Random(5)
    history = [happens(dice) for _ in range(200)]
    for at in range(0, 200, 20):
        events = tuple(history[at : at + 20])
        await store.append(Append((Entry(NEW, 0, events),), AT + at, "ann"))
    rows = {
        (name, row["word"]): (row["label"], row["state"])
        for name in ("w", "v")
        for row in await store.fetch(
            "suggestions_of", tenant="default", thing="workflow", namespace="default", name=name
        )
    }
    assert rows == told(history)
    live = driver.rows("suggestions")
    assert await store.rebuild() == 200
    assert driver.rows("suggestions") == live
