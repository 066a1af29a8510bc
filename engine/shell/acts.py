"""Carrying out one call: HTTP, or a registered Python function.

A mutation is made ready first, and what was made ready is what is sent. Around it there may be
reads: of what it relies on before it, and of what became of it after. Everything that can go wrong
is classified here, next to where it arises. What nobody classified is our bug and says so
(`internal`), without its text leaving the process.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from engine.core.asks import TIMEOUT, Call, LookUp
from engine.core.breaker import BreakerPolicy
from engine.core.declared import HttpSpec, Reading
from engine.core.errors import Failure, Kind, StepError
from engine.core.lookup import Answer, absent, asked, found, guarded
from engine.core.model import Effect, Task, Workflow, targets_of
from engine.core.plain import plain
from engine.core.request import Request, build
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

    async def carry_out(
        self, call: Call, seconds: float, request: Request | None = None, key: str = ""
    ) -> Any:
        """The output of one attempt; raises StepError with a classified failure.

        `seconds` bounds it, whatever the document says. A mutation comes with its `request`, made
        ready before; `key` is what the other system recognises it by.
        """
        if request is not None and call.task.http is not None and call.task.http.key_header:
            request = _keyed(request, call.task.http.key_header, key)
        if call.breaker is None:
            return await self._bounded(call, seconds, request)
        name = f"{call.task.namespace}/{call.task.name}"
        await self._admitted(name, call.breaker)
        try:
            output = await self._bounded(call, seconds, request)
        except StepError as error:
            await self._breakers.record(name, call.breaker, error.failure)
            raise
        await self._breakers.record(name, call.breaker, None)
        return output

    async def _admitted(self, name: str, policy: BreakerPolicy) -> None:
        try:
            await self._breakers.admit(name, policy)
        except StepError as error:
            details = {**error.failure.details, "applied": "no"}
            raise StepError(replace(error.failure, details=details)) from None

    # -- around a mutation ---------------------------------------------------------------------

    def request(self, task: Task, given: Any) -> Request | None:
        """The request that a task would send, without a key; None where it sends none.

        Raises StepError when it cannot be made, or nobody here can carry the task out.
        """
        if task.http is not None:
            return build(task.http, {"input": given}, self._over(task.http))
        self._function(task)
        return None

    async def relied_on(self, task: Task, given: Any) -> Any:
        """What a mutation relies on, as it is now; raises StepError when it cannot be read."""
        precondition, scope = task.declared.precondition, {"input": given, "key": ""}
        if precondition is None:
            return None
        return guarded(precondition, await self._read(precondition.read, scope), scope)

    async def find_out(self, look: LookUp) -> tuple[Answer, Any, Failure | None]:
        """Whether a send happened by what the other system says, and its output if it did."""
        lookup, scope = look.task.declared.lookup, {"input": look.input, "key": look.key}
        assert lookup is not None
        try:
            answer = await self._read(lookup.read, scope)
        except StepError as error:
            verdict: Answer = "no" if absent(lookup, error.failure) else "unknown"
            return verdict, None, error.failure
        verdict, output = found(lookup, answer, scope)
        return verdict, output, None

    async def _read(self, reading: Reading, scope: Mapping[str, Any]) -> Any:
        http = reading.http
        request = build(http, {"input": asked(reading, scope)}, self._over(http))
        seconds = (reading.timeout or TIMEOUT) / 1_000_000
        return await self._http.call(request, seconds)

    def _over(self, spec: HttpSpec) -> Mapping[str, str]:
        return {spec.connector: self._bases.get(spec.connector, spec.base)}

    # -- one attempt -----------------------------------------------------------------------------

    async def _bounded(self, call: Call, seconds: float, request: Request | None) -> Any:
        try:
            if call.task.type == "http":
                return await self._sent(call, seconds, request)
            return await self._python(call, seconds)
        except StepError as error:
            raise KNOWN.error(error) from error.__cause__
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

    async def _sent(self, call: Call, seconds: float, request: Request | None) -> Any:
        spec = call.task.http
        assert spec is not None
        if request is None:
            request = build(spec, {"input": call.input}, self._over(spec))
        return await self._http.call(request, seconds)

    def _function(self, task: Task) -> PythonTask:
        known = self._functions.get(task.python or "")
        if known is None:
            raise StepError(
                Failure(
                    Kind.LOGIC,
                    "unknown_function",
                    f"no function named {task.python!r} is registered here",
                    "Register it where the engine is opened.",
                )
            )
        return known

    async def _python(self, call: Call, seconds: float) -> Any:
        task = self._function(call.task)
        make = task.function if task.waits else partial(_called, task.function)
        begun: Any = make(call.input)
        return KNOWN.value(plain(await within(seconds, begun)))


async def _called(function: Function, given: Any) -> Any:
    output = await asyncio.to_thread(function, given)
    return await output if inspect.isawaitable(output) else output


def _keyed(request: Request, header: str, key: str) -> Request:
    kept = tuple(each for each in request.headers if each[0].lower() != header.lower())
    return replace(request, headers=(*kept, (header, key)))
