"""`handrail worker`: a process that only carries out runs, until it is told to stop.

It says on stderr when it is ready, when it drains and when it is done, a line each. Nothing of
the protocol is imported: a worker that takes the place of a dead one should be there at once.
"""

import asyncio
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from mcp_server.settings import ServerSettings

DRAIN = 10.0
"""Seconds that runs get to come to a safe point, unless somebody says otherwise."""


@click.command(cls=HandrailCommand)
@click.option("--concurrency", type=click.IntRange(1, 10_000), metavar="N",
              help="How many runs to work on at a time (64).")  # fmt: skip
@click.option("--drain", metavar="TIME", help="How long runs get to come to a safe point (10s).")
@click.option("--name", default="", metavar="TEXT", help="What `handrail workers` calls it.")
@click.pass_obj
def worker_command(
    session: Session, /, concurrency: int | None, drain: str | None, name: str
) -> int:
    """Carry out runs, and nothing else; any number of workers may share a database.

    SIGTERM or Ctrl-C drains it: it takes nothing more up, lets each run come to a safe point and
    hands back what is still under way in the end. The second time it stops at once.
    """
    from mcp_server.cli.opening import carry_out, server_settings
    from mcp_server.logs import to_stderr

    seconds = None if drain is None else _seconds(drain)
    settings = server_settings(
        session,
        work=True,
        signs=True,
        concurrency=concurrency,
        drain=seconds,
        usual_drain=DRAIN,
        name=name,
    )
    to_stderr()
    return carry_out(_work(session, settings))


def _seconds(text: str) -> float:
    from mcp_server.words import parse_span

    try:
        return parse_span(text) / 1_000_000
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--drain") from None


async def _work(session: Session, settings: "ServerSettings") -> int:
    from mcp_server.opening import opened
    from mcp_server.signals import told

    stop, hurry = asyncio.Event(), asyncio.Event()
    with told(stop.set, hurry.set):
        async with opened(settings) as engine:
            _ready(session, engine)
            await stop.wait()
            engine.drain()
            _draining(session, engine)
            hurrying = asyncio.create_task(_hurry(engine, hurry))
        hurrying.cancel()
    left = engine.handed_back
    handed = f"; {left} handed back to other workers" if left else ""
    session.screen.note(f"Stopped{handed}.")
    return Exit.OK


async def _hurry(engine: "Engine", hurry: asyncio.Event) -> None:
    await hurry.wait()
    engine.hurry()


def _ready(session: Session, engine: "Engine") -> None:
    import os

    settings, place = engine.settings, engine.place
    if session.json:
        value = {"worker": engine.worker_name, "pid": os.getpid(), "database": place}
        session.screen.result({**value, "capacity": settings.concurrency}, lambda _: "")
        return
    runs = f"up to {settings.concurrency} at a time"
    session.screen.note(f"Worker {engine.worker_name} carries out runs of {place}, {runs}.")


def _draining(session: Session, engine: "Engine") -> None:
    from mcp_server.words import count, duration

    if not engine.holding:
        return
    under_way = count(engine.holding, "run")
    patience = duration(int(engine.patience * 1_000_000))
    session.screen.note(
        f"Draining: {under_way} under way, {patience} at most. Once more stops it at once."
    )
