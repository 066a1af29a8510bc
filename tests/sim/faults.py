"""What may go wrong between a process and its database, drawn from the seed and counted.

Every kind is one that a real driver can show: an answer that never comes although the commit did
(a connection cut after COMMIT was sent), a request that never arrived, one that is carried out
after its caller has given up (it waited for the lock in the server), a database that is locked
or slow, a notification that is only made good by the sweep, one that comes twice.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["ok", "refused", "lost_request", "lost_reply", "late"]

FATES: tuple[Fate, ...] = ("refused", "lost_request", "lost_reply", "lost_reply", "late")

SWEEP = 20.0
"""Seconds after which a lost notification is made good at the latest."""


@dataclass(slots=True)
class Faults:
    """Dice and rates. `trouble` is the share of requests that meet some; `slow` stretches time."""

    chance: random.Random
    trouble: float = 0.0
    deaf: float = 0.0
    twice: float = 0.0
    slow: float = 1.0
    blind: bool = False
    met: Counter[str] = field(default_factory=Counter)

    def quiet(self) -> None:
        """From now on nothing goes wrong."""
        self.trouble = self.deaf = self.twice = 0.0
        self.slow = 1.0

    def leg(self) -> float:
        """Seconds that a message takes, in one direction."""
        return self.chance.random() ** 3 * 0.02 * self.slow

    def patience(self) -> float:
        """Seconds until somebody stops waiting for an answer."""
        return 0.01 + self.chance.random() ** 2 * 5

    def fate(self) -> Fate:
        """What becomes of a request."""
        if self.trouble and self.chance.random() < self.trouble:
            fate = FATES[int(self.chance.random() * len(FATES))]
            self.met[fate] += 1
            return fate
        return "ok"

    def read_fails(self) -> bool:
        """Whether a read has no answer."""
        if self.trouble and self.chance.random() < self.trouble / 2:
            self.met["read_failed"] += 1
            return True
        return False

    def notice(self) -> float:
        """Seconds until a commit of somebody else is noticed."""
        if self.deaf and self.chance.random() < self.deaf:
            self.met["lost_notice"] += 1
            return self.chance.random() * SWEEP
        return self.chance.random() * 0.1

    def stutters(self) -> bool:
        """Whether somebody is woken for nothing."""
        if self.twice and self.chance.random() < self.twice:
            self.met["false_notice"] += 1
            return True
        return False
