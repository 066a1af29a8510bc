"""How a server is set up: environment variables and flags become one frozen value, once.

A flag that was given wins over the environment. What cannot be meant is refused here with the
name of the setting, before anything is opened. Nobody else reads the environment.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine import Refused

if TYPE_CHECKING:
    from engine.app.settings import Settings

TOOLSETS = ("default", "operate")
PORT = 8765
_PAIR = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


def _folders(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part.strip())


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _toolsets(value: Any) -> Any:
    names = _words(value)
    for name in names:
        if name not in TOOLSETS:
            near = difflib.get_close_matches(name, TOOLSETS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(TOOLSETS)}."
            raise ValueError(f"there is no toolset {name[:40]!r}. {hint}")
    return frozenset(names)


def _hosts(value: Any) -> Any:
    pairs = []
    for word in _words(value):
        found = _PAIR.fullmatch(word)
        if found is None or int(found[2]) > 65535:
            raise ValueError(f"{word[:60]!r} is not host:port")
        pairs.append((found[1].strip("[]").lower(), int(found[2])))
    return frozenset(pairs)


class ServerSettings(BaseModel):
    """Everything a server needs to know before it starts.

    `database` is a path, `sqlite:///path`, or empty for the user's data folder. `allowed_hosts`
    are private addresses that http tasks may call all the same. `origins` are further web
    origins, exact and with port, that may call the HTTP server from a browser. `work` says
    whether this process also carries out runs. `json_response` answers HTTP calls with plain
    JSON instead of an event stream: faster, but without progress.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str = ""
    folders: Annotated[tuple[Path, ...], BeforeValidator(_folders)] = ()
    toolsets: Annotated[frozenset[str], BeforeValidator(_toolsets)] = frozenset({"default"})
    allowed_hosts: Annotated[frozenset[tuple[str, int]], BeforeValidator(_hosts)] = frozenset()
    demo: bool = False
    # Authentication does not exist yet; nothing is put on the network without it.
    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = PORT
    origins: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    json_response: bool = False
    work: bool = True


VARIABLES: Mapping[str, str] = {
    "database": "HANDRAIL_DATABASE_URL",
    "folders": "HANDRAIL_WORKFLOWS",
    "toolsets": "HANDRAIL_TOOLSETS",
    "allowed_hosts": "HANDRAIL_ALLOWED_HOSTS",
    "demo": "HANDRAIL_DEMO",
    "host": "HANDRAIL_HOST",
    "port": "HANDRAIL_PORT",
    "origins": "HANDRAIL_ORIGINS",
    "json_response": "HANDRAIL_JSON_RESPONSE",
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
    work: bool = True,
) -> ServerSettings:
    """The settings that the environment and the flags describe; an empty flag was not given.

    Raises Refused `bad_setting`, naming the variable, for a value that cannot be meant.
    """
    values: dict[str, Any] = {
        name: text for name, variable in VARIABLES.items() if (text := environment.get(variable))
    }
    flags = {"database": database, "folders": tuple(folders), "toolsets": toolsets, "host": host}
    values |= {name: value for name, value in flags.items() if value}
    values |= {name: v for name, v in {"demo": demo, "port": port}.items() if v is not None}
    try:
        return ServerSettings(**values, work=work)
    except ValidationError as error:
        raise _refused(error) from None


def engine_settings(settings: ServerSettings) -> "Settings":
    """What of it the engine has to know."""
    from engine.app.settings import Settings

    return Settings(
        database=settings.database,
        folders=settings.folders,
        allowed_hosts=settings.allowed_hosts,
        work=settings.work,
    )


def _refused(error: ValidationError) -> Refused:
    first = error.errors(include_url=False)[0]
    name = VARIABLES.get(str(first["loc"][0]), str(first["loc"][0]))
    said = first["msg"].removeprefix("Value error, ")
    message = f"{name}: {str(first['input'])[:40]!r} cannot be meant: {said}"
    return Refused("bad_setting", message, _HINTS.get(name, ""))


_HINTS: Mapping[str, str] = {
    "HANDRAIL_HOST": "Authentication does not exist yet; only this machine may connect.",
    "HANDRAIL_DEMO": "Use 1 or 0.",
    "HANDRAIL_JSON_RESPONSE": "Use 1 or 0.",
    "HANDRAIL_PORT": "Use a number from 0 to 65535.",
    "HANDRAIL_ALLOWED_HOSTS": "Write host:port, several with a comma between.",
}
