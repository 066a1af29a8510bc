"""What can happen to the labels that people give.

Past tense, flat, JSON-shaped, as in `engine/core/events.py`. All of a tenant's are one stream, so
that whoever changes labels knows that nobody else has since they looked. `change` names what was
asked for together. What documents say of themselves is in no event: it stands in the documents.
"""

from engine.core.value import value


@value
class LabelAdded:
    """A `workflow` or `task` has a `tag` or `category` by somebody's word.

    Not `own`: it was taken away from what the document says before, and stands there again.
    """

    change: str
    thing: str
    namespace: str
    name: str
    type: str
    label: str
    own: bool = True


@value
class LabelRemoved:
    """A label was taken away; `hides`: the document has it, and it counts no longer."""

    change: str
    thing: str
    namespace: str
    name: str
    type: str
    label: str
    hides: bool = False
