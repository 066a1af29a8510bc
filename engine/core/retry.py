"""When to try again: arithmetic only. Jitter arrives as a number in [0, 1)."""

from dataclasses import dataclass

from engine.core.errors import RETRYABLE, Failure, Kind

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed attempt is followed by another. Durations are in microseconds.

    `factor=1` is a fixed delay and `attempts=1` is no retry at all. `within` bounds the time
    from the first attempt to the start of the last one. The defaults are those of the
    platform behind seed 003: three retries, 100 ms doubling up to 30 s.
    """

    attempts: int = 4
    initial: int = SECOND // 10
    maximum: int = 30 * SECOND
    factor: float = 2.0
    jitter: float = 0.1
    kinds: frozenset[Kind] = RETRYABLE
    within: int | None = None

    def delay(self, attempt: int, failure: Failure, chance: float, elapsed: int) -> int | None:
        """Microseconds until the next attempt, or None to give up.

        `attempt` counts from 1; `elapsed` is the time since the first attempt began. A server's
        `Retry-After` wins over the computed delay.

        >>> flaky = Failure(Kind.TRANSIENT, "http_503", "unavailable")
        >>> RetryPolicy(jitter=0).delay(3, flaky, chance=0.5, elapsed=0)
        400000
        >>> RetryPolicy(attempts=3).delay(3, flaky, chance=0.5, elapsed=0)
        >>> RetryPolicy().delay(1, Failure(Kind.LOGIC, "x", "wrong"), chance=0.5, elapsed=0)
        """
        if attempt >= self.attempts or failure.kind not in self.kinds:
            return None
        wait = self._computed(attempt, chance)
        if failure.retry_after is not None:
            wait = failure.retry_after
        if self.within is not None and elapsed + wait > self.within:
            return None
        return wait

    def _computed(self, attempt: int, chance: float) -> int:
        # Capping the exponent keeps attempt 2000 from overflowing a float.
        wait = min(self.initial * self.factor ** min(attempt - 1, 64), self.maximum)
        return int(wait * (1 + self.jitter * (2 * chance - 1)))


NEVER = RetryPolicy(attempts=1)
"""The policy `none`."""
