"""`handrail audit`: is the journal what was written; and copies that prove what they say."""

from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.core.audit import Audit


@click.command(cls=HandrailCommand)
@click.argument("action", metavar="verify|export", type=click.Choice(["verify", "export"]))
@click.option("--to", type=click.Path(path_type=Path), metavar="DIR",
              help="export: the folder to make.")  # fmt: skip
@click.option("--run", default="", metavar="RUN", help="export: the events of one run only.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="N",
              help="export: only what follows event N.")  # fmt: skip
@click.pass_obj
def audit_command(session: Session, /, action: str, to: Path | None, run: str, after: int) -> int:
    """Check the journal from its first event, or copy it with proofs.

    \b
      handrail audit verify               chain, signed checkpoints, what is missing
      handrail audit export --to DIR      one JSON object per event, and a manifest
    """
    from mcp_server.cli.opening import carry_out

    if action == "verify":
        return carry_out(_verify(session))
    if to is None:
        raise Stop(
            Exit.USAGE, "usage", "export needs a folder", "name one that does not exist: --to DIR"
        )
    return carry_out(_export(session, to, run, after))


async def _verify(session: Session) -> int:
    from mcp_server.cli.opening import checked
    from mcp_server.cli.paint.audit import report

    async with checked(session) as check:
        found = await check.verify(cpu_count() or 1)
        key, file = check.key(), str(check.places.notes)
        now = session.now()
    value = {"ok": found.sound, "audit": found, "key": key, "checkpoints": file}
    session.screen.result(value, lambda _: report(found, key, file, now))
    return _code(found)


async def _export(session: Session, to: Path, run: str, after: int) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.audit import copied
    from mcp_server.cli.show import run_id

    async with opened(session) as engine:
        done = await engine.audits.export(to, after, await run_id(engine, run) if run else "")
    session.screen.result(done, lambda _: copied(done))
    return _code(done.audit)


def _code(found: "Audit") -> Exit:
    return Exit.OK if found.sound else Exit.DATABASE
