"""What a server writes about itself: to stderr, one line an event, and nothing that may be secret.

The SDK would install a handler of its own that draws boxes; stdout belongs to the protocol and is
never written to. The text of an exception may hold anything, a password in an address as well as
what a client sent, so it is never written: an error is told by its class and by the places in the
code that it went through, whoever logs it and however it ends. What else a line says is masked
where it holds a secret that this process has had in its hands.
"""

import copy
import itertools
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import Any

from engine import Move, Refused
from mcp_server.text import visible

DEEPEST = 6
"""Places told of an error, the innermost first."""
MOST_CAUSES = 5

logger = logging.getLogger(__name__)

_ERRORS = itertools.count(1)


def trace(error: BaseException) -> str:
    """An error for the log: what it is and where it happened, without its text.

    >>> trace(ValueError("password"))
    'ValueError'
    """
    return "; caused by ".join(_told(each) for each in _causes(error))


def unforeseen(where: str, error: Exception) -> Refused:
    """An error that nobody foresaw: its places go into the log, and the caller gets a number."""
    number = f"{os.getpid():x}-{next(_ERRORS)}"
    logger.error("%s: in %s: %s", number, where, trace(error))
    message = "Handrail made a mistake; nothing of it is known to you or your input."
    hint = f"Tell the user that error {number} stands in the server's log."
    return Refused("internal", message, hint, move=Move.PERSON, details={"errorId": number})


def _told(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)[-DEEPEST:]
    places = [f"{frame.name} {_short(frame.filename)}:{frame.lineno}" for frame in reversed(frames)]
    name = type(error).__name__
    return f"{name} in {' < '.join(places)}" if places else name


def _short(file: str) -> str:
    return "/".join(PurePath(file).parts[-2:])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it comes from; of a group the first member, which is what happened."""
    each: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if each is None:
            return
        if isinstance(each, BaseExceptionGroup):
            each = each.exceptions[0]
            continue
        yield each
        hidden = None if each.__suppress_context__ else each.__context__
        each = each.__cause__ or hidden


class _Telling(logging.Formatter):
    """One line an event; errors by `trace`, line breaks shown and not obeyed."""

    def format(self, record: logging.LogRecord) -> str:
        told = copy.copy(record)
        error = record.exc_info[1] if record.exc_info else None
        told.exc_info = told.exc_text = told.stack_info = None
        told.args = _without_errors(record.args)
        if record.name == "asyncio":  # which puts what it knows, an error's text too, on more lines
            told.msg, told.args = record.getMessage().split("\n", 1)[0], ()
        line = super().format(told).rstrip()
        return visible(f"{line}: {trace(error)}" if error is not None else line)


def _without_errors(args: Any) -> Any:
    if isinstance(args, tuple):
        return tuple(trace(each) if isinstance(each, BaseException) else each for each in args)
    return args


class _Masking(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """The engine's own filter, once there is an engine that could know a secret."""
        redact = sys.modules.get("engine.shell.redact")
        return True if redact is None else bool(redact.MASKING.filter(record))


def to_stderr(level: int = logging.WARNING) -> None:
    """Send the process's log to stderr, and with it what ends the process or a thread of it.

    Has to come before a server is built.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Telling("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(_Masking())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    sys.excepthook = _ended
    sys.unraisablehook = lambda found: _lost(found.exc_value)
    threading.excepthook = lambda found: _lost(found.exc_value)


def _ended(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        logger.critical("the process ends", exc_info=error)


def _lost(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        logger.error("an error that nobody waited for", exc_info=error)
