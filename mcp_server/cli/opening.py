"""From a command's options to an open engine."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import Session

if TYPE_CHECKING:
    from engine.app.audit import Check
    from engine.app.engine import Engine
    from mcp_server.settings import ServerSettings

T = TypeVar("T")


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)


def server_settings(session: Session, *, work: bool = False, **more: Any) -> "ServerSettings":
    """What the command line and the environment say together; raises Refused `bad_setting`."""
    from mcp_server.settings import from_environment

    return from_environment(
        database=session.db,
        folders=session.workflows,
        demo=session.demo or None,
        work=work,
        **more,
    )


def opened(
    session: Session, *, work: bool = False, strict: bool = True
) -> "AbstractAsyncContextManager[Engine]":
    """The engine that the options mean; with `work` this process also carries out runs.

    Raises Stop when a folder that was named does not exist, unless it need not (`strict`).
    """
    from mcp_server.opening import opened as opened_with

    for folder in session.workflows if strict else ():
        if not folder.is_dir():
            hint = "correct --workflows; `handrail init DIR` writes a folder to start from"
            raise Stop(Exit.USAGE, "unknown_folder", f"there is no folder {str(folder)!r}", hint)
    return opened_with(server_settings(session, work=work))


def checked(session: Session) -> "AbstractAsyncContextManager[Check]":
    """The check of the journal that the options mean, without the rest of an engine."""
    from engine.app.audit import open_check
    from engine.app.places import audit_places
    from engine.shell.clock import WorldClock
    from engine.shell.garbage import collect_rarely

    collect_rarely()
    settings = server_settings(session)
    return open_check(settings.database, audit_places(settings), WorldClock())


def mention_problems(session: Session, engine: "Engine") -> None:
    """Say on stderr why workflows may be missing: no folder, or a document with an error."""
    if not engine.settings.folders:
        session.screen.note(
            "no folder of workflows was named; use --workflows DIR, HANDRAIL_WORKFLOWS or --demo"
        )
    errors = [problem for problem in engine.problems() if problem.severity == "error"]
    if errors:
        first = errors[0]
        place = f"{first.file}:{first.line}: " if first.file else ""
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        session.screen.note(
            f"left out because of an error: {place}{first.message}{more}; "
            "`handrail check FOLDER` lists everything"
        )
