"""Versions of workflows: what was published, which one is the default, which are deprecated."""

import json
from collections.abc import Iterable

from engine.core import events as ev
from engine.core.log import EventKind, Feature, Recorded, Write


def project(recorded: Recorded) -> Iterable[Write]:
    """The rows that an event of a workflow's versions touches."""
    match recorded.event:
        case ev.VersionPublished() as event:
            yield _published(recorded, event)
        case ev.DefaultSet(version, pinned):
            yield Write("version_default_clear", {"stream": recorded.stream})
            yield Write(
                "version_default_set",
                {"stream": recorded.stream, "version": version, "pinned": int(pinned)},
            )
        case ev.VersionDeprecated(version, undone):
            yield Write(
                "version_deprecate",
                {"stream": recorded.stream, "version": version, "deprecated": int(not undone)},
            )
        case _:
            return


def _published(recorded: Recorded, event: ev.VersionPublished) -> Write:
    return Write(
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
        },
    )


FEATURE = Feature(
    name="versions",
    kinds=(
        EventKind("version.published", ev.VersionPublished),
        EventKind("version.default_set", ev.DefaultSet),
        EventKind("version.deprecated", ev.VersionDeprecated),
        EventKind("breaker.moved", ev.BreakerMoved),
    ),
    tables=("versions",),
    project=project,
)
