"""Versions of workflows: what was published, which one is the default, which are deprecated."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from engine.core import events as ev
from engine.core.log import EventKind, Feature, Param, Recorded, Write


def _published(recorded: Recorded) -> Iterable[Write]:
    event: ev.VersionPublished = recorded.event
    row = Write(
        "version_insert",
        {
            "stream": recorded.stream,
            "tenant": recorded.tenant,
            "namespace": event.namespace,
            "name": event.name,
            "version": event.version,
            "digest": event.digest,
            "effect": event.effect,
            "pending": int(event.pending),
            "bundle": json.dumps(event.bundle, ensure_ascii=False, separators=(",", ":")),
            "published_at": recorded.at,
            "concurrency": _concurrency(event.bundle),
        },
    )
    return (row,)


def _concurrency(bundle: Mapping[str, Any]) -> int:
    """The limit that the document of a bundle sets; 0 when it sets none."""
    spec = bundle.get("workflow", {}).get("spec")
    found = spec.get("concurrency") if isinstance(spec, Mapping) else None
    return found if isinstance(found, int) else 0


def _accepted(recorded: Recorded) -> Iterable[Write]:
    event: ev.VersionAccepted = recorded.event
    row: dict[str, Param] = {"stream": recorded.stream, "version": event.version}
    return (Write("version_accepted", {**row, "digest": event.digest}),)


def _default_set(recorded: Recorded) -> Iterable[Write]:
    event: ev.DefaultSet = recorded.event
    stream, pinned = recorded.stream, int(event.pinned)
    return (
        Write("version_default_clear", {"stream": stream}),
        Write(
            "version_default_set", {"stream": stream, "version": event.version, "pinned": pinned}
        ),
    )


def _deprecated(recorded: Recorded) -> Iterable[Write]:
    event: ev.VersionDeprecated = recorded.event
    stream, deprecated = recorded.stream, int(not event.undone)
    return (
        Write(
            "version_deprecate",
            {"stream": stream, "version": event.version, "deprecated": deprecated},
        ),
    )


FEATURE = Feature(
    name="versions",
    kinds=(
        EventKind("version.published", ev.VersionPublished),
        EventKind("version.accepted", ev.VersionAccepted),
        EventKind("version.default_set", ev.DefaultSet),
        EventKind("version.deprecated", ev.VersionDeprecated),
        EventKind("breaker.moved", ev.BreakerMoved),
    ),
    tables=("versions",),
    project=MappingProxyType(
        {
            ev.VersionPublished: _published,
            ev.VersionAccepted: _accepted,
            ev.DefaultSet: _default_set,
            ev.VersionDeprecated: _deprecated,
        }
    ),
)
