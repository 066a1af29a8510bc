"""How a server is set up: environment variables and flags become one frozen value, once.

A flag that was given wins over the environment. What cannot be meant is refused here with the
name of the setting, before anything is opened. Nobody else reads the environment. Every process
of Handrail comes through here, a worker too, so nothing is imported that takes time.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import Refused
from mcp_server.readings import HINTS, READERS, is_loopback

if TYPE_CHECKING:
    from engine.app.settings import Settings

PORT = 8765


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything a server or a worker needs to know before it starts.

    `database` is a path, a URL, or empty for the user's data folder. `policy` is the file that
    says what asks a person, and `categories` the one that declares labels; without them those
    beside the database count. `allowed_hosts` are
    private addresses that http tasks may call all the same. `tenant` is whose data is served.

    Over HTTP `host_names` are further names that callers may give in `Host`, and `origins` web
    origins that may call from a browser; both are exact. Who calls is known by `token_file`, which
    holds one token for everybody, or by tokens of the OAuth server `issuer`, whose keys lie where
    it says or at `jwks_url`; without either everybody on this machine may. `public_url` is what
    clients call the server and what tokens must be made for. `tls_proxy` says that TLS ends in
    front of us, `trusted_proxies` whose word on a caller's address is taken.
    `call_rate` and `run_rate` are how many calls and executions a second a caller may go on with
    (0: no limit), `most_calls` how many at a time, `most_sessions` how many sessions of older
    clients there may be, and `read_timeout` how many seconds a request may take to arrive.
    `json_response` answers with plain JSON instead of an event stream: faster, without progress.

    `work` says whether this process also carries out runs: `concurrency` at a time, and no more
    than `max_runs` in all processes together (0: no limit). `drain` is how many seconds they get
    to come to a safe point when the process ends. `name` and `release` tell people which worker
    this is and which code of theirs it runs. `checkpoints` and `checkpoint_key` are files outside
    the data folder; `signs` says whether this process writes checkpoints of the journal.

    `model_key` is the key for the language model or a reference to it, and shows itself nowhere;
    `model_url` is where it is asked, `model_labels` and `model_extract` which model is.
    `encoder` names what compares meanings in searches, `ranker` a file of weights for them.
    `auto_execute` bounds the argument autoExecute of search_workflows.
    """

    database: str = ""
    folders: tuple[Path, ...] = ()
    policy: Path | None = None
    categories: Path | None = None
    toolsets: frozenset[str] = frozenset({"default"})
    allowed_hosts: frozenset[tuple[str, int]] = frozenset()
    demo: bool = False
    tenant: str = "default"
    host: str = "127.0.0.1"
    port: int = PORT
    host_names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    public_url: str = ""
    tls_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ()
    token_file: Path | None = None
    issuer: str = ""
    jwks_url: str = ""
    call_rate: int = 200
    run_rate: int = 50
    most_calls: int = 128
    most_sessions: int = 200
    read_timeout: float = 10.0
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
    model_key: str = field(default="", repr=False)
    model_url: str = ""
    model_labels: str = ""
    model_extract: str = ""
    encoder: str = ""
    ranker: Path | None = None
    auto_execute: bool = False

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the HTTP server."""
        return is_loopback(self.host)

    @property
    def authenticated(self) -> bool:
        """Whether callers over HTTP have to say who they are."""
        return bool(self.issuer or self.token_file)


VARIABLES: Mapping[str, str] = {
    "database": "HANDRAIL_DATABASE_URL",
    "folders": "HANDRAIL_WORKFLOWS",
    "policy": "HANDRAIL_POLICY",
    "categories": "HANDRAIL_CATEGORIES",
    "toolsets": "HANDRAIL_TOOLSETS",
    "allowed_hosts": "HANDRAIL_ALLOWED_HOSTS",
    "demo": "HANDRAIL_DEMO",
    "tenant": "HANDRAIL_TENANT",
    "host": "HANDRAIL_HOST",
    "port": "HANDRAIL_PORT",
    "host_names": "HANDRAIL_HOST_NAMES",
    "origins": "HANDRAIL_ORIGINS",
    "public_url": "HANDRAIL_PUBLIC_URL",
    "tls_proxy": "HANDRAIL_TLS_PROXY",
    "trusted_proxies": "HANDRAIL_TRUSTED_PROXIES",
    "token_file": "HANDRAIL_TOKEN_FILE",
    "issuer": "HANDRAIL_AUTH_ISSUER",
    "jwks_url": "HANDRAIL_AUTH_JWKS_URL",
    "call_rate": "HANDRAIL_CALLS_PER_SECOND",
    "run_rate": "HANDRAIL_RUNS_PER_SECOND",
    "most_calls": "HANDRAIL_MAX_CALLS",
    "most_sessions": "HANDRAIL_MAX_SESSIONS",
    "read_timeout": "HANDRAIL_READ_TIMEOUT",
    "json_response": "HANDRAIL_JSON_RESPONSE",
    "concurrency": "HANDRAIL_CONCURRENCY",
    "max_runs": "HANDRAIL_MAX_RUNS",
    "drain": "HANDRAIL_DRAIN",
    "release": "HANDRAIL_RELEASE",
    "checkpoints": "HANDRAIL_CHECKPOINTS",
    "checkpoint_key": "HANDRAIL_CHECKPOINT_KEY",
    "model_key": "HANDRAIL_ANTHROPIC_KEY",
    "model_url": "HANDRAIL_ANTHROPIC_URL",
    "model_labels": "HANDRAIL_MODEL_LABELS",
    "model_extract": "HANDRAIL_MODEL_EXTRACT",
    "encoder": "HANDRAIL_ENCODER",
    "ranker": "HANDRAIL_RANKER",
    "auto_execute": "HANDRAIL_AUTO_EXECUTE",
}
"""The environment variable of each setting that has one."""

USUAL: Mapping[str, str] = {
    "HANDRAIL_ANTHROPIC_KEY": "ANTHROPIC_API_KEY",
    "HANDRAIL_ANTHROPIC_URL": "ANTHROPIC_BASE_URL",
}
"""The names that others use for the same; they count where ours are not set."""


def from_environment(
    environment: Mapping[str, str] = os.environ,
    *,
    database: str = "",
    folders: Iterable[Path] = (),
    demo: bool | None = None,
    port: int | None = None,
    tls_proxy: bool | None = None,
    concurrency: int | None = None,
    drain: float | None = None,
    usual_drain: float = 5.0,
    texts: Mapping[str, str] | None = None,
    **more: Any,
) -> ServerSettings:
    """The settings that the environment and the flags describe; an empty flag was not given.

    `usual_drain` is the default of `drain`, `texts` are flags that are read as their variables
    are, `more` are settings that no variable has. Raises Refused `bad_setting`, naming the
    variable, for a value that cannot be meant.
    """
    given: dict[str, Any] = {
        "database": database, "folders": tuple(folders), "demo": demo, "port": port,
        "tls_proxy": tls_proxy, "concurrency": concurrency, "drain": drain,
    }  # fmt: skip
    flags = {name: value for name, value in given.items() if value not in ("", (), None)}
    said = {name: _said(environment, variable) for name, variable in VARIABLES.items()}
    said |= {name: text for name, text in (texts or {}).items() if text}
    values = {name: _read(name, text) for name, text in said.items() if text and name not in flags}
    return ServerSettings(**{"drain": usual_drain, **values, **flags, **more})


def engine_settings(settings: ServerSettings) -> "Settings":
    """What of it the engine has to know."""
    from engine.app.settings import Settings
    from engine.shell.models import Models

    named = {
        "key": settings.model_key, "url": settings.model_url,
        "labels": settings.model_labels, "extract": settings.model_extract,
    }  # fmt: skip
    return Settings(
        models=Models(**{name: text for name, text in named.items() if text}),
        database=settings.database,
        folders=settings.folders,
        policy=settings.policy,
        categories=settings.categories,
        tenant=settings.tenant,
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
        encoder=settings.encoder,
        ranker=settings.ranker,
        auto_execute=settings.auto_execute,
    )


def _said(environment: Mapping[str, str], variable: str) -> str:
    return environment.get(variable, "") or environment.get(USUAL.get(variable, ""), "")


def _read(name: str, text: str) -> Any:
    try:
        return READERS[name](text)
    except ValueError as error:
        variable = VARIABLES[name]
        message = f"{variable}: {text[:40]!r} cannot be meant: {error}"
        raise Refused("bad_setting", message, HINTS.get(variable, "")) from None
