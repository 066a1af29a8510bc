"""The table of all operations of a transform pipeline: 37 of them, by the name in documents."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.core.transforms import chance, elements, groups, rows, shape
from engine.core.transforms.options import Options
from engine.core.transforms.work import Operate

OPERATIONS: Mapping[str, Callable[[Options], Operate]] = MappingProxyType(
    {
        "select": shape.select,
        "filter": rows.filter_,
        "map": shape.map_,
        "flatMap": shape.flat_map,
        "groupBy": groups.group_by,
        "join": groups.join,
        "sortBy": rows.sort_by,
        "enrich": shape.enrich,
        "aggregate": groups.aggregate,
        "limit": rows.limit,
        "skip": rows.skip,
        "randomOne": chance.random_one,
        "randomN": chance.random_n,
        "shuffle": chance.shuffle,
        "uppercase": elements.uppercase,
        "lowercase": elements.lowercase,
        "trim": elements.trim,
        "split": elements.split,
        "concat": elements.concat,
        "replace": elements.replace,
        "substring": elements.substring,
        "template": shape.template,
        "round": elements.round_,
        "floor": elements.floor,
        "ceil": elements.ceil,
        "abs": elements.abs_,
        "clamp": elements.clamp,
        "scale": elements.scale,
        "percentage": elements.percentage,
        "first": rows.first,
        "last": rows.last,
        "nth": rows.nth,
        "reverse": rows.reverse,
        "unique": rows.unique,
        "flatten": rows.flatten,
        "chunk": rows.chunk,
        "zip": rows.zip_,
    }
)
"""Each makes a compiled operation from its options; raises `TransformError`."""
