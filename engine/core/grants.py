"""Under which name a step was allowed: its own path, or a template that stands for many."""

import re

from engine.core.state import Granted, Run

_INDEX = re.compile(r"\[[0-9]+\]")


def templates_of(path: str) -> tuple[str, ...]:
    """The templates that may stand for a step inside a forEach, the nearest first.

    >>> templates_of("loop[3]/notify[1]")
    ('loop[3]/notify[*]', 'loop[*]/notify[*]')
    >>> templates_of("loop[3]/charge"), templates_of("charge")
    (('loop[*]/charge',), ())
    """
    if "[" not in path:
        return ()
    head, _, tail = path.rpartition("[")
    near = f"{head}[*]{tail.partition(']')[2]}"
    far = _INDEX.sub("[*]", path)
    return (near,) if near == far else (near, far)


def grant_for(run: Run, path: str) -> str:
    """The id of the operation that allows a step to be begun; empty when nothing does."""
    if path in run.grants:
        return path
    for template in templates_of(path):
        held = run.grants.get(template)
        if held is not None and not full(held, path):
            return template
    return ""


def full(held: Granted, path: str) -> bool:
    """Whether a template has been used as often as was allowed."""
    return bool(held.most) and path not in held.paths and len(held.paths) >= held.most
