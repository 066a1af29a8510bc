"""How often this process looks for rings of dead objects.

Nearly everything here is freed when nobody has it any more; rings are rare (an error and the
frames that it went through). Python looks for them after every 700 new objects, and a worker
that is busy spends an eighth of its time on that. Who embeds the engine decides for himself;
the processes that are ours say it once.
"""

import gc

YOUNG = 20_000
"""New objects after which the young ones are looked at: a few megabytes at most."""


def collect_rarely() -> None:
    """Look for rings thirty times as seldom as Python would."""
    _, *older = gc.get_threshold()
    gc.set_threshold(YOUNG, *older)
