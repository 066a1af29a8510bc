"""Operations that change the shape of each element: select, map, flatMap, enrich, template."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.core.expr.tree import Key, Path
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import to_text, type_name
from engine.core.template import TemplateError, compile_template
from engine.core.transforms.options import Options, TransformError
from engine.core.transforms.work import Operate, Rows, Work, rows_of

Make = Callable[[Work, list[Any]], list[Any]]
"""The new values of rows."""


def shape(options: Options, value: Any, path: str) -> Make:
    """What a mapping writes: texts are expressions, objects and arrays nest, all else stays."""
    if isinstance(value, str):
        return options.compiled(value, path).over
    if isinstance(value, Mapping):
        return fields_of(options, value, path)
    if isinstance(value, list):
        return _array(options, value, path)
    return lambda work, rows: [value] * len(rows)


def fields_of(options: Options, mapping: Any, path: str) -> Make:
    """An object for each row, from a map of name to shape."""
    if not isinstance(mapping, Mapping) or not mapping:
        raise TransformError("a map of name to path is needed", path, "write `name: $.path`")
    made = [(str(key), shape(options, item, f"{path}.{key}")) for key, item in mapping.items()]
    names = [name for name, _ in made]

    def make(work: Work, rows: list[Any]) -> list[Any]:
        columns = [column(work, rows) for _, column in made]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    return make


def _array(options: Options, items: list[Any], path: str) -> Make:
    made = [shape(options, item, f"{path}[{at}]") for at, item in enumerate(items)]

    def make(work: Work, rows: list[Any]) -> list[Any]:
        if not made:
            return [[] for _ in rows]
        columns = [column(work, rows) for column in made]
        return [list(row) for row in zip(*columns, strict=True)]

    return make


def select(options: Options) -> Operate:
    """`fields`: names or paths to keep, or a map of new name to path."""
    fields, path = options.raw("fields"), options.where("fields")
    mapping = fields if isinstance(fields, Mapping) else _named(options, fields, path)
    return _same_shape(fields_of(options, mapping, path))


def _named(options: Options, fields: Any, path: str) -> dict[str, str]:
    if not isinstance(fields, list) or not fields:
        raise TransformError("`fields` must be a list of names", path, "write `fields: [id, name]`")
    named: dict[str, str] = {}
    for at, field in enumerate(fields):
        here = f"{path}[{at}]"
        name = _last_name(options.compiled(field, here), here)
        if name in named:
            hint = "give them names: `fields: {one: $.a.id, other: $.b.id}`"
            raise TransformError(f"two fields would be called `{name}`", here, hint)
        named[name] = field
    return named


def _last_name(rows: Rows, path: str) -> str:
    node = rows.expr.node
    last = node.segments[-1] if isinstance(node, Path) else None
    if isinstance(last, Key) and isinstance(last.name, str):
        return last.name
    raise TransformError("the field needs a name", path, "write `fields: {name: expression}`")


def _same_shape(make: Make) -> Operate:
    """An object in gives an object out, an array an array."""

    def run(work: Work, value: Any) -> Any:
        if isinstance(value, list):
            return make(work, value)
        return None if value is None else make(work, [value])[0]

    return run


def map_(options: Options) -> Operate:
    """`expression` for each element, or `mappings` of name to path."""
    if options.has("mappings", "fields"):
        make = fields_of(options, options.raw("mappings", "fields"), options.where("mappings"))
    else:
        make = shape(options, options.raw("expression", "path"), options.where("expression"))
    return lambda work, value: make(work, rows_of(value))


def flat_map(options: Options) -> Operate:
    """The arrays at `path` of all elements as one array; nulls are left out."""
    path = options.expression("path", "expression", "field")

    def run(work: Work, value: Any) -> Any:
        found = [item for inner in path.over(work, rows_of(value)) for item in rows_of(inner)]
        work.spend(len(found))
        return found

    return run


def enrich(options: Options) -> Operate:
    """`fields` added to each object; a field that is there is replaced."""
    make = fields_of(options, options.raw("fields", "mappings"), options.where("fields"))

    def merged(work: Work, rows: list[Any]) -> list[Any]:
        for row in rows:
            if not isinstance(row, Mapping):
                raise Trouble("wrong_type", f"`enrich` needs objects, not {type_name(row)}")
        return [{**row, **more} for row, more in zip(rows, make(work, rows), strict=True)]

    return _same_shape(merged)


_PLACE = re.compile(r"\{([^{}]*)\}")


def template(options: Options) -> Operate:
    """A text for each element, from `{name}` or `{{ expression }}` in `template`."""
    text, path = options.raw("template"), options.where("template")
    if not isinstance(text, str):
        raise TransformError("`template` must be a text", path)
    if "{{" not in text:
        text = _PLACE.sub(lambda match: _doubled(options, match.group(1).strip(), path), text)
    try:
        compiled = compile_template(text, ("$", "input"))
    except TemplateError as error:
        raise TransformError(error.message, path, error.hint) from None
    options.weight += 10

    def make(work: Work, rows: list[Any]) -> list[Any]:
        work.spend(len(rows) * 10)
        scope = {"input": work.env.scope["input"]}
        return [to_text(compiled.render({**scope, "$": row})) for row in rows]

    return _same_shape(make)


def _doubled(options: Options, place: str, path: str) -> str:
    if not place:
        raise TransformError("`{}` names no field", path, "write `{name}`")
    return "{{ " + str(options.compiled(place, path).expr) + " }}"
