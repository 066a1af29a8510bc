"""`handrail doctor`: what is broken on this machine, and what to do about each thing.

A check that cannot be made is a broken thing, not a crash: a database that does not open still
leaves the other checks to be read.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, explain
from mcp_server.cli.gate_checks import gate_checks, health
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.views import Health


@click.command(cls=HandrailCommand)
@click.pass_obj
def doctor_command(session: Session, /) -> int:
    """Look at Python, SQLite, the database and its audit, the gate, the folders, the clients.

    Exit code 1 when something is broken; a line with `!` works but deserves a look.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_doctor(session))


async def _doctor(session: Session) -> int:
    from mcp_server.cli.paint.reports import health_list

    checks = [check async for check in _engine_checks(session)]
    checks += [*folder_checks(session), *client_checks(), await http_check(session)]
    broken = not all(check.ok for check in checks)
    session.screen.result({"ok": not broken, "checks": checks}, lambda _: health_list(checks))
    return Exit.FAILED if broken else Exit.OK


async def _engine_checks(session: Session) -> AsyncIterator["Health"]:
    from mcp_server.cli.opening import opened

    try:
        async with opened(session, strict=False) as engine:
            for check in await engine.health():
                yield check
            yield _demo(session, engine)
            async for check in gate_checks(engine):
                yield check
    except Exception as error:
        ending = explain(error)
        yield health("database", False, ending.message, ending.hint)


def _demo(session: Session, engine: "Engine") -> "Health":
    from mcp_server.cli.opening import server_settings

    if not server_settings(session).demo:
        return health("demo", True, "off; --demo turns it on")
    return health("demo", True, f"answers at {engine.settings.connectors['demo']}")


def folder_checks(session: Session) -> Sequence["Health"]:
    """Whether the folders of documents can be read."""
    from mcp_server.cli.opening import server_settings

    return [_folder(folder) for folder in server_settings(session).folders]


def _folder(folder: Path) -> "Health":
    try:
        found = sum(1 for _ in folder.iterdir())
    except OSError as error:
        return health("folder", False, f"{folder}: {error.strerror}", "Create it or leave it out.")
    return health("folder", True, f"{folder}: {found} entries")


async def http_check(session: Session) -> "Health":
    """Whether `serve` would start with these settings, and how it would know its callers."""
    from engine import Refused
    from mcp_server.auth import reachable_issuer, refuse_if_unsafe, way_in
    from mcp_server.cli.opening import server_settings

    settings = server_settings(session)
    try:
        refuse_if_unsafe(settings)
        said = way_in(settings)
        await reachable_issuer(settings)
    except Refused as refused:
        return health("http", False, refused.message, refused.hint)
    return health("http", True, said)


def client_checks() -> Sequence["Health"]:
    """Whether the clients on this machine start Handrail, and with a command that exists."""
    from mcp_server.cli.clients import desktop_config

    config = desktop_config()
    if config is None:
        return [health("clients", True, "Claude Desktop is not installed for this user")]
    return [_client("Claude Desktop", config)]


def _client(title: str, config: Path) -> "Health":
    from mcp_server.cli.client_config import read_config
    from mcp_server.cli.clients import NAME

    try:
        servers = read_config(config).get("mcpServers", {})
    except Exception as error:
        return health("clients", False, explain(error).message, explain(error).hint)
    entry = servers.get(NAME) if isinstance(servers, dict) else None
    if not isinstance(entry, dict):
        hint = "Connect it with `handrail connect claude-desktop`."
        return health("clients", True, f"{title} does not know Handrail: {config}", hint)
    command = str(entry.get("command", ""))
    if not Path(command).exists():
        hint = "Write the entry again with `handrail connect claude-desktop`."
        return health("clients", False, f"{title} starts {command!r}, which is not there", hint)
    return health("clients", True, f"{title} is connected: {config}")
