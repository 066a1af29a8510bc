"""How a server is set up: environment variables and flags become one frozen value, once.

A flag that was given wins over the environment. What cannot be meant is refused here with the
name of the setting, before anything is opened. Nobody else reads the environment.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import Refused

if TYPE_CHECKING:
    from engine.app.settings import Settings

TOOLSETS = ("default", "operate")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT = 8765
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Everything a server needs to know before it starts.

    `database` is a path, `sqlite:///path`, or empty for the user's data folder. `origins` are
    further web origins, exact and with port, that may call the HTTP server from a browser.
    `work` says whether this process also carries out runs. `json_response` answers HTTP calls
    with plain JSON instead of an event stream: faster, but without progress.
    """

    database: str = ""
    folders: tuple[Path, ...] = ()
    toolsets: frozenset[str] = frozenset({"default"})
    demo: bool = False
    host: str = "127.0.0.1"
    port: int = PORT
    origins: tuple[str, ...] = ()
    json_response: bool = False
    work: bool = True


def from_environment(
    environment: Mapping[str, str] = os.environ,
    *,
    database: str = "",
    folders: Iterable[Path] = (),
    toolsets: str = "",
    demo: bool | None = None,
    host: str = "",
    port: int | None = None,
    work: bool = True,
) -> ServerSettings:
    """The settings that the environment and the flags describe; an empty flag was not given.

    Raises Refused `bad_setting`, naming the variable, for a value that cannot be meant.
    """
    read = environment.get
    return ServerSettings(
        database=database or read("HANDRAIL_DATABASE_URL", ""),
        folders=tuple(folders) or _folders(read("HANDRAIL_WORKFLOWS", "")),
        toolsets=_toolsets(toolsets or read("HANDRAIL_TOOLSETS", "") or "default"),
        demo=_switch("HANDRAIL_DEMO", read("HANDRAIL_DEMO", "")) if demo is None else demo,
        host=_loopback(host or read("HANDRAIL_HOST", "") or "127.0.0.1"),
        port=_port(read("HANDRAIL_PORT", "") or str(PORT)) if port is None else port,
        origins=tuple(read("HANDRAIL_ORIGINS", "").replace(",", " ").split()),
        json_response=_switch("HANDRAIL_JSON_RESPONSE", read("HANDRAIL_JSON_RESPONSE", "")),
        work=work,
    )


def engine_settings(settings: ServerSettings) -> "Settings":
    """What of it the engine has to know."""
    from engine.app.settings import Settings

    return Settings(database=settings.database, folders=settings.folders, work=settings.work)


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part.strip())


def _toolsets(text: str) -> frozenset[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        if name not in TOOLSETS:
            near = difflib.get_close_matches(name, TOOLSETS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(TOOLSETS)}."
            raise _bad("HANDRAIL_TOOLSETS", f"there is no toolset {name[:40]!r}", hint)
    return frozenset(names)


def _switch(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise _bad(name, f"{text[:40]!r} is neither yes nor no", "Use 1 or 0.")
    return word in _TRUE


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise _bad("HANDRAIL_PORT", f"{text[:40]!r} is no port", "Use a number from 0 to 65535.")
    return int(text)


def _loopback(host: str) -> str:
    if host not in LOOPBACK:
        hint = "Authentication does not exist yet; put nothing on the network without it."
        raise _bad("HANDRAIL_HOST", f"{host[:40]!r} is not this machine's loopback address", hint)
    return host


def _bad(setting: str, message: str, hint: str) -> Refused:
    return Refused("bad_setting", f"{setting}: {message}", hint)
