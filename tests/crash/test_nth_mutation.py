"""The n-th SQL statement fails while a run changes something outside, for every n.

Whatever fails, and also where a commit is carried out whose answer is lost: what was changed is
changed once. Where it is not known any more whether it was, a person says so, and only then does
the run go on.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import Refused
from engine.core.run import Resolve, decide, fold
from engine.store import StoreError
from tests.core.worlds import compile_all, flow, task
from tests.crash.test_nth_statement import Trouble
from tests.shell.drives import World, world

SEND = task("send", type="python", python={"function": "send"})
STEPS = [
    {"id": "a", "taskRef": "send", "input": {"step": "a"}},
    {"id": "b", "taskRef": "send", "input": {"step": "b"}, "dependsOn": ["a"]},
    {"id": "c", "taskRef": "send", "input": {"step": "c"}, "dependsOn": ["a"]},
]
FLOWS = compile_all(SEND, flow("w", STEPS))


class Outside:
    """What really happened, how often."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    async def send(self, given: Any) -> Any:
        self.done[given["step"]] += 1
        return {"sent": given["step"]}


async def broken(path: Path, outside: Outside, trouble: Trouble) -> int:
    """A life that meets the trouble; the stream of its run, 0 when there is none."""
    functions = {"send": outside.send}
    stream = 0
    try:
        async with world(path, FLOWS, None, functions, factory=trouble.connection()) as made:
            made.person.says = ["wait"]
            await made.start("w")
            stream = made.stream
            for _ in range(3):
                drive = await made.taken_up()
                await drive.go()
    except (StoreError, Refused):
        assert trouble.fired
    return stream


async def taken_over(path: Path, outside: Outside) -> None:
    """The next life, with a person at hand."""
    async with world(path, FLOWS, None, {"send": outside.send}) as made:
        lines = [line async for line in made.store.tail()]
        if not lines:
            return
        made.stream = lines[0].stream
        run = await made.go()
        while run.status == "paused:reconciliation":
            await told(made, outside)
            run = await made.go()
        assert run.status == "completed"
        assert outside.done == {"a": 1, "b": 1, "c": 1}
        assert fold(await made.events()) == run
        assert not (await made.store.verify()).problems


async def told(made: World, outside: Outside) -> None:
    """A person says of every open mutation what became of it."""
    for path in sorted((await made.run()).unresolved):
        verdict = "happened" if outside.done[path] else "did_not_happen"
        await made.tell(*decide(await made.run(), Resolve(path, verdict, {}, "ann", 5)))


@pytest.mark.timeout(240)
@pytest.mark.requirement("mutation-crash", "nothing-half-done")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after a commit"])
async def test_whichever_statement_fails_it_happens_once(tmp_path: Path, after: bool) -> None:
    trouble = Trouble()
    (tmp_path / "whole").mkdir()
    await broken(tmp_path / "whole", Outside(), trouble)
    numbers = [*range(1, len(trouble.seen) + 1)]
    if after:
        numbers = [at for at in numbers if trouble.seen[at - 1] == "commit"]
    assert len(numbers) > 4
    for at in numbers:
        path, outside = tmp_path / f"at-{at}", Outside()
        path.mkdir()
        await broken(path, outside, Trouble(at, after=after))
        assert max(outside.done.values(), default=0) <= 1
        await taken_over(path, outside)
