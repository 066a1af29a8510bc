"""What happens in a seed: who is there, who asks for what, and what goes wrong when."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engine.core.errors import Refused
from tests.sim.flows import UNLIMITED
from tests.sim.laws import judge
from tests.sim.machine import BEGAN
from tests.sim.world import IDLE, PATIENCE, TROUBLED, World

PROMPT = 2.0
"""Seconds within which what is due is taken up."""

LATEST = 70.0
"""Seconds within which what is late is carried out, and whoever is silent is buried."""

Trouble = Callable[[World], Coroutine[Any, Any, None]]


async def story(world: World) -> None:
    """Trouble, then quiet, then judgement."""
    setting(world)
    for _ in range(2 + int(world.chance.random() ** 2 * 3)):
        world.boot()
    async with asyncio.TaskGroup() as group:
        for work in callers(world) + troubles(world):
            group.create_task(later(world, work))
    await healed(world)
    await ended(world)
    await world.chance.choice((prompt, idle))(world)
    await ended(world)
    await judge(world)


def setting(world: World) -> None:
    """What holds for the whole seed."""
    chance = world.chance
    world.facts.most = chance.choice((0, 0, 0, 2))
    world.edition = chance.choice((1, UNLIMITED, UNLIMITED))
    world.mood = {
        "trouble": chance.choice((0.0, 0.0, 0.02, 0.1)),
        "deaf": chance.choice((0.0, 0.2, 1.0)),
        "twice": chance.choice((0.0, 0.1)),
        "blind": chance.random() < 0.2,
    }


async def later(world: World, work: Coroutine[Any, Any, None]) -> None:
    """At some time while there is trouble."""
    await asyncio.sleep(0.5 + world.chance.random() * TROUBLED)
    await work


# -- callers -----------------------------------------------------------------------------------


def callers(world: World) -> list[Coroutine[Any, Any, None]]:
    """People, and what they want."""
    chance = world.chance
    works = [plain(world) for _ in range(2 + int(chance.random() * 4))]
    works += [keyed(world) for _ in range(int(chance.random() * 3))]
    if chance.random() < 0.5:
        works.append(crowd(world))
    if chance.random() < 0.3:
        works.append(switch(world))
    return works


async def plain(world: World) -> None:
    """Start a run, and perhaps change one's mind."""
    flow, chance = world.flow(), world.chance
    deadline = int(chance.random() * 40e6) + 1 if chance.random() < 0.08 else None
    run = await world.start(flow, world.number(), deadline=deadline)
    if not run:
        return
    fortune = chance.random()
    if fortune < 0.3:
        await world.look(run)
    elif fortune < 0.45:
        await asyncio.sleep(chance.random() ** 3 * 20)
        await world.cancel(run)
    await asyncio.sleep(chance.random() * 40)
    await again(world, run)


async def again(world: World, run: str) -> None:
    """Try a failed run again, as people do; perhaps two of them at once."""
    stream = world.facts.by_uid.get(run)
    if stream is None or world.facts.stories[stream].end not in ("run.failed", "run.cancelled"):
        return
    if world.chance.random() < 0.7:
        await asyncio.gather(*(world.retry(run) for _ in range(1 + (world.chance.random() < 0.3))))


async def keyed(world: World) -> None:
    """Start a run under a key, several times and at several processes, until it is known."""
    flow, number = world.flow(), world.number()
    key = f"key {number}"
    rivals = 1 + int(world.chance.random() * 3)
    await asyncio.gather(*(world.start(flow, number, key) for _ in range(rivals)))
    while key not in world.wishes.keyed:
        await asyncio.sleep(2.0)
        await world.start(flow, number, key)


async def crowd(world: World) -> None:
    """Many runs of a workflow with a limit."""
    await asyncio.gather(*(world.start("narrow", world.number()) for _ in range(4)))


async def switch(world: World) -> None:
    """A new edition of every workflow is published by one process, and used by those to come."""
    world.edition += 1
    machine = world.anyone()
    if machine is None or machine.engine is None:
        return
    machine.edition = world.edition
    world.met_with("new_edition", machine.name)
    try:
        await world.call(machine, machine.engine.refresh())
    except Refused as refused:
        world.trace("refresh refused", refused.code)


# -- trouble -----------------------------------------------------------------------------------


def troubles(world: World) -> list[Coroutine[Any, Any, None]]:
    """What goes wrong, this time."""
    count = int(world.chance.random() * 6)
    return [world.chance.choice(KINDS)(world) for _ in range(count)]


async def pause(world: World) -> None:
    """SIGSTOP, for less or more than a lease."""
    machine = world.anyone()
    if machine is None or machine.stopped:
        return
    seconds = world.chance.choice((3.0, 15.0, 35.0, 80.0)) * (0.5 + world.chance.random())
    world.met_with("paused", machine.name, seconds)
    machine.stopped = True
    machine.paused = True
    await asyncio.sleep(seconds)
    # Who asks it for something meanwhile has to wait, and is the first to be served.
    count = int(world.chance.random() * 3)
    asked = [world.start(world.flow(), world.number(), at=machine) for _ in range(count)]
    asking = asyncio.gather(*asked)
    await asyncio.sleep(0.001)
    machine.stopped = False
    world.trace("goes on", machine.name)
    await asking


