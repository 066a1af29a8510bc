"""What an expression reads, as far as its text tells."""

from engine.core.expr.tree import Key, Literal, Node, Path, Root, children

Reference = tuple[str | int, ...]


def references(node: Node) -> frozenset[Reference]:
    """Static paths from names of the scope, up to the first computed or many-valued part.

    `$` and `@` are values at hand and no references.
    """
    found: set[Reference] = set()
    todo: list[Node] = [node]
    while todo:
        here = todo.pop()
        if isinstance(here, Path) and isinstance(here.base, Root):
            _note(here.base, _static(here), found)
            todo += children(here)[1:]
        elif isinstance(here, Root):
            _note(here, (), found)
        elif not isinstance(here, Literal):
            todo += children(here)
    return frozenset(found)


def _note(root: Root, keys: Reference, found: set[Reference]) -> None:
    if root.name not in ("$", "@"):
        found.add((root.name, *keys))


def _static(path: Path) -> Reference:
    keys: list[str | int] = []
    for segment in path.segments:
        if not isinstance(segment, Key):
            break
        keys.append(segment.name)
    return tuple(keys)
