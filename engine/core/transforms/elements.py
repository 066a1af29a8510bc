"""Operations on texts and numbers: of each element, or of one `field` of each object.

A single value in gives a single value out. Null stays null; a value of another type is an
error, because leaving it as it was would hide a mistake in the pipeline.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.core.expr import functions_number as numbers
from engine.core.expr import functions_text as texts
from engine.core.expr.tree import Key, Path, Root
from engine.core.expr.trouble import Trouble
from engine.core.expr.values import arithmetic, is_number, type_name
from engine.core.expr.walk import member
from engine.core.transforms import checks
from engine.core.transforms.options import Options, TransformError
from engine.core.transforms.work import Operate, Work, each

Change = Callable[[Any], Any]
Keys = tuple[str, ...]

_divide, _multiply = arithmetic("/"), arithmetic("*")


def uppercase(options: Options) -> Operate:
    """In capitals."""
    return _everywhere(options, lambda _: texts.upper)


def lowercase(options: Options) -> Operate:
    """In small letters."""
    return _everywhere(options, lambda _: texts.lower)


def trim(options: Options) -> Operate:
    """Without blanks at both ends."""
    return _everywhere(options, lambda _: texts.trim)


def split(options: Options) -> Operate:
    """The parts of a text between `delimiter`s."""
    given = options.given(checks.text("delimiter"), "delimiter", "separator", default=",")
    return _everywhere(options, lambda work: _split_at(given(work)))


def _split_at(delimiter: str) -> Change:
    return lambda value: None if value is None else texts.split(value, delimiter)


def concat(options: Options) -> Operate:
    """An array of texts as one text, with `delimiter` between.

    Arrays inside the array are made texts one by one; an array without any is one text.
    """
    given = options.given(checks.text("delimiter"), "delimiter", "separator", default="")
    field = _field(options)

    def run(work: Work, value: Any) -> Any:
        delimiter = given(work)

        def change(element: Any) -> Any:
            return texts.join(element, delimiter) if isinstance(element, list) else element

        if field is None and isinstance(value, list) and not any(map(_is_array, value)):
            work.spend(len(value))
            return texts.join(value, delimiter)
        return each(work, value, _at(field, change))

    return run


def _is_array(value: Any) -> bool:
    return isinstance(value, list)


def replace(options: Options) -> Operate:
    """Every `oldValue` becomes `newValue`."""
    old = options.given(checks.text("oldValue"), "oldValue", "old")
    new = options.given(checks.text("newValue"), "newValue", "new", default="")

    def prepare(work: Work) -> Change:
        before, after = old(work), new(work)
        return lambda value: texts.replace(value, before, after)

    return _everywhere(options, prepare)


def substring(options: Options) -> Operate:
    """`length` characters from `start`, or all the rest."""
    start = options.given(checks.whole("start"), "start", default=0)
    length = options.given(checks.whole("length", 0), "length") if options.has("length") else None

    def prepare(work: Work) -> Change:
        begin, many = start(work), length(work) if length else None
        return lambda value: texts.substring(value, begin, many)

    return _everywhere(options, prepare)


def round_(options: Options) -> Operate:
    """Half away from zero to `decimals` places (0)."""
    given = options.given(checks.whole("decimals", 0, 15), "decimals", default=0)

    def prepare(work: Work) -> Change:
        decimals = given(work)
        return lambda value: numbers.rounded(value, decimals)

    return _everywhere(options, prepare)


def floor(options: Options) -> Operate:
    """The whole number below."""
    return _everywhere(options, lambda _: numbers.floor)


def ceil(options: Options) -> Operate:
    """The whole number above."""
    return _everywhere(options, lambda _: numbers.ceil)


def abs_(options: Options) -> Operate:
    """Without the sign."""
    return _everywhere(options, lambda _: numbers.absolute)


def clamp(options: Options) -> Operate:
    """Not below `min` and not above `max`; one of them may be left out."""
    if not options.has("min", "max"):
        options.raw("min")
    bounds = {
        name: options.given(checks.number(name), name)
        for name in ("min", "max")
        if options.has(name)
    }

    def prepare(work: Work) -> Change:
        low, high = (bounds[name](work) if name in bounds else None for name in ("min", "max"))
        if low is not None and high is not None and low > high:
            raise Trouble("wrong_value", "`min` of `clamp` is above its `max`")
        return _number("clamp", lambda value: _between(value, low, high))

    return _everywhere(options, prepare)


def _between(value: Any, low: Any, high: Any) -> Any:
    if low is not None and value < low:
        return low
    return high if high is not None and value > high else value


def scale(options: Options) -> Operate:
    """Times `factor`."""
    given = options.given(checks.number("factor"), "factor")

    def prepare(work: Work) -> Change:
        factor = given(work)
        return _number("scale", lambda value: _multiply(value, factor))

    return _everywhere(options, prepare)


def percentage(options: Options) -> Operate:
    """How many percent of `total`; without one, of the sum of all."""
    field = _field(options)
    given = options.given(checks.number("total"), "total") if options.has("total") else None

    def run(work: Work, value: Any) -> Any:
        whole = given(work) if given else _sum(field, value)

        def change(part: Any) -> Any:
            return _multiply(_divide(part, whole), 100)

        return each(work, value, _at(field, _number("percentage", change)))

    return run


def _sum(field: Keys | None, value: Any) -> Any:
    elements = value if isinstance(value, list) else [value]
    return numbers.total([_dig(element, field or ()) for element in elements])


def _dig(element: Any, keys: Keys) -> Any:
    for key in keys:
        element = member(element, key)
    return element


def _number(name: str, change: Change) -> Change:
    def run(value: Any) -> Any:
        if value is None or is_number(value):
            return None if value is None else change(value)
        return numbers.need_number(value, f"`{name}`")

    return run


def _everywhere(options: Options, prepare: Callable[[Work], Change]) -> Operate:
    field = _field(options)
    return lambda work, value: each(work, value, _at(field, prepare(work)))


def _field(options: Options) -> Keys | None:
    if not options.has("field"):
        return None
    path, rows = options.where("field"), options.expression("field")
    node = rows.expr.node
    if isinstance(node, Path) and node.base == Root("$"):
        keys = [part.name for part in node.segments if isinstance(part, Key)]
        names = tuple(name for name in keys if isinstance(name, str))
        if len(names) == len(node.segments):
            return names
    raise TransformError("`field` must be a path of names", path, "write `field: address.city`")


def _at(field: Keys | None, change: Change) -> Change:
    if field is None:
        return change
    return lambda element: _changed(element, field, change)


def _changed(element: Any, keys: Keys, change: Change) -> Any:
    """A copy of the object with one member changed; an object without it stays as it is."""
    if element is None:
        return None
    if not isinstance(element, Mapping):
        hint = "without `field` the operation works on the elements themselves"
        message = f"`field` needs objects, not {type_name(element)}"
        raise Trouble("wrong_type", message, hint)
    key, *rest = keys
    if key not in element:
        return element
    inner = element[key]
    new = _changed(inner, tuple(rest), change) if rest else change(inner)
    return {**element, key: new}
