"""A process that appends to a database beside others, and says what was acknowledged.

Usage: python -m tests.store.appender PATH ROUNDS SHARED...

In each round it begins a stream of its own and adds to one of the shared streams, whose version
it finds out by asking. A line `OWN stream` or `SHARED stream version path` is written once the
append is durable.
"""

import asyncio
import os
import sys
from pathlib import Path

from engine.core.errors import Stale
from engine.store import Store
from tests.store.journals import Sqlite, after, done, first, started


async def main() -> None:
    """Append until the rounds are over."""
    path, rounds, shared = Path(sys.argv[1]), int(sys.argv[2]), [int(a) for a in sys.argv[3:]]
    async with Sqlite(path).open() as store:
        say("ready")
        sys.stdin.readline()
        await asyncio.gather(*(work(store, n, rounds, shared) for n in range(4)))


async def work(store: Store, number: int, rounds: int, shared: list[int]) -> None:
    """One of several at a time in this process."""
    for turn in range(rounds):
        uid = f"{os.getpid()}-{number}-{turn}"
        answer = await store.append(first(started(uid), done("own")))
        say(f"OWN {answer.streams[0]}")
        stream = shared[turn % len(shared)]
        say(f"SHARED {stream} {await add(store, stream, uid)} {uid}")


async def add(store: Store, stream: int, path: str) -> int:
    """One more event on a stream that others write to as well; its version."""
    while True:
        version = (await store.read(stream))[-1].version
        try:
            answer = await store.append(after(stream, version, done(path)))
        except Stale:
            continue
        return answer.versions[0]


def say(line: str) -> None:
    """One whole line, at once."""
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    asyncio.run(main())
