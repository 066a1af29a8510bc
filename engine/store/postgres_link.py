"""Connections to PostgreSQL: how they are opened, and what their errors mean.

Commits are synchronous unless a transaction says otherwise. The server gives up a statement, a
lock or a silent partner after a while, so that a process that was stopped holds up the others for
seconds and not for ever. An error is told from another by its SQLSTATE (PostgreSQL, appendix A),
never by its text, and no message ever holds a password: what libpq says of an address may quote a
part of it.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping
from psycopg.types.numeric import Int8Dumper

from engine.core.errors import Move, Refused
from engine.store.errors import StoreError, trouble
from engine.store.postgres_rows import DUMPERS

CODES: Mapping[str, str] = MappingProxyType(
    {
        "53100": "database_full",
        "53200": "database_full",
        "25006": "database_read_only",
        "42501": "database_read_only",
        "55P03": "database_locked",
        "57014": "database_locked",
        "40001": "database_locked",
        "40P01": "database_locked",
        "25P03": "database_unreachable",
        "25P04": "database_unreachable",
        "3D000": "database_denied",
        "53300": "database_denied",
        "42883": "database_value",
        "42804": "database_value",
        "XX001": "database_corrupt",
        "XX002": "database_corrupt",
    }
)
"""What any statement may meet, by SQLSTATE. A value of another type than its column's comes as an
operator that does not exist (42883) or a type that does not fit (42804)."""

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "08": "database_unreachable",
        "57": "database_unreachable",
        "28": "database_denied",
        "53": "database_full",
        "58": "database_io",
        "F0": "database_io",
        "XX": "database_io",
    }
)
"""The same by the class of the SQLSTATE. Every other one is a statement's own fault."""

SHORTEST = 1_000
"""Milliseconds that a partner may be silent at least, however impatient the others are."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_BY_INDEX = dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"), "off")
"""Every statement has its index; a plan made while a table is small is kept while it grows."""

Reader = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Link:
    """Where a database is. `patience` bounds in seconds how long anything else is waited for.

    Raises Refused `database_url` for an address that means nothing.
    """

    url: str
    patience: float

    def __post_init__(self) -> None:
        try:
            conninfo_to_dict(self.url)
        except psycopg.Error:
            raise Refused(
                "database_url",
                "PostgreSQL does not understand the address of the database",
                "Give it as postgresql://user:password@host:5432/name, with %40 for an @ in a "
                "password; other options are those of libpq.",
                move=Move.PERSON,
            ) from None

    @property
    def place(self) -> str:
        """The address for people: without password, and without what only a driver reads."""
        known = conninfo_to_dict(self.url)
        who = f"{known['user']}@" if known.get("user") else ""
        where = f"{known.get('host') or 'localhost'}:{known.get('port') or 5432}"
        return f"postgresql://{who}{where}/{known.get('dbname') or known.get('user') or ''}"

    def open(self, *, writes: bool) -> psycopg.Connection[Any]:
        """A connection for a thread; raises StoreError."""
        words = self._words()
        with ExitStack() as undone:
            try:
                db = psycopg.connect(words, autocommit=True, cursor_factory=psycopg.RawCursor)
                undone.callback(db.close)
                db.execute(self._settings(writes=writes).encode())
                if writes and ends_transactions(db):
                    db.execute(f"set transaction_timeout = {int(self.patience * 2000)}".encode())
            except psycopg.Error as error:
                raise _refused(error, words) from None
            undone.pop_all()
        tune(db)
        return db

    async def open_async(self) -> Reader:
        """A connection for the loop that only reads; raises StoreError."""
        words = self._words()
        async with AsyncExitStack() as undone:
            try:
                db = await psycopg.AsyncConnection.connect(
                    words, autocommit=True, cursor_factory=psycopg.AsyncRawCursor
                )
                undone.push_async_callback(db.close)
                await db.execute(self._settings(writes=False).encode())
            except psycopg.Error as error:
                raise await asyncio.to_thread(_refused, error, words) from None
            undone.pop_all()
        tune(db)
        return db

    def pauses(self) -> Iterator[float]:
        """Seconds to wait between tries, longer and longer, until patience has come to its end."""
        end, pause = time.monotonic() + self.patience, _FIRST_PAUSE
        while time.monotonic() + pause < end:
            yield pause
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _words(self) -> str:
        usual: dict[str, Any] = {
            "application_name": "handrail",
            "connect_timeout": max(2, int(self.patience)),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
        }
        return make_conninfo(**{**usual, **conninfo_to_dict(self.url)})

    def _settings(self, *, writes: bool) -> str:
        # Set by statements: a pooler between does not take them with the login.
        wait = max(1, int(self.patience * 1000))
        settings = {
            "lock_timeout": wait,
            "statement_timeout": 30_000,
            # Shorter than the others wait: they outlast one that was stopped.
            "idle_in_transaction_session_timeout": max(SHORTEST, wait * 4 // 5),
            "synchronous_commit": "on",
            "default_transaction_read_only": "off" if writes else "on",
            "client_encoding": "utf8",
            "tcp_keepalives_idle": 10,
            "tcp_keepalives_interval": 5,
            "tcp_keepalives_count": 3,
            **_BY_INDEX,
        }
        return "; ".join(f"set {name} = {value}" for name, value in settings.items())


def ends_transactions(db: psycopg.Connection[Any]) -> bool:
    """Whether the server can end a transaction that takes too long (PostgreSQL 17).

    One whose owner was stopped while it sent a pipeline is not idle to the server, and no other
    limit ends it.
    """
    return db.info.server_version >= 170_000


def _refused(error: psycopg.Error, words: str) -> StoreError:
    """Why a connection could not be opened. libpq gives no code for that, but it can be asked
    whether a server answers there."""
    if error.sqlstate:
        return trouble(name_of(error), error.sqlstate)
    there = PGconn.ping(words.encode()) == Ping.OK
    return trouble("database_denied" if there else "database_unreachable")


def tune(db: psycopg.Connection[Any] | Reader) -> None:
    """Every number goes over the wire as one type, so that one plan serves all of them."""
    db.adapters.register_dumper(int, Int8Dumper)
    for column, dumper in DUMPERS:
        db.adapters.register_dumper(column, dumper)
    db.prepare_threshold = 0


def name_of(error: psycopg.Error) -> str:
    """The trouble that an error stands for."""
    state = error.sqlstate
    if state:
        return CODES.get(state) or CLASSES.get(state[:2]) or _own_fault(state)
    if isinstance(error, psycopg.DataError):
        return "database_value"
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return "database_unreachable"
    return "database_rule"


def _own_fault(state: str) -> str:
    return "database_value" if state.startswith("22") else "database_rule"


def outside(error: BaseException) -> bool:
    """Whether the server itself is in trouble, so that every other request would meet it too."""
    if isinstance(error, psycopg.Error):
        return name_of(error) not in ("database_value", "database_rule")
    return isinstance(error, OSError | StoreError)


def judged(error: BaseException) -> BaseException:
    """The typed error for what the driver raised; a new one for every caller.

    What is neither the driver's nor the system's comes back as it is: it is a bug.
    """
    if isinstance(error, Refused):
        again = (error.code, error.message, error.hint)
        return type(error)(*again, move=error.move, details=error.details)
    if isinstance(error, psycopg.Error):
        return trouble(name_of(error), error.sqlstate or "")
    if isinstance(error, UnicodeEncodeError | OverflowError):
        return trouble("database_value", type(error).__name__)
    if isinstance(error, OSError):
        return trouble("database_unreachable", error.strerror or "")
    return error
