"""A process that works on runs that change something, and kills itself at a named arrow.

Usage: python -m tests.crash.mutant FOLDER URL ARROW. Without an arrow of that name it works until
somebody else kills it.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

from engine import Settings, open_engine
from engine.shell.recording import Recording
from tests.core.worlds import flow
from tests.crash.arrows import ARROWS, KINDS, Arrow
from tests.shell.test_mutations import pay
from tests.shell.till import connector

RETRY = {"maxAttempts": 3, "delay": "1s"}


def settings(folder: Path, url: str, **more: Any) -> Settings:
    """An engine over a workflow for each sort of system, `w-none` to `w-lookup`."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    made = [connector(url), *(pay(kind, retry=RETRY) for kind in KINDS)]
    for kind in KINDS:
        step = {"id": "p", "taskRef": f"pay-{kind}", "input": {"amount": 1}}
        made.append(flow(f"w-{kind}", [step]))
    text = yaml.safe_dump_all(json.loads(json.dumps(made)), sort_keys=False)  # without anchors
    (documents / "till.yaml").write_text(text, encoding="utf-8")
    host = ("127.0.0.1", int(url.rpartition(":")[2].rstrip("/")))
    database = str(folder / "h.db")
    return Settings(database, (documents,), allowed_hosts=frozenset({host}), **more)


def mortal(arrow: Arrow) -> None:
    """Have this process die at an arrow."""
    flush = Recording.flush

    async def deadly(self: Recording, *also: Any) -> None:
        events = list(self._events)
        if arrow.hits(events, before=True):
            os.kill(os.getpid(), signal.SIGKILL)
        await flush(self, *also)
        if arrow.hits(events, before=False):
            os.kill(os.getpid(), signal.SIGKILL)

    Recording.flush = deadly  # type: ignore[method-assign]


async def main() -> None:
    """Work until killed."""
    mortal(next(arrow for arrow in ARROWS if arrow.name == sys.argv[3]))
    async with open_engine(settings(Path(sys.argv[1]), sys.argv[2])):
        os.write(1, b"R\n")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
