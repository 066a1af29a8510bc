"""Secrets by reference: where their values are kept, and who may have them.

A value is taken up at the last moment, by the connector that sends it, and taught to the redactor
before it is used. A secret belongs to a tenant; the environment (`HANDRAIL_SECRET_<NAME>`) is the
default tenant's and goes before the files. One that is bound to hosts is sent to no other. What
is not there is a person's move: the run waits until they have set it.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from engine.core.errors import Failure, Kind, Refused, StepError
from engine.core.secrets import SecretRef, parse_reference
from engine.shell.redact import KNOWN, MASK, Redactor

VARIABLE = "HANDRAIL_SECRET_"
DEFAULT_TENANT = "default"


class Secret:
    """A value that does not show itself: not printed, formatted, pickled, copied or dumped."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value; only for whoever sends it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret is not written down")

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret as it is kept. `hosts` are those it may be sent to; none means any."""

    value: Secret
    version: int
    hosts: tuple[str, ...] = ()


class Keeping(Protocol):
    """A place where secrets are kept. May read files, so it is asked on a thread."""

    def get(self, tenant: str, name: str, version: int) -> Kept | None:
        """The secret, `version` 0 the newest; raises Refused when it cannot be read."""
        ...


class Environment:
    """Secrets of the default tenant in environment variables, which have no versions.

    Only names with the prefix can be meant, so no reference reaches another variable.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def get(self, tenant: str, name: str, version: int) -> Kept | None:
        """See `Keeping`."""
        if tenant != DEFAULT_TENANT or version:
            return None
        value = self._variables.get(variable(name))
        return Kept(Secret(value), 0) if value else None

    def values(self) -> Iterator[Secret]:
        """Every value there is."""
        for name, value in self._variables.items():
            if name.startswith(VARIABLE):
                yield Secret(value)


def variable(name: str) -> str:
    """The environment variable of a secret.

    >>> variable("stripe-key")
    'HANDRAIL_SECRET_STRIPE_KEY'
    """
    return VARIABLE + name.upper().replace("-", "_")


class Secrets:
    """What a tenant's connectors may resolve."""

    def __init__(self, tenant: str, places: Iterable[Keeping], redactor: Redactor = KNOWN) -> None:
        self._tenant = tenant
        self._places = tuple(places)
        self._redactor = redactor

    async def values(self, references: Iterable[str], host: str) -> Mapping[str, Secret]:
        """The secrets that are to be sent to `host`, by reference.

        Raises StepError: `auth` when one is missing or cannot be read, `permission` when it is
        another tenant's or bound to other hosts.
        """
        wanted = [(text, parse_reference(text)) for text in references]
        for text, reference in wanted:
            if reference.tenant not in {"", self._tenant}:
                raise _foreign(text)
        found = await asyncio.to_thread(self._found, [reference for _, reference in wanted])
        for (text, _), kept in zip(wanted, found, strict=True):
            if kept.hosts and host.lower() not in kept.hosts:
                raise _bound(text, host)
            self._redactor.learn(kept.value.reveal())
        return {text: kept.value for (text, _), kept in zip(wanted, found, strict=True)}

    def _found(self, references: Iterable[SecretRef]) -> list[Kept]:
        return [self._one(reference) for reference in references]

    def _one(self, reference: SecretRef) -> Kept:
        try:
            for place in self._places:
                kept = place.get(self._tenant, reference.name, reference.version)
                if kept is not None:
                    return kept
        except Refused as refusal:
            raise _failed(refusal.code, refusal.message, refusal.hint) from None
        raise _missing(reference)


def _failed(code: str, message: str, hint: str, kind: Kind = Kind.AUTH) -> StepError:
    return StepError(Failure(kind, code, message, hint))


def _missing(reference: SecretRef) -> StepError:
    name, version = reference.name, reference.version
    shown = f"{name}, version {version}" if version else name
    hint = f"Run `handrail secret set {name}` in a terminal, then let the run go on."
    return _failed("secret_missing", f"there is no secret {shown} here", hint)


def _foreign(text: str) -> StepError:
    hint = "A connector uses secrets of its own tenant: secret://name."
    message = f"{text} belongs to another tenant"
    return _failed("foreign_secret", message, hint, Kind.PERMISSION)


def _bound(text: str, host: str) -> StepError:
    hint = "Set the secret again with --host for each host that may have it."
    message = f"{text} may not be sent to {host[:80]}"
    return _failed("secret_bound", message, hint, Kind.PERMISSION)
