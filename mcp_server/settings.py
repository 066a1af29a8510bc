"""How a server is set up: environment variables and flags become one frozen value, once.

A flag that was given wins over the environment. What cannot be meant is refused here with the
name of the setting, before anything is opened. Nobody else reads the environment. Every process
of Handrail comes through here, a worker too, so nothing is imported that takes time.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import Refused

if TYPE_CHECKING:
    from engine.app.settings import Settings

TOOLSETS = ("default", "operate")
HOSTS = ("127.0.0.1", "::1", "localhost")
PORT = 8765
MOST_RUNS = 1_000_000
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_SPAN = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m)?")
_PAIR = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything a server or a worker needs to know before it starts.

    `database` is a path, a URL, or empty for the user's data folder. `policy` is the file that
    says what asks a person; without it the one beside the database counts. `allowed_hosts` are
    private addresses that http tasks may call all the same. `origins` are further web origins,
    exact and with port, that may call the HTTP server from a browser. `json_response` answers HTTP
    calls with plain JSON instead of an event stream: faster, but without progress.

    `work` says whether this process also carries out runs: `concurrency` at a time, and no more
    than `max_runs` in all processes together (0: no limit). `drain` is how many seconds they get
    to come to a safe point when the process ends. `name` and `release` tell people which worker
    this is and which code of theirs it runs. `checkpoints` and `checkpoint_key` are files outside
    the data folder; `signs` says whether this process writes checkpoints of the journal.
    """

    database: str = ""
    folders: tuple[Path, ...] = ()
    policy: Path | None = None
    toolsets: frozenset[str] = frozenset({"default"})
    allowed_hosts: frozenset[tuple[str, int]] = frozenset()
    demo: bool = False
    # Authentication does not exist yet; nothing is put on the network without it.
    host: str = "127.0.0.1"
    port: int = PORT
    origins: tuple[str, ...] = ()
    json_response: bool = False
    work: bool = True
    concurrency: int = 64
    max_runs: int = 0
    drain: float = 5.0
    name: str = ""
    release: str = ""
    checkpoints: Path | None = None
    checkpoint_key: Path | None = None
    signs: bool = False


VARIABLES: Mapping[str, str] = {
    "database": "HANDRAIL_DATABASE_URL",
    "folders": "HANDRAIL_WORKFLOWS",
    "policy": "HANDRAIL_POLICY",
    "toolsets": "HANDRAIL_TOOLSETS",
    "allowed_hosts": "HANDRAIL_ALLOWED_HOSTS",
    "demo": "HANDRAIL_DEMO",
    "host": "HANDRAIL_HOST",
    "port": "HANDRAIL_PORT",
    "origins": "HANDRAIL_ORIGINS",
    "json_response": "HANDRAIL_JSON_RESPONSE",
    "concurrency": "HANDRAIL_CONCURRENCY",
    "max_runs": "HANDRAIL_MAX_RUNS",
    "drain": "HANDRAIL_DRAIN",
    "release": "HANDRAIL_RELEASE",
    "checkpoints": "HANDRAIL_CHECKPOINTS",
    "checkpoint_key": "HANDRAIL_CHECKPOINT_KEY",
}
"""The environment variable of each setting that has one."""


def from_environment(
    environment: Mapping[str, str] = os.environ,
    *,
    database: str = "",
    folders: Iterable[Path] = (),
    toolsets: str = "",
    demo: bool | None = None,
    host: str = "",
    port: int | None = None,
    concurrency: int | None = None,
    drain: float | None = None,
    usual_drain: float = 5.0,
    **more: Any,
) -> ServerSettings:
    """The settings that the environment and the flags describe; an empty flag was not given.

    `usual_drain` is the default of `drain`, `more` are settings that no variable has. Raises
    Refused `bad_setting`, naming the variable, for a value that cannot be meant.
    """
    given: dict[str, Any] = {
        "database": database, "folders": tuple(folders), "toolsets": toolsets, "demo": demo,
        "host": host, "port": port, "concurrency": concurrency, "drain": drain,
    }  # fmt: skip
    flags = {name: value for name, value in given.items() if value not in ("", (), None)}
    texts = {
        name: text
        for name, variable in VARIABLES.items()
        if name not in flags and (text := environment.get(variable))
    }
    texts |= {name: flags.pop(name) for name in ("toolsets", "host") if name in flags}
    values = {name: _read(name, text) for name, text in texts.items()}
    return ServerSettings(**{"drain": usual_drain, **values, **flags, **more})


