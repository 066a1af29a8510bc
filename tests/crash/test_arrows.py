"""A process dies at every arrow between a proposal and its outcome, for every sort of system.

The process here is a drive that is stopped as by SIGKILL: nothing that it still knows is told to
anybody. `test_arrows_killed.py` does it with real processes.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core import events as ev
from engine.core.run import Resolve, decide, fold
from engine.shell.drive import Drive, Held
from engine.shell.late import Late
from engine.shell.recording import Recording, Told
from tests.core.worlds import compile_all, flow
from tests.crash.arrows import ARROWS, KINDS, Arrow
from tests.shell.drives import World, world
from tests.shell.test_mutations import pay
from tests.shell.till import Till, connector, till

RETRY = {"maxAttempts": 3, "delay": "1s"}


class Killed(BaseException):
    """The process is gone."""


class Grave(Late):
    """The dead tell nothing."""

    def wait_for(self, held: Held, call: asyncio.Task[Any], epoch: int) -> None:
        call.cancel()

    def tell(self, held: Held, told: Told) -> None:
        return


def deadly(drive: Drive, arrow: Arrow) -> None:
    """Have a drive die at an arrow."""
    flush = Recording.flush

    class Pen(Recording):
        __slots__ = ()

        async def flush(self, *also: Any) -> None:
            events = list(self._events)
            if arrow.hits(events, before=True):
                raise Killed
            await flush(self, *also)
            if arrow.hits(events, before=False):
                raise Killed

    object.__setattr__(drive.pen, "__class__", Pen)
    drive.late = Grave(drive.late.store, drive.late.clock, drive.late.told)


async def dies(made: World, shop: Till, arrow: Arrow) -> None:
    """Drive the run until it rests or the process is dead."""
    drive = await made.taken_up()
    deadly(drive, arrow)
    going = asyncio.create_task(drive.go())
    if arrow.how in {"lost", "silent"}:
        await asyncio.wait_for(shop.reached.wait(), 20)
        going.cancel()  # the request is with the till by now
    await asyncio.wait({going}, timeout=20)
    assert going.done()
    if not going.cancelled() and going.exception() is not None:
        assert isinstance(going.exception(), Killed)


def truth(shop: Till) -> tuple[str, Any]:
    """What a person finds out who looks there."""
    return ("happened", {"number": 1}) if shop.effects else ("did_not_happen", None)


@pytest.mark.requirement("mutation-crash")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: arrow.name)
async def test_whenever_it_dies_it_happens_once(tmp_path: Path, arrow: Arrow, kind: str) -> None:
    async with till() as shop:
        step = {"id": "p", "taskRef": f"pay-{kind}", "input": {"amount": 1}}
        task = pay(kind, retry=RETRY)
        flows = compile_all(connector(shop.server.url("")), task, flow("w", [step]))
        async with world(tmp_path, flows, shop) as made:
            made.person.says = ["wait"]
            shop.plan = [arrow.how]
            await made.start("w")
            if arrow.name in {"proposed", "parked"}:
                await dies(made, shop, arrow)
                made.person.says = []  # they have decided meanwhile
            else:
                assert (await made.go()).status == "paused:approval"
                if arrow.name != "voted":
                    await dies(made, shop, arrow)
            run = await made.go()
            assert len(set(shop.effects)) <= 1
            if run.status == "paused:reconciliation":
                assert kind == "none", "only this one needs a person"
                verdict, output = truth(shop)
                await made.tell(*decide(run, Resolve("p", verdict, output, "ann", 5)))
                run = await made.go()
            assert run.status == "completed"
            assert len(set(shop.effects)) == 1
            assert kind == "natural" or len(shop.effects) == 1
            history = await made.events()
            assert fold(history) == run
            sends = [event.send for event in history if isinstance(event, ev.StepInFlight)]
            assert sends == list(range(1, len(sends) + 1))
            assert run.sends["p"].send >= len([body for body in shop.server.bodies if body])
