"""A version's content: the workflow's document with all that it needs, in one canonical form.

The digest of this form is the version's identity. Key order, comments, file names and lines do
not count. Sub-workflows are not in it, they have versions of their own; the effect that each had
is, and so is that of each registered function: when a sub-workflow turns into a mutation, its
callers are new versions too, and a person sees them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from engine.core.connector import Connector
from engine.core.documents.effects import distinct, references
from engine.core.documents.known import Known
from engine.core.documents.names import Key, Miss, parse_ref, written
from engine.core.documents.tasks import connector_ref
from engine.core.model import Effect, Step, Task

FORMAT = 1


def canonical(value: Any) -> str:
    """The one way to write a JSON value. Raises ValueError for what is not JSON.

    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(bundle: Mapping[str, Any]) -> str:
    """The identity of a bundle: SHA-256 of its canonical form, in hex."""
    return hashlib.sha256(canonical(bundle).encode()).hexdigest()


def make_bundle(
    document: Mapping[str, Any], steps: Iterable[Step], known: Known, effects: Mapping[Key, Effect]
) -> Mapping[str, Any]:
    """Everything that a version of this workflow pins."""
    steps = tuple(steps)
    tasks = [target for target in distinct(steps) if isinstance(target, Task)]
    used = {(task.namespace, task.name): task for task in tasks if "kind" in task.document}
    connectors = [connector for task in tasks for connector in connectors_of(task, known)]
    functions = {task.python for task in tasks if task.python is not None}
    subs = {(ref.namespace, ref.name) for ref in references(steps)}
    return {
        "format": FORMAT,
        "workflow": document,
        "tasks": {written(key): task.document for key, task in used.items()},
        "connectors": {written((one.namespace, one.name)): one.document for one in connectors},
        "workflows": {written(key): effects[key].value for key in subs},
        "functions": {name: known.functions.get(name, Effect.MUTATION).value for name in functions},
    }


def connectors_of(task: Task, known: Known) -> list[Connector]:
    """The connector that a task calls, if it calls one."""
    spec = task.document.get("spec")
    named = connector_ref(spec) if isinstance(spec, Mapping) else None
    if task.http is None or named is None:
        return []
    found = known.connectors.find(parse_ref(named[0]), task.namespace)
    return [] if isinstance(found, Miss) else [known.connectors[found]]
