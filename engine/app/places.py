"""Where things are that belong to an installation, found without loading what uses them."""

from pathlib import Path
from typing import Protocol

from engine.core.errors import Refused
from engine.shell.checkpoints import Places

APP = "handrail"


class Audited(Protocol):
    """Settings that may say where the evidence is."""

    @property
    def checkpoints(self) -> Path | None:
        """The file of checkpoints."""
        ...

    @property
    def checkpoint_key(self) -> Path | None:
        """The file with the key that signs them."""
        ...


def database_of(database: str) -> Path | str:
    """The SQLite file or PostgreSQL URL that is meant; raises Refused `database_url`."""
    if database.startswith(("postgresql://", "postgres://")):
        return database
    if database.startswith("sqlite://"):
        database = database.removeprefix("sqlite:///") if database[9:10] == "/" else ""
        if not database:
            raise _bad_url("a SQLite URL looks like sqlite:///path or sqlite:////absolute/path")
    if "://" in database:
        raise _bad_url("only SQLite and PostgreSQL databases can be opened")
    if database:
        return Path(database).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False) / "handrail.db"


def audit_places(settings: Audited) -> Places:
    """Where the signed checkpoints and their key lie: where a setting says, or not where the
    database is."""
    from platformdirs import user_data_path

    folder = user_data_path(f"{APP}-audit", appauthor=False)
    return Places(
        settings.checkpoints or folder / "checkpoints.txt",
        settings.checkpoint_key or folder / "key",
    )


def _bad_url(message: str) -> Refused:
    return Refused(
        "database_url",
        message,
        "Give a file path, postgresql://user@host/name, or leave it out for the default.",
    )
