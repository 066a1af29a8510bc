"""How an engine is opened: one frozen value, read by nobody else's code from anywhere else."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.app.places import APP, database_of
from engine.core.secrets import SCHEME
from engine.shell.acts import PythonTask
from engine.shell.anthropic import Account, Anthropic
from engine.shell.clock import Clock, WorldClock
from engine.shell.label_files import LabelFile
from engine.shell.models import OFF, Models
from engine.shell.policies import PolicyFile
from engine.shell.redact import KNOWN
from engine.shell.roll import Pace
from engine.shell.secret_files import SecretFiles
from engine.shell.secrets import Environment, Secrets
from engine.store import Store
from engine.store.sqlite import SqliteStore


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data lives, which documents are served, what may be called.

    `database` is a path, `sqlite:///path`, `postgresql://...`, or empty for the user's data folder.
    `allowed_hosts` are (host, port) pairs that http tasks may call although they are private;
    `connectors` replaces the base URL of a connector by name; `work` says whether this process
    carries out runs, `concurrency` how many at a time, and `most` how many all processes together
    (0: no limit; every process is to be given the same). `drain` is how many seconds runs get to
    come to a safe point when the engine is closed. `name` and `release` tell people which worker
    this is and which code of theirs it runs; `pace` is how often it shows that it lives.
    `policy` is the file that says what asks a person; without it the one beside the database
    counts, else the one that comes with the engine. `categories` is the file that declares
    categories and protected labels; without it the one beside the database counts. `models` are the
    language models that may be asked; without a key none is. `encoder` is `off`, `wordllama`,
    `module:name`, or empty: what is installed. `auto_execute` allows an assistant to run what a
    search is sure of without asking its user first; what changes something outside is asked for
    all the same.

    `checkpoints` and `checkpoint_key` are files outside the data folder, somewhere beside it unless
    they are named; `signs` says whether this process writes checkpoints.

    `apart` has another process read a large catalogue that was never read: it is awaited with
    settings for that process, and what it leaves unread is read here. A first reading takes memory
    that a process does not get rid of.
    """

    database: str = ""
    folders: tuple[Path, ...] = ()
    tenant: str = "default"
    allowed_hosts: frozenset[tuple[str, int]] = frozenset()
    connectors: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, PythonTask] = field(default_factory=dict)
    work: bool = True
    concurrency: int = 64
    most: int = 0
    drain: float = 5.0
    name: str = ""
    release: str = ""
    checkpoints: Path | None = None
    checkpoint_key: Path | None = None
    signs: bool = False
    pace: Pace = field(default_factory=Pace)
    clock: Clock = field(default_factory=WorldClock)
    policy: Path | None = None
    categories: Path | None = None
    models: Models = field(default_factory=Models)
    encoder: str = ""
    ranker: Path | None = None
    auto_execute: bool = False
    apart: "Callable[[Settings], Awaitable[None]] | None" = None

    async def first_reading(self) -> None:
        """Have a large catalogue read for the first time by whoever does that, if anybody does."""
        if self.apart is not None:
            await self.apart(replace(self, work=False, signs=False, models=Models(), apart=None))


def policy_of(settings: Settings) -> PolicyFile:
    """The policy file that these settings mean; raises Refused `database_url`."""
    return PolicyFile(settings.policy, home_of(settings), settings.folders)


def label_file_of(settings: Settings) -> LabelFile:
    """The file of categories that these settings mean; raises Refused `database_url`."""
    home = home_of(settings)
    return LabelFile(settings.categories, home, policy_of(settings), settings.folders)


def home_of(settings: Settings) -> Path:
    """The folder of what belongs to this installation and is no part of the database.

    Raises Refused `database_url`.
    """
    database = database_of(settings.database)
    if isinstance(database, Path):
        return database.parent
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def kept_secrets(settings: Settings) -> SecretFiles:
    """The secrets that a person has set here; raises Refused `database_url`."""
    return SecretFiles(home_of(settings) / "secrets", settings.clock.bytes)


def secrets_of(settings: Settings) -> Secrets:
    """What the connectors of this installation may resolve; what is known is masked at once."""
    around = Environment()
    for value in around.values():
        KNOWN.learn(value.reveal())
    return Secrets(settings.tenant, (around, kept_secrets(settings)))


def model_of(settings: Settings, name: str) -> Anthropic | None:
    """The language model of this name, or None where none is to be asked."""
    models = settings.models
    if not models.key or name == OFF:
        return None
    if not models.key.startswith(SCHEME):
        KNOWN.learn(models.key)
    account = Account(models.key, secrets_of(settings), models.url)
    return Anthropic(account, settings.clock.bytes, name)


def beside(store: Store) -> Path:
    """The file beside which this process may keep what it can make again at any time."""
    if isinstance(store, SqliteStore):
        return store.path
    from platformdirs import user_cache_path

    name = hashlib.sha256(store.place.encode()).hexdigest()[:12]
    return user_cache_path(APP, appauthor=False, ensure_exists=True) / name
