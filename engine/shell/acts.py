"""Carrying out one call: HTTP, or a registered Python function.

Everything that can go wrong is classified here, next to where it arises. What nobody
classified is our bug and says so (`internal`), without its text leaving the process.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.core.asks import Call
from engine.core.errors import Failure, Kind, StepError
from engine.core.model import Effect, Task, Workflow, targets_of
from engine.core.plain import plain
from engine.core.request import build
from engine.shell.breakers import Breakers
from engine.shell.connectors.http import HttpConnector
from engine.shell.redact import KNOWN
from engine.shell.within import within

_LOG = logging.getLogger("handrail.engine")

Function = Callable[[Any], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class PythonTask:
    """A function that `type: python` tasks may name. It takes the input and returns JSON.

    An `async def` runs on the loop (`waits`); anything else is called on a thread, where it cannot
    be interrupted, and what it returns is awaited if it can be. Undeclared, it counts as a
    mutation (SEMANTICS section 1).
    """

    function: Function
    effect: Effect = Effect.MUTATION
    waits: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "waits", inspect.iscoroutinefunction(self.function))


class Acts:
    """What this process can carry out."""

    def __init__(
        self,
        functions: Mapping[str, PythonTask],
        http: HttpConnector,
        bases: Mapping[str, str],
        breakers: Breakers,
    ) -> None:
        self._functions = functions
        self._http = http
        self._bases = bases
        self._breakers = breakers

    def able(self, workflow: Workflow) -> bool:
        """Whether every function that a workflow's tasks name is registered in this process."""
        targets = [target for step in workflow.steps for target in targets_of(step)]
        wanted = {target.python for target in targets if isinstance(target, Task) and target.python}
        return wanted <= self._functions.keys()

    async def carry_out(self, call: Call, seconds: float) -> Any:
        """The output of one attempt; raises StepError with a classified failure.

        `seconds` bounds it, whatever the document says.
        """
        if call.breaker is None:
            return await self._bounded(call, seconds)
        key = f"{call.task.namespace}/{call.task.name}"
        await self._breakers.admit(key, call.breaker)
        try:
            output = await self._bounded(call, seconds)
        except StepError as error:
            await self._breakers.record(key, call.breaker, error.failure)
            raise
        await self._breakers.record(key, call.breaker, None)
        return output

    async def _bounded(self, call: Call, seconds: float) -> Any:
        try:
            if call.task.type == "http":
                return await self._request(call, seconds)
            return await self._python(call, seconds)
        except StepError:
            raise
        except TimeoutError:
            raise StepError(
                Failure(
                    Kind.TIMEOUT,
                    "timeout",
                    f"no answer within {seconds:g} s",
                    "Raise the step's timeout, or find out why it is slow.",
                )
            ) from None
        except Exception as error:
            _LOG.exception("step %s of task %s raised", call.path, call.task.name)
            raise StepError(
                Failure(
                    Kind.INTERNAL,
                    "unclassified",
                    f"{call.task.name} raised {type(error).__name__}",
                    "The log of the server has the details.",
                )
            ) from error

    async def _request(self, call: Call, seconds: float) -> Any:
        assert call.task.http is not None
        spec = call.task.http
        bases = {spec.connector: self._bases.get(spec.connector, spec.base)}
        request = build(spec, {"input": call.input}, bases)
        return await self._http.call(request, seconds)

    async def _python(self, call: Call, seconds: float) -> Any:
        task = self._functions.get(call.task.python or "")
        if task is None:
            raise StepError(
                Failure(
                    Kind.LOGIC,
                    "unknown_function",
                    f"no function named {call.task.python!r} is registered here",
                    "Register it where the engine is opened.",
                )
            )
        make = task.function if task.waits else partial(_called, task.function)
        begun: Any = make(call.input)
        return KNOWN.value(plain(await within(seconds, begun)))


async def _called(function: Function, given: Any) -> Any:
    output = await asyncio.to_thread(function, given)
    return await output if inspect.isawaitable(output) else output
