"""What was asked for of a match between a goal and a workflow, as data."""

from tests.requirement import Requirement

MATCHING = (
    Requirement(
        "inputs-from-context",
        "order",
        "Inputs come from the context by exact or declared name, checked by the schema, each with"
        " where it came from; two different values for one input give none.",
    ),
    Requirement(
        "inputs-never-guessed",
        "order",
        "No value is invented: what is read out of the words of a goal is offered as"
        " suggestedInputs and never used by itself; a value is never changed by taking it.",
    ),
    Requirement(
        "extraction-measured",
        "order",
        "On calls that others wrote nothing is invented, and of 100 calls whose inputs are in the"
        " context at least 95 are right in every input.",
    ),
)
