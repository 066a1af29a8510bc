"""What must be true once every run has ended: of journal, tables, leases, and what was told."""

from collections import Counter
from typing import Any

from engine.app.engine import FEATURES
from engine.core.log import Recorded
from engine.core.run import fold
from engine.core.status import Status
from tests.sim.driver import SimStore
from tests.sim.facts import Story
from tests.sim.faults import Faults
from tests.sim.flows import ATTEMPTS, FLOWS, act
from tests.sim.machine import SimClock
from tests.sim.world import World

ENDED = {"run.completed": {"completed"}, "run.cancelled": {"cancelled"}}


async def judge(world: World) -> None:
    """Every law that is judged at the end; the processes end in good order on the way."""
    if world.wrong:
        return
    leases(world)
    runs(world)
    callers(world)
    await leaving(world)
    await history(world)


def rows(world: World, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table."""
    return sorted(world.database.db.execute(f"select * from {table}").fetchall(), key=repr)


# -- leases ------------------------------------------------------------------------------------


def leases(world: World) -> None:
    """Nobody holds a run that is over, and only the living are on the roll."""
    if found := rows(world, "due"):
        world.accuse(f"there is nothing left to do, but these wait: {found}")
    listed = {row[0] for row in rows(world, "workers")}
    alive = {m.engine._worker.id for m in world.machines if m.up and m.engine and m.engine._worker}
    if listed != alive:
        world.accuse(f"workers {sorted(listed)} are on the roll, {sorted(alive)} are alive")


async def leaving(world: World) -> None:
    """Everybody leaves in good order, and leaves nothing behind."""
    for machine in world.machines:
        if machine.up:
            await world.call(machine, machine.end())
            world.kill(machine)
    if found := rows(world, "workers"):
        world.accuse(f"nobody is here any more, but {len(found)} are on the roll")


# -- runs --------------------------------------------------------------------------------------


def runs(world: World) -> None:
    """Each run ended as its steps did, and each step did what the seed says."""
    outputs = Counter[tuple[int, str, int]]()
    for one in world.shop.executions:
        if one.output is not None:
            outputs[one.run, one.path, one.token] += 1
    for stream, story in world.facts.stories.items():
        _ended_rightly(world, stream, story)
        _attempts(world, stream, story)
        for path, success in story.steps.items():
            token = success.output.get("token") if isinstance(success.output, dict) else None
            if not isinstance(token, int):
                continue
            if success.source == "" and not outputs[stream, path, token]:
                world.accuse(f"nobody ever returned {token} from {path} of run {stream}")
            if success.source == "copied":
                _copied(world, stream, story, path, success.output)


def _ended_rightly(world: World, stream: int, story: Story) -> None:
    if story.end == "run.completed":
        if missing := FLOWS[story.flow] - story.steps.keys():
            world.accuse(f"run {stream} is completed without {sorted(missing)}")
    elif story.end == "run.failed":
        final = [one for one in story.failures if one[3]]
        deadline = any(code == "deadline" for code in _codes(world, stream))
        if not final and not deadline:
            world.accuse(f"run {stream} failed, but none of its steps did")
    elif story.end == "run.cancelled" and story.uid not in world.wishes.asked_to_cancel:
        world.accuse(f"run {stream} was cancelled, but nobody asked for it")


def _codes(world: World, stream: int) -> list[str]:
    found = world.database.db.execute("select failure_code from runs where id = ?", (stream,))
    return [code for (code,) in found.fetchall()]


def _attempts(world: World, stream: int, story: Story) -> None:
    codes = {"transient": "flaky", "permanent": "gone", "bug": "unclassified"}
    called = {(one.run, one.path) for one in world.shop.executions}
    for path, attempt, code, final in story.failures:
        if (stream, path) not in called:
            continue  # a loop, a sub-workflow
        todo = act(world.seed, story.number, path, attempt)
        wanted = codes.get(todo.outcome, todo.outcome)
        late = code == "timeout" and (story.deadline or world.met["paused"])
        if code != wanted and not late and code != "deadline":
            world.accuse(f"attempt {attempt} of {path} of run {stream} ended in {code}: {todo}")
        if final != (attempt >= ATTEMPTS or code not in ("flaky", "timeout")):
            world.accuse(f"attempt {attempt} of {path} of run {stream}: final is {final}")
    counts = Counter(path for path, *_ in story.failures)
    for path, attempt, *_ in story.failures:
        if attempt > counts[path]:
            world.accuse(f"attempts of {path} of run {stream} have gaps: {story.failures}")


def _copied(world: World, stream: int, story: Story, path: str, output: Any) -> None:
    before = world.facts.stories.get(story.retry_of or 0)
    if before is None or path not in before.steps or before.steps[path].output != output:
        world.accuse(f"{path} of run {stream} is no copy of what the run before it has")


# -- callers -----------------------------------------------------------------------------------


def callers(world: World) -> None:
    """What callers were told is so."""
    wishes, facts = world.wishes, world.facts
    for run, number in wishes.acked.items():
        stream = facts.by_uid.get(run)
        if stream is None or facts.stories[stream].number != number:
            world.accuse(f"run {run} was promised, and is not there")
    for key, found in wishes.keyed.items():
        if len(found) > 1:
            world.accuse(f"{key} led to several runs: {sorted(found)}")
    for run in wishes.cancelled:
        if facts.stories[facts.by_uid[run]].end != "run.cancelled":
            world.accuse(f"run {run} was cancelled, and did not stop")
    _retries(world)


def _retries(world: World) -> None:
    facts = world.facts
    for run, by in world.wishes.retried.items():
        if facts.stories[facts.by_uid[run]].retried_by != by or by not in facts.by_uid:
            world.accuse(f"run {run} was retried by {by}, and does not know")


# -- history -----------------------------------------------------------------------------------


async def history(world: World) -> None:
    """The journal, read again, tells what its tables show, and so does its chain."""
    reader = SimStore(
        world.database, world.loop.world, FEATURES, SimClock(world.loop, world.chance).bytes,
        Faults(world.chance),
    )  # fmt: skip
    live = {table: rows(world, table) for feature in FEATURES for table in feature.tables}
    _refolded(world, [recorded async for recorded in reader.tail()])
    events = await reader.rebuild()
    drawn = {table: rows(world, table) for table in live}
    verified = await reader.verify()
    if events != world.facts.position or verified.intact != events or verified.problems:
        world.accuse(f"{world.facts.position} events, {events} drawn, chain {verified}")
    for table, found in live.items():
        if drawn[table] != found:
            world.accuse(f"{table} drawn again differs: {found} {drawn[table]}")


def _refolded(world: World, journal: list[Recorded]) -> None:
    streams: dict[int, list[Any]] = {}
    for recorded in journal:
        streams.setdefault(recorded.stream, []).append(recorded.event)
    shown = dict(world.database.db.execute("select id, status from runs").fetchall())
    for stream, story in world.facts.stories.items():
        run = fold(streams[stream])
        if run.status != Status(shown[stream]) or len(streams[stream]) != story.version:
            world.accuse(f"run {stream} is {run.status}, and shown as {shown[stream]}")
