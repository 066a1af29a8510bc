"""What a workflow says about itself, as words: the fields that a query is compared with.

The first sentence of a description says what a workflow is for, so it is a field of its own.
"""

import re
from collections.abc import Iterable

from engine.core.discovery.words import stems
from engine.core.value import value
from engine.core.views import InputField, WorkflowInfo

FIELDS = ("name", "lead", "rest", "labels", "inputs", "about")
_MOST_INPUTS = 40
_MOST_VALUES = 20
_SENTENCE = re.compile(r"(?<=[.!?])\s|\n")


@value
class Said:
    """The words of a workflow without endings, by field, and how many inputs it cannot do without.

    `lead` is the first sentence of the description and `rest` what follows; `labels` are tags,
    categories and the namespace, `inputs` the names of inputs, `about` what is said of those.
    """

    name: tuple[str, ...]
    lead: tuple[str, ...]
    rest: tuple[str, ...]
    labels: tuple[str, ...]
    inputs: tuple[str, ...]
    about: tuple[str, ...]
    required: int = 0

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """The words by field, in the order of FIELDS."""
        return self.name, self.lead, self.rest, self.labels, self.inputs, self.about


def lead_and_rest(description: str) -> tuple[str, str]:
    """The first sentence of a description, and what follows it."""
    lead, _, rest = _SENTENCE.sub("\0", description.strip(), count=1).partition("\0")
    return lead, rest


def said(info: WorkflowInfo) -> Said:
    """The words of a workflow."""
    lead, rest = lead_and_rest(info.description)
    fields = info.inputs[:_MOST_INPUTS]
    space = "" if info.namespace == "default" else info.namespace
    labels = " ".join((*info.tags, *info.categories, space))
    return Said(
        tuple(stems(info.name, 40, small=True)),
        tuple(stems(lead, 60)),
        tuple(stems(rest, 300)),
        tuple(stems(labels, 100)),
        tuple(stems(" ".join(field.name for field in fields), 100, small=True)),
        tuple(stems(" ".join(_told(fields)), 200)),
        sum(field.required for field in info.inputs),
    )


def _told(fields: Iterable[InputField]) -> Iterable[str]:
    for field in fields:
        if not field.generated:
            yield field.description[:300]
        yield from (str(each) for each in field.enum[:_MOST_VALUES])
