"""What an expression reads, as far as its text tells."""

from engine.core.expr.tree import Key, Node, Path, Root, children

Reference = tuple[str | int, ...]


def references(node: Node) -> frozenset[Reference]:
    """Static paths from names of the scope, up to the first computed or many-valued part.

    `$` and `@` are values at hand and no references.
    """
    if isinstance(node, Root):
        return frozenset({(node.name,)} if node.name not in ("$", "@") else ())
    found: set[Reference] = set()
    if isinstance(node, Path) and isinstance(node.base, Root):
        found |= {(*root, *_static(node)) for root in references(node.base)}
        below = children(node)[1:]
    else:
        below = children(node)
    for child in below:
        found |= references(child)
    return frozenset(found)


def _static(path: Path) -> Reference:
    keys: list[str | int] = []
    for segment in path.segments:
        if not isinstance(segment, Key):
            break
        keys.append(segment.name)
    return tuple(keys)
