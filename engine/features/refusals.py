"""How often each caller was refused, and why: counted by the minute, kept in the journal.

A refusal changes nothing, so it is no event of its own; but who tries a closed door a thousand
times should be seen afterwards. One event says how many refusals of one code one caller met in
one minute. What was refused is not kept: arguments may hold anything.
"""

from engine.core.log import EventKind, Feature
from engine.core.value import value


@value
class RefusalsCounted:
    """In the minute that began at `minute` (microseconds), `principal` met `code` so often."""

    minute: int
    principal: str
    code: str
    count: int


FEATURE = Feature(name="refusals", kinds=(EventKind("refusals.counted", RefusalsCounted),))
