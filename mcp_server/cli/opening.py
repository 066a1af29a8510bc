"""From a command's options to an open engine."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from mcp_server.cli.session import Session

if TYPE_CHECKING:
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


def opened(session: Session, *, work: bool = False) -> "AbstractAsyncContextManager[Engine]":
    """The engine that the options mean; with `work` this process also carries out runs."""
    from mcp_server.opening import opened as opened_with

    return opened_with(server_settings(session, work=work))