def engine_settings(settings: ServerSettings) -> "Settings":
    """What of it the engine has to know."""
    from engine.app.settings import Settings

    return Settings(
        database=settings.database,
        folders=settings.folders,
        policy=settings.policy,
        allowed_hosts=settings.allowed_hosts,
        work=settings.work,
        concurrency=settings.concurrency,
        most=settings.max_runs,
        drain=settings.drain,
        name=settings.name,
        release=settings.release,
        checkpoints=settings.checkpoints,
        checkpoint_key=settings.checkpoint_key,
        signs=settings.signs,
    )


# -- reading one setting ------------------------------------------------------------------------


def _read(name: str, text: str) -> Any:
    try:
        return _READERS[name](text)
    except ValueError as error:
        variable = VARIABLES[name]
        message = f"{variable}: {text[:40]!r} cannot be meant: {error}"
        raise Refused("bad_setting", message, _HINTS.get(variable, "")) from None


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part.strip())


def _file(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _toolsets(text: str) -> frozenset[str]:
    names = _words(text)
    for name in names:
        if name not in TOOLSETS:
            near = difflib.get_close_matches(name, TOOLSETS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(TOOLSETS)}."
            raise ValueError(f"there is no toolset {name[:40]!r}. {hint}")
    return frozenset(names)


def _hosts(text: str) -> frozenset[tuple[str, int]]:
    pairs = []
    for word in _words(text):
        found = _PAIR.fullmatch(word)
        if found is None or int(found[2]) > 65535:
            raise ValueError(f"{word[:60]!r} is not host:port")
        pairs.append((found[1].strip("[]").lower(), int(found[2])))
    return frozenset(pairs)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in (*_YES, *_NO):
        raise ValueError("it is neither yes nor no")
    return word in _YES


def _host(text: str) -> str:
    if text not in HOSTS:
        raise ValueError(f"it is none of {', '.join(HOSTS)}")
    return text


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        digits = text.strip()
        if not (digits.isascii() and digits.isdecimal()) or not low <= int(digits[:9]) <= high:
            raise ValueError(f"it is no whole number from {low} to {high:,}")
        return int(digits)

    return read


def _seconds(text: str) -> float:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError("it is no length of time")
    return float(found[1]) * {"ms": 0.001, "m": 60.0}.get(found[2], 1.0)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "database": str,
    "folders": _folders,
    "policy": lambda text: Path(text).expanduser().absolute(),
    "toolsets": _toolsets,
    "allowed_hosts": _hosts,
    "demo": _flag,
    "host": _host,
    "port": _number(0, 65_535),
    "origins": _words,
    "json_response": _flag,
    "concurrency": _number(1, 10_000),
    "max_runs": _number(0, MOST_RUNS),
    "drain": _seconds,
    "release": str,
    "checkpoints": _file,
    "checkpoint_key": _file,
}

_HINTS: Mapping[str, str] = {
    "HANDRAIL_HOST": "Authentication does not exist yet; only this machine may connect.",
    "HANDRAIL_DEMO": "Use 1 or 0.",
    "HANDRAIL_JSON_RESPONSE": "Use 1 or 0.",
    "HANDRAIL_PORT": "Use a number from 0 to 65535.",
    "HANDRAIL_ALLOWED_HOSTS": "Write host:port, several with a comma between.",
    "HANDRAIL_MAX_RUNS": "0 is no limit; give every process the same number.",
    "HANDRAIL_DRAIN": "Write a length of time such as 10s or 1m.",
}
