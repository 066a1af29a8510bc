"""`handrail connect`: the entry that makes an MCP client start Handrail."""

import os
from pathlib import Path
from typing import Any

import click

from mcp_server.cli.clients import CLIENTS, NAME, Client, desktop_config, entry, listing
from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

KEPT = ("HANDRAIL_TOOLSETS", "HANDRAIL_ALLOWED_HOSTS")
"""Settings of this environment that become part of the entry without an option of their own."""


@click.command(cls=HandrailCommand)
@click.argument("client", metavar="CLIENT", type=click.Choice(list(CLIENTS)))
@click.option("--print", "show", is_flag=True, help="Print the entry; write nothing.")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="The client's file, when it is somewhere else.")  # fmt: skip
@click.pass_obj
def connect_command(session: Session, /, client: str, show: bool, config: Path | None) -> int:
    """Make CLIENT start Handrail: claude-desktop, cursor, vscode, claude-code or other.

    For claude-desktop the entry is written into its configuration, after a copy was made beside
    it; for the others it is printed. --db, --workflows and --demo become part of the entry;
    without a folder of workflows the entry turns the demo on.
    """
    known = CLIENTS[client]
    ours = session_entry(session)
    if show or (client != "claude-desktop" and config is None):
        return _printed(session, known, ours)
    return _written(session, known, ours, config or desktop_config())


def session_entry(session: Session) -> dict[str, Any]:
    """The entry for the session's database, folders and demo."""
    from mcp_server.cli.opening import server_settings

    settings = server_settings(session)
    return entry(
        _absolute(settings.database),
        settings.folders,
        demo=settings.demo or not settings.folders,
        kept={name: os.environ[name] for name in KEPT if os.environ.get(name)},
        source=_source(),
    )


def _absolute(database: str) -> str:
    if not database:
        return ""
    from engine import database_of

    return str(database_of(database))


def _source() -> Path | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("handrail")
    except PackageNotFoundError:
        return Path(__file__).resolve().parents[2]
    return None


def _printed(session: Session, client: Client, ours: dict[str, Any]) -> int:
    from rich.text import Text

    from mcp_server.cli.shape import to_json

    found = listing(client, ours)
    session.screen.result(found, lambda _: Text(to_json(found)))
    if client.advice:
        session.screen.note(client.advice)
    return Exit.OK


def _written(session: Session, client: Client, ours: dict[str, Any], path: Path | None) -> int:
    from mcp_server.cli.asking import offer_first_pin
    from mcp_server.cli.client_config import read_config, with_entry, write_config

    if path is None:
        raise Stop(
            Exit.REFUSED, "client_missing", f"{client.title} was not found on this machine",
            "start it once and try again, name its file with --config, or use --print",
        )  # fmt: skip
    before = read_config(path)
    ours = listing(client, ours)[client.key][NAME]
    after = with_entry(before, client.key, NAME, ours, path)
    changed = after != before
    backup = write_config(path, after, session.stamp()) if changed else None
    facts = {"config": path, "changed": changed, "backup": backup, "entry": ours}
    session.screen.result(facts, lambda _: _said(client, path, backup, changed))
    offer_first_pin(session)
    return Exit.OK


def _said(client: Client, path: Path, backup: Path | None, changed: bool) -> Any:
    from mcp_server.cli.paint.marks import line

    if not changed:
        return line(f"{client.title} is connected already: {path}")
    copy = f"\nThe old file is kept as {backup.name}." if backup else ""
    text = line(f"{client.title} is connected: {path}")
    return text.append(copy).append(f"\nRestart {client.title} to make it start Handrail.")
