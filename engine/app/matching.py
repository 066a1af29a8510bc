"""A goal in words and what an assistant knows, matched with a workflow and its inputs.

Nothing is run and nothing is recorded. An input is checked here by the same code as at a start,
so what is called complete here is accepted there.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from engine.app.catalogue import Shelf
from engine.app.running import check_input
from engine.app.settings import Settings, model_of
from engine.core.discovery.extract import Extraction, entries, extract
from engine.core.discovery.guess import guesses
from engine.core.discovery.match import Match, Wish, best_match
from engine.core.discovery.prompts import still_needed
from engine.core.discovery.reading import believed, question
from engine.core.errors import Refused, StepError
from engine.core.labels.filter import EVERYTHING, Filter
from engine.core.model import Workflow
from engine.core.plain import plain
from engine.core.value import value
from engine.core.views import InputField, InvalidInput
from engine.shell.library import Library
from engine.shell.redact import KNOWN

_LOG = logging.getLogger("handrail.engine")

SECONDS = 10.0
"""How long a search waits for a language model; without its answer the search is answered too."""
MOST_CONTEXT = 20_000
"""Characters of text in a context."""


@value
class Validation:
    """An input held against a workflow: with defaults filled in, or what is missing and wrong."""

    input: Any
    missing: tuple[InputField, ...] = ()
    invalid: tuple[InvalidInput, ...] = ()
    prompt: str = ""

    @property
    def valid(self) -> bool:
        """Whether a run would take it."""
        return not self.missing and not self.invalid


class Matching:
    """Finds what fits a goal, and says of an input whether a run would take it."""

    def __init__(self, shelf: Shelf, library: Library, settings: Settings) -> None:
        self._shelf, self._library, self._auto = shelf, library, settings.auto_execute
        self._model = model_of(settings, settings.models.extract)
        self.patience = SECONDS

    async def close(self) -> None:
        """Close what the language model holds open."""
        if self._model is not None:
            await self._model.close()

    async def match(
        self,
        query: str,
        *,
        context: Mapping[str, Any] | None = None,
        auto: bool = False,
        wanted: Filter = EVERYTHING,
        limit: int = 5,
    ) -> Match:
        """What fits a goal, best first, and for the best what `context` gives of its inputs.

        Only what fits `wanted` is found. Raises Refused `invalid_filter`, `invalid_context`,
        `context_too_large`, `secret_in_input`.
        """
        known = _checked(context or {})
        found = self._shelf.search(query, limit, self._shelf.among(wanted))
        if not found.good or not found.hits:
            return Match(found)
        info = found.hits[0].info
        version = self._shelf.known(f"{info.namespace}/{info.name}")
        schema = await self._library.input_schema(version.digest)
        extraction = await self._read(schema, query, known, extract(schema, known))
        offered = guesses(schema, query, known, extraction)
        return Match(found, best_match(found, extraction, offered, Wish(auto, self._auto)))

    async def _read(
        self, schema: Mapping[str, Any], query: str, context: Mapping[str, Any], found: Extraction
    ) -> Extraction:
        """What a language model reads besides, where one is configured and something is needed."""
        asked = question(schema, query, context, found) if self._model is not None else None
        if self._model is None or asked is None:
            return found
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._model.ask(asked.task, asked.words, asked.schema)
        except (Refused, TimeoutError) as error:
            _LOG.warning("inputs are not read by the language model: %s", _why(error))
            return found
        return believed(schema, answer, query, context, found)

    async def validate_input(self, name: str, given: Any, version: str = "") -> Validation:
        """What a run of this workflow would say to an input, without a run.

        Raises Refused `unknown_workflow`, `unknown_version`, `secret_in_input`, and
        `invalid_input` for what is not JSON at all.
        """
        known = self._shelf.known(name, version)
        return validated(await self._library.learn(known.digest), name, given)


def _why(error: Refused | TimeoutError) -> str:
    return error.code if isinstance(error, Refused) else "no answer in time"


def validated(workflow: Workflow, name: str, given: Any) -> Validation:
    """An input held against a workflow, which is called `name` in the question."""
    try:
        return Validation(check_input(workflow, given))
    except Refused as refused:
        missing = tuple(refused.details.get("missing", ()))
        invalid = tuple(refused.details.get("invalid", ()))
        if not missing and not invalid:
            raise
        return Validation(given, missing, invalid, still_needed(name, missing, invalid))


def _checked(context: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        known: dict[str, Any] = plain(dict(context), MOST_CONTEXT)
    except StepError as error:
        message = error.failure.message.replace("the output", "the context", 1)
        hint = 'Give what is known as a small JSON object, such as {"userId": "3"}.'
        raise Refused("invalid_context", message, hint) from None
    for _ in entries(known):
        pass  # so that too many are refused whatever is found
    if KNOWN.value(known) is not known:
        message = "the context holds the value of a secret"
        hint = "Leave it out: a connector refers to it as secret://name and sends it itself."
        raise Refused("secret_in_input", message, hint)
    return {**known}
