"""Ways through JSON values: plain paths, and paths that stand for many values.

The plain walk is the hot path of the engine and has no other work than looking up keys. A key
that is not there gives null, also where the value above it is no object.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.core.expr.limits import Budget
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import type_name

_ABSENT = object()


class Env:
    """What an evaluation may see: the scope, `$`, `@`, and the steps that are left."""

    __slots__ = ("budget", "element", "scope", "this")

    def __init__(self, scope: Mapping[str, Any], this: Any, budget: Budget) -> None:
        self.scope = scope
        self.this = this
        self.element = this
        self.budget = budget


Run = Callable[[Env], Any]
Nodes = list[Any]
Step = Callable[[Env, Nodes], Nodes]
"""One segment of a path that stands for many values."""


def walker(keys: tuple[str | int, ...]) -> Callable[[Any], Any]:
    """A function from a value to the value at `keys` below it, or null."""

    def walk(value: Any) -> Any:
        for key in keys:
            if value.__class__ is dict:
                value = value.get(key)
            elif value is None:
                return None
            else:
                value = member(value, key)
        return value

    def one(value: Any) -> Any:
        return value.get(only) if value.__class__ is dict else member(value, only)

    only = keys[0]
    return one if len(keys) == 1 else walk


def member(value: Any, key: str | int) -> Any:
    """The member `key` of an object, or the element at an index (from the end if negative)."""
    found = _find(value, key)
    return None if found is _ABSENT else found


def has_member(value: Any, key: str | int) -> bool:
    """Whether the member or element is there, be it null."""
    return _find(value, key) is not _ABSENT


def _find(value: Any, key: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(key, _ABSENT) if isinstance(key, str) else _ABSENT
    if isinstance(value, list | tuple) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else _ABSENT
    return _ABSENT


def as_key(value: Any) -> str | int | None:
    """A computed key: a text or a whole number; null leads nowhere."""
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Trouble("wrong_type", f"a key is a text or a whole number, not {type_name(value)}")


def each_member(key: str | int) -> Step:
    """The member of every node that has it."""

    def step(env: Env, nodes: Nodes) -> Nodes:
        env.budget.spend(len(nodes))
        found = (_find(node, key) for node in nodes)
        return [value for value in found if value is not _ABSENT]

    return step


def each_computed(key: Run) -> Step:
    """The member of every node, its name being a value."""

    def step(env: Env, nodes: Nodes) -> Nodes:
        name = as_key(key(env))
        return [] if name is None else each_member(name)(env, nodes)

    return step


def every(env: Env, nodes: Nodes) -> Nodes:
    """All elements or field values of every node."""
    found: Nodes = []
    for node in nodes:
        inside = elements(node)
        env.budget.spend(len(inside) + 1)
        found.extend(inside)
    return found


def sliced(start: int | None, stop: int | None, step: int | None) -> Step:
    """A slice of every node that is an array."""
    cut = slice(start, stop, step)

    def run(env: Env, nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if isinstance(node, list | tuple):
                part = node[cut]
                env.budget.spend(len(part) + 1)
                found.extend(part)
        return found

    return run


def where(holds: Callable[[Env], bool], cost: int) -> Step:
    """The elements of every node for which `holds`, each of them being `@` in turn."""

    def run(env: Env, nodes: Nodes) -> Nodes:
        outer, found = env.element, []
        for node in nodes:
            inside = elements(node)
            env.budget.spend(len(inside) * cost + 1)
            for element in inside:
                env.element = element
                if holds(env):
                    found.append(element)
        env.element = outer
        return found

    return run


def elements(value: Any) -> Nodes:
    """The elements of an array, the field values of an object, nothing for all else."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, tuple) else []
