"""From a step that is about to change something to the operation that a person is shown.

What is allowed is what is sent: the operation holds the request as it was built, byte for byte
but for the idempotency key, with the digest of the workflow it comes from. Two templates stand
for many steps: one over all items of a list, with a digest of every item's operation, and one
over a sub-workflow whose arguments are known only as it goes (TRUST 1.4). It refuses to know who
decides.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from engine.core.approval.plan import Operation
from engine.core.model import Task
from engine.core.request import Request, shown

_VERBS: Mapping[str, str] = MappingProxyType(
    {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
)


def operation(
    path: str,
    task: Task,
    given: Any,
    request: Request | None,
    definition: str,
    precondition: str = "",
) -> Operation:
    """The operation that the step at `path` is about to be; `definition` is its workflow's digest.

    `precondition` is the digest of what was read before, where the connector declares that.
    """
    args: dict[str, Any] = {"input": given}
    if request is not None:
        args["request"] = _shown(request)
    target = _target(task) if request is None else f"{request.method} {shown(request).url}"
    return _made(path, task, target, args, definition, precondition)


def bulk(path: str, task: Task, ops: Iterable[str], items: list[Any], definition: str) -> Operation:
    """One operation for all items of a long list; `ops` are the digests of theirs, in order."""
    every = sha256(b"handrail/items/v1\0")
    for digest in ops:
        every.update(bytes.fromhex(digest))
    args = {"items": items, "digest": every.hexdigest()}
    return _made(path, task, _target(task), args, definition, "", len(items))


def repeated(
    path: str, task: Task, written_input: Any, items: list[Any], definition: str
) -> Operation:
    """One operation for what a sub-workflow does to each of `items`, as its author wrote it."""
    args = {"input": written_input, "items": items}
    return _made(path, task, _target(task), args, definition, "", len(items))


def _made(
    path: str,
    task: Task,
    target: str,
    args: Any,
    definition: str,
    precondition: str,
    count: int = 1,
) -> Operation:
    said = task.declared
    return Operation(
        id=path,
        verb=said.verb or _verb(task),
        target=target,
        args=args,
        task=f"{task.namespace}/{task.name}",
        definition=definition,
        reversible=said.reversible,
        idempotency=said.idempotency.kind,
        lookup=said.lookup is not None,
        weak_cas=bool(precondition) and said.compare_and_set == "none",
        precondition=precondition,
        count=count,
    )


def _verb(task: Task) -> str:
    return _VERBS.get(task.http.method, "call") if task.http is not None else "call"


def _target(task: Task) -> str:
    """What is called, as far as its author wrote it."""
    if task.http is None:
        return f"python function {task.python}"
    spec = task.http
    url = str(spec.url.source).replace(f"connector://{spec.connector}/", f"{spec.base}/", 1)
    return f"{spec.method} {url}"


def _shown(request: Request) -> dict[str, Any]:
    request = shown(request)  # secrets by reference only
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": None if request.body is None else request.body.decode(),
    }
