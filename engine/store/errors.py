"""What a database may refuse, as typed errors that say whose move it is.

A failure is told from another by the driver's error codes and never by its text; that table is
the driver's (`connection.py`). Every caller of a batch gets an error of its own, because an
exception carries a traceback and must not be raised twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.core.errors import Move, Refused


class StoreError(Refused):
    """The database did not take or give what was asked for; nothing was recorded.

    But for `database_unanswered`: whether it was recorded is not known.

    Codes: `database_full`, `database_read_only`, `database_locked`, `database_corrupt`,
    `database_io`, `database_unreachable`, `database_unanswered`, `database_denied` (outside),
    `database_newer`, `database_foreign`, `database_changed` (not one that this version may open),
    `database_value` (what no column can hold), `database_rule` (a statement broke a rule of the
    schema: a bug of ours), `database_closed`, `catalogue_damaged` (what was read of documents).
    """


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way in which a database fails: what to say, who must act, and how."""

    message: str
    hint: str
    move: Move = Move.PERSON


TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        "database_full": Trouble(
            "the database is full", "free some space on its disk, then do it again"
        ),
        "database_read_only": Trouble(
            "the database cannot be written to",
            "check the permissions of the file and its folder, or of the user on the server, or "
            "name another database with --db",
        ),
        "database_locked": Trouble(
            "another process holds the database and did not let go in time",
            "try again; if it lasts, find out which program has the file open",
        ),
        "database_corrupt": Trouble(
            "the database file is damaged",
            "run `handrail doctor`, keep a copy of the file, and restore a backup",
        ),
        "database_io": Trouble(
            "the disk did not carry out what the database asked for",
            "check the disk and that the file is still in its place",
        ),
        "database_newer": Trouble(
            "a newer version of Handrail wrote this database",
            "upgrade Handrail, or name another database with --db",
        ),
        "database_foreign": Trouble(
            "this file is not a database of Handrail", "name another file with --db"
        ),
        "database_changed": Trouble(
            "the schema of this database was made by another build of Handrail",
            "open it with the build that made it, or restore the copy made before it changed",
        ),
        "database_unreachable": Trouble(
            "the database server cannot be reached",
            "see that PostgreSQL runs at the address that was given; nothing that was acknowledged "
            "is lost, and work goes on by itself when it is back",
        ),
        "database_unanswered": Trouble(
            "the database server did not answer a commit and could not be asked about it since",
            "it may have happened: look before doing it again, or use an idempotency key",
            Move.CALLER,
        ),
        "database_denied": Trouble(
            "the database server refused the login",
            "check user, password and name of the database in its URL, and that the server has "
            "room for more connections",
        ),
        "database_value": Trouble(
            "a value cannot be stored or looked for",
            "use whole numbers below 2**63 and text without NUL and halves of surrogate pairs",
            Move.CALLER,
        ),
        "database_rule": Trouble(
            "a statement broke a rule of the schema",
            "this is a bug: please report it",
            Move.ENGINE,
        ),
        "database_closed": Trouble(
            "the database was closed", "start the server again", Move.CALLER
        ),
        "catalogue_damaged": Trouble(
            "the file with what was read of the documents is damaged",
            "nothing is lost: it is made again from the documents; ask again in a moment",
            Move.ENGINE,
        ),
    }
)


def trouble(code: str, detail: str = "") -> StoreError:
    """The typed error for `code`, with what the database said added to the message."""
    known = TROUBLES[code]
    message = f"{known.message} ({detail})" if detail else known.message
    return StoreError(code, message, known.hint, move=known.move)
