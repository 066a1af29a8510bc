"""`handrail secret`: values that documents only refer to, typed by a person and never shown.

A value is read from the terminal itself: as an argument it would stand in the shell's history and
in the list of processes, and an assistant that runs commands could choose it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.settings import Settings
    from engine.shell.secret_files import SecretFiles
    from mcp_server.cli.tty import Terminal

ACTIONS = ("set", "list", "remove")


@click.command(cls=HandrailCommand)
@click.argument("action", metavar="set|list|remove", type=click.Choice(ACTIONS))
@click.argument("name", required=False, default="")
@click.option(
    "--host", multiple=True, metavar="HOST", help="set: send it to HOST only; repeatable."
)
@click.pass_obj
def secret_command(session: Session, /, action: str, name: str, host: tuple[str, ...]) -> int:
    """Keep the value of a secret that connectors refer to as secret://NAME.

    \b
      handrail secret set bank-key --host bank.example.com   asks for the value, twice
      handrail secret list                                   names, never values
      handrail secret remove bank-key
    """
    from mcp_server.cli.opening import carry_out

    settings = _settings(session)
    if action == "list":
        return _list(session, settings)
    if not name:
        raise Stop(Exit.USAGE, "usage", f"secret {action} needs a name", "for example bank-key")
    if action == "remove":
        return _remove(session, settings, name)
    return carry_out(_set(session, settings, name, host))


def _settings(session: Session) -> "Settings":
    from mcp_server.cli.opening import server_settings
    from mcp_server.settings import engine_settings

    return engine_settings(server_settings(session))


def _kept(settings: "Settings") -> "SecretFiles":
    from engine.app.settings import kept_secrets

    return kept_secrets(settings)


def _list(session: Session, settings: "Settings") -> int:
    from mcp_server.words import rfc3339

    found = [
        {
            "name": one.name,
            "version": one.version,
            "hosts": list(one.hosts),
            "setAt": rfc3339(one.at),
        }
        for one in _kept(settings).names(settings.tenant)
    ]
    session.screen.result({"secrets": found}, lambda _: "\n".join(map(_row, found)) or "none")
    return Exit.OK


def _row(one: Mapping[str, Any]) -> str:
    where = ", ".join(one["hosts"]) or "any host"
    return f"{one['name']}  version {one['version']}  {where}  {one['setAt']}"


def _remove(session: Session, settings: "Settings", name: str) -> int:
    if not _kept(settings).remove(settings.tenant, name):
        hint = "`handrail secret list` names those there are"
        raise Stop(Exit.USAGE, "unknown_secret", f"there is no secret {name[:80]!r}", hint)
    session.screen.result({"removed": name}, lambda _: f"{name} is forgotten, all versions")
    return Exit.OK


async def _set(session: Session, settings: "Settings", name: str, hosts: tuple[str, ...]) -> int:
    from mcp_server.cli.tty import terminal

    with terminal("secret set") as tty:
        value = await _typed(tty, name)
    version = _kept(settings).put(settings.tenant, name, value, hosts, session.now())
    where = ", ".join(hosts) or "any host that a connector names"
    done = {"name": name, "version": version, "hosts": list(hosts)}
    session.screen.result(done, lambda _: f"{name} is kept as version {version}, for {where}")
    return Exit.OK


async def _typed(tty: "Terminal", name: str) -> str:
    value = await tty.secret(f"The value of {name} (not shown): ")
    if await tty.secret("Once more: ") != value:
        raise Stop(Exit.USAGE, "not_the_same", "the two are not the same", "type it again")
    return value