async def crash(world: World) -> None:
    """kill -9, and a new process a little later."""
    machine = world.anyone()
    if machine is None:
        return
    world.met_with("killed", machine.name)
    world.kill(machine)
    await asyncio.sleep(world.chance.random() ** 2 * 20)
    world.boot()


async def roll(world: World) -> None:
    """A process ends in good order, and another takes its place."""
    machine = world.anyone()
    if machine is None:
        return
    world.met_with("rolled", machine.name)
    if world.chance.random() < 0.5:
        world.boot()
    try:
        await world.call(machine, machine.end())
    except Refused as refused:
        world.trace("end refused", machine.name, refused.code)
    world.kill(machine)
    if not any(one.up for one in world.machines):
        world.boot()


async def jump(world: World) -> None:
    """A clock is set, forwards or backwards; most are set right again."""
    machine = world.anyone()
    if machine is None:
        return
    by = world.chance.choice((-90.0, -25.0, -2.0, 2.0, 25.0, 90.0)) * world.chance.random()
    world.met_with("clock_set", machine.name, by)
    machine.clock.skew += by
    await asyncio.sleep(world.chance.random() * 40)
    machine.clock.skew -= by


async def cut(world: World) -> None:
    """A process cannot reach its database."""
    machine = world.anyone()
    if machine is None:
        return
    seconds = world.chance.choice((2.0, 20.0, 60.0)) * world.chance.random()
    world.met_with("cut_off", machine.name, seconds)
    machine.faults.trouble = 1.0
    await asyncio.sleep(seconds)
    machine.faults.trouble = world.mood["trouble"]


async def slow(world: World) -> None:
    """A database that takes its time."""
    machine = world.anyone()
    if machine is None:
        return
    world.met_with("slow", machine.name)
    machine.faults.slow = world.chance.choice((20.0, 100.0, 400.0))
    await asyncio.sleep(world.chance.random() * 30)
    machine.faults.slow = 1.0


async def orphan(world: World) -> None:
    """The session that holds a worker's life lock is lost, but not the worker."""
    lives = world.database.lives
    held = [number for number, host in lives.items() if getattr(host, "up", False)]
    if held:
        number = world.chance.choice(held)
        world.met_with("lock_lost", lives.pop(number).name)


KINDS: tuple[Trouble, ...] = (pause, pause, crash, crash, roll, jump, cut, slow, orphan)


# -- and then it is quiet ----------------------------------------------------------------------


async def healed(world: World) -> None:
    """Put everything right."""
    world.trace("quiet")
    world.mood = {"blind": world.mood["blind"]}
    for machine in world.machines:
        machine.faults.quiet()
        machine.stopped = False
        machine.clock.skew = 0.0
    if world.mood["blind"] or any(machine.faults.met["late"] for machine in world.machines):
        await asyncio.sleep(LATEST)
    while not any(machine.up for machine in world.machines):  # noqa: ASYNC110 - time is free
        await asyncio.sleep(1.0)


async def ended(world: World) -> None:
    """Wait until every run has ended."""
    end = world.loop.time() + PATIENCE
    while open_runs := [s for s, story in world.facts.stories.items() if not story.over]:
        if world.loop.time() > end or world.wrong:
            if not world.wrong:
                world.accuse(f"runs {open_runs} do not end")
            return
        await asyncio.sleep(1.0)


async def prompt(world: World) -> None:
    """In good times nothing waits for long once it is due, whoever started it."""
    runs = [await world.start(flow, world.number()) for flow in ("nap", "safe")]
    streams = [world.facts.by_uid[run] for run in runs if run]
    since: dict[int, float] = {}
    while not world.wrong and not all(world.facts.stories[s].over for s in streams):
        await asyncio.sleep(0.5)
        now = world.loop.time()
        since = {run: since.get(run, now) for run in waiting(world)}
        for run, first in since.items():
            if now - first >= PROMPT:
                world.accuse(f"run {run} is due for {PROMPT:g} s, and nobody takes it up")


def waiting(world: World) -> list[int]:
    """Runs that are due now, and nobody has them."""
    now = BEGAN + int(world.loop.time() * 1e6)
    due = "select run from due where owner = 0 and at <= ?"
    return [run for (run,) in world.database.db.execute(due, (now,))]


async def idle(world: World) -> None:
    """Nobody has anything to do: that costs next to nothing, and leaves nothing behind."""
    before = world.facts.asked_by.copy()
    await asyncio.sleep(IDLE)
    up = sum(machine.up for machine in world.machines)
    for machine in world.machines:
        asked = world.facts.asked_by[machine.name] - before[machine.name]
        if asked > 60 + 90 * up:
            world.accuse(f"{machine.name} asks {asked} times a minute with nothing to do")
