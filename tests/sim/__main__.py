"""The simulation as a program, for a long time or for one seed.

    python -m tests.sim --seeds 0..1000      these seeds
    python -m tests.sim --seconds 600        as many as fit, beginning where CI does not come
    python -m tests.sim --seed 7 --trace     one seed, and everything that happened in it

It prints what broke and how to see it again, and figures; it fails if anything broke.
"""

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.sim.story import story
from tests.sim.world import Outcome, World


def main() -> int:
    """Play seeds and say what became of them."""
    options = _options()
    figures = Counter[str]()
    faults = Counter[str]()
    began, bad = time.process_time(), list[int]()
    for seed in _seeds(options):
        outcome = World(seed, keep=options.trace).play(story)
        figures.update(seeds=1, runs=outcome.runs, events=outcome.events)
        figures["seconds"] += int(outcome.seconds)
        faults.update(outcome.faults)
        if options.trace:
            say("\n".join(outcome.trace))
            say(f"digest {outcome.digest}")
        if outcome.wrong:
            bad.append(seed)
            say(told(outcome))
    spent = time.process_time() - began
    say(json.dumps(_figures(figures, faults, spent, bad)))
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="play one seed")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--seeds", help="first..last, the last one not included")
    parser.add_argument("--seconds", type=float, help="play as many as fit into this time")
    parser.add_argument("--first", type=int, default=1_000_000, help="where --seconds begins")
    return parser.parse_args()


def _seeds(options: argparse.Namespace) -> Iterator[int]:
    if options.seed is not None:
        yield options.seed
    elif options.seconds is not None:
        end = time.monotonic() + options.seconds
        for seed in itertools.count(options.first):
            if time.monotonic() > end:
                return
            yield seed
    else:
        first, _, last = (options.seeds or "0..1000").partition("..")
        yield from range(int(first), int(last))


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def told(outcome: Outcome) -> str:
    """What broke in a seed, and how to see it again."""
    broken = "\n  ".join(outcome.wrong[:5])
    return f"seed {outcome.seed}:\n  {broken}\n  python -m tests.sim --seed {outcome.seed} --trace"


def _figures(
    figures: Counter[str], faults: Counter[str], spent: float, bad: list[int]
) -> dict[str, object]:
    return {
        "seeds": figures["seeds"],
        "broken": bad,
        "cpu_seconds": round(spent, 1),
        "seeds_per_second": round(figures["seeds"] / max(spent, 0.001), 1),
        "virtual_hours": round(figures["seconds"] / 3600, 1),
        "runs": figures["runs"],
        "events": figures["events"],
        "faults": dict(sorted(faults.items())),
    }


if __name__ == "__main__":
    sys.exit(main())
