"""Transforms: a path over the input, then a pipeline of operations, compiled once.

A transform is pure: the same input and seed give the same result, and the input is never
changed. It has a budget: 20,000 steps, and when those are used up, ten more for every value in
the input and every node of the pipeline, at most 10 million. So work that grows with the input
goes through and work that grows with its square is stopped. The module knows nothing of
tasks and runs; its caller wraps the result.
"""

from collections.abc import Mapping
from typing import Any

from engine.core.expr import Budget, EvaluationError, did_you_mean
from engine.core.expr.expression import beyond
from engine.core.expr.limits import STEP_LIMIT
from engine.core.expr.measure import depth, extent
from engine.core.expr.trouble import Trouble
from engine.core.expr.walk import Env
from engine.core.transforms.options import NAMES, Options, TransformError, read_expression
from engine.core.transforms.table import OPERATIONS
from engine.core.transforms.work import MOST_STEPS, Operate, Rows, Work

__all__ = ["OPERATIONS", "Transform", "TransformError", "compile_transform"]

PIPELINE_LIMIT = 100
"""Operations in one pipeline."""

RESULT_DEPTH_LIMIT = 128
"""How deep arrays and objects may nest in a result."""

_PARTS = ("input", "jsonPath", "query", "pipeline")
_STEPS_A_VALUE = 10
_WEIGHT = 10


class Stage:
    """One operation of a pipeline, with its name and place for messages."""

    __slots__ = ("name", "operate", "path")

    def __init__(self, name: str, path: str, operate: Operate) -> None:
        self.name = name
        self.path = path
        self.operate = operate


class Transform:
    """A compiled transform. Immutable; equal to another with the same source.

    `source` is its specification; `needs_seed` says that an operation draws and has no seed
    of its own.
    """

    __slots__ = ("_paths", "_stages", "_weight", "needs_seed", "source")

    def __init__(
        self,
        source: Mapping[str, Any],
        paths: tuple[Rows, ...],
        stages: tuple[Stage, ...],
        options: tuple[Options, ...],
    ) -> None:
        self.source = source
        self.needs_seed = any(each.needs_seed for each in options)
        self._paths = paths
        self._stages = stages
        self._weight = sum(path.expr.cost for path in paths)
        self._weight += sum(_WEIGHT + each.weight for each in options)

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations, in order."""
        return tuple(stage.name for stage in self._stages)

    def apply(self, value: Any, seed: int = 0) -> Any:
        """The result over a step's input.

        An input object whose only member is `data` is that member; the whole is `input` in
        every expression. Raises `EvaluationError` (kind `logic`) naming the operation.
        """
        start = _start(value)
        env = Env({"input": value}, start, Budget(STEP_LIMIT, lambda: self._more(value)))
        work = Work(env, seed)
        try:
            return self._through(work, start)
        except (RecursionError, OverflowError) as error:
            raise beyond(error).error("") from None

    def _through(self, work: Work, value: Any) -> Any:
        try:
            for path in self._paths:
                value = path.of(work, value)
        except Trouble as trouble:
            raise trouble.error(self._paths[0].expr.source, path="input") from None
        for stage in self._stages:
            value = _run(stage, work, value)
        return _measured(work, value)

    def _more(self, value: Any) -> int:
        rate = _STEPS_A_VALUE * self._weight
        return min(rate * extent(value, MOST_STEPS // rate), MOST_STEPS - STEP_LIMIT)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and self.source == other.source

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"compile_transform({self.source!r})"


def _start(value: Any) -> Any:
    is_wrapped = isinstance(value, Mapping) and len(value) == 1 and "data" in value
    return value["data"] if is_wrapped else value


def _run(stage: Stage, work: Work, value: Any) -> Any:
    try:
        return stage.operate(work, value)
    except Trouble as trouble:
        raise trouble.error("", operation=stage.name, path=stage.path) from None
    except EvaluationError as error:
        raise error.within(operation=stage.name, path=stage.path) from None


def _measured(work: Work, value: Any) -> Any:
    """The result, if somebody can still write it down: see `measure` on shared values."""
    try:
        work.env.budget.spend_all(value)
        if depth(value, RESULT_DEPTH_LIMIT) > RESULT_DEPTH_LIMIT:
            message = f"the result nests deeper than {RESULT_DEPTH_LIMIT}"
            raise Trouble("too_deep", message, "flatten it before the last operation")
    except Trouble as trouble:
        raise trouble.error("", path="pipeline") from None
    return value


def compile_transform(spec: Mapping[str, Any]) -> Transform:
    """Compile the `transform` of a task: `input`, `jsonPath` or `query`, `pipeline`.

    Raises `TransformError` with the path in the specification and a hint.

    >>> double = {"pipeline": [{"operation": "scale", "factor": 2}]}
    >>> compile_transform(double).apply({"data": [1, 2]})
    [2, 4]
    """
    _check_parts(spec)
    paths = tuple(
        Rows(read_expression(_text(spec[part], part), part))
        for part in _PARTS[:3]
        if spec.get(part) is not None
    )
    pipeline = spec.get("pipeline")
    if pipeline is None:
        pipeline = []
    if not isinstance(pipeline, list):
        raise TransformError("`pipeline` must be a list of operations", "pipeline")
    if len(pipeline) > PIPELINE_LIMIT:
        raise TransformError(f"a pipeline has at most {PIPELINE_LIMIT} operations", "pipeline")
    made = [_stage(step, f"pipeline[{at}]") for at, step in enumerate(pipeline)]
    stages, options = tuple(stage for stage, _ in made), tuple(each for _, each in made)
    return Transform(spec, paths, stages, options)


def _check_parts(spec: Any) -> None:
    if not isinstance(spec, Mapping):
        raise TransformError("a transform must be an object", "", "write `pipeline: [...]`")
    for part in spec:
        if part not in _PARTS:
            hint = did_you_mean(
                str(part), _PARTS, "it has `input`, `jsonPath`, `query`, `pipeline`"
            )
            raise TransformError(f"a transform has no `{part}`", str(part), hint)
    if spec.get("jsonPath") is not None and spec.get("query") is not None:
        raise TransformError("`jsonPath` and `query` are the same", "query", "leave one out")
    if all(spec.get(part) is None for part in _PARTS):
        raise TransformError("the transform is empty", "", "add `pipeline` or `jsonPath`")


def _text(value: Any, part: str) -> str:
    if isinstance(value, str):
        return value
    raise TransformError(f"`{part}` must be a text", part, "write a path like `$.orders`")


def _stage(step: Any, path: str) -> tuple[Stage, Options]:
    if not isinstance(step, Mapping):
        raise TransformError("an operation must be an object", path, "write `operation: ...`")
    name = next((step[key] for key in NAMES if step.get(key) is not None), None)
    if name is None:
        raise TransformError("the step names no operation", path, "write `operation: filter`")
    make = OPERATIONS.get(name) if isinstance(name, str) else None
    if make is None:
        hint = did_you_mean(str(name), OPERATIONS, "docs/expressions.md lists the 37 operations")
        raise TransformError(f"there is no operation `{name}`", f"{path}.operation", hint)
    options = Options(str(name), step, path)
    operate = make(options)
    options.finish()
    return Stage(str(name), path, operate), options
