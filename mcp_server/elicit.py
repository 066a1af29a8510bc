"""What a client is asked when a person has to decide, and what its answer means.

A form proves that somebody in front of the client typed the code of the plan they were shown,
and no more: a client may answer for itself. Policy says for which plans that is enough. So there
is no default, no empty form and no answer that counts without the code; what is not exactly a
decision leaves the approval as it is. A link that was accepted says that a page was opened and
nothing else. (TRUST.md 1.6, channels 2 and 3; 1.8, attack 8.)

It refuses to know how the question travels and what becomes of the approval.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine.core.approval import render

if TYPE_CHECKING:
    from mcp_types import ClientCapabilities

    from engine.core.approval.views import ApprovalView

Way = Literal["form", "url", ""]

CODE = 8
"""Characters of a code."""
MOST_COMMENT = 500
_ALIKE = str.maketrans("OIL", "011", " -")
"""Crockford's base32 has no O, I and L: they are a 0 and a 1 that were misread."""


class Said(NamedTuple):
    """What a person said in a form. `why` tells what is wrong with an answer that counts for
    nothing.
    """

    decision: Literal["approve", "reject", "nothing"]
    code: str = ""
    comment: str = ""
    why: str = ""


CANCELLED = Said("nothing", why="the form was closed without an answer")


def way(capabilities: "ClientCapabilities | None", view: "ApprovalView", link: str) -> Way:
    """How this client may be asked about this approval; "" when it cannot be asked at all.

    A form only where policy lets its answer count and the whole plan can be shown in it.
    """
    can = capabilities.elicitation if capabilities else None
    if can is None or view.state != "pending" or not view.approver_exists:
        return ""
    form = can.form is not None or can.url is None  # `elicitation: {}` means forms
    enough = view.assurance_needed == "A1" and not view.confirm
    if form and enough and render.fits_form(view.plan):
        return "form"
    return "url" if can.url is not None and link else ""


def form_message(view: "ApprovalView") -> str:
    """The text of the form: the whole plan, and its code last."""
    return (
        f"{render.text(view.plan)}\n\n"
        f"Nothing happens unless you choose approve and type this code: {view.code}"
    )


def url_message(view: "ApprovalView") -> str:
    """What is said beside the link: nothing of the plan's values, they are on the page."""
    return f"Handrail needs your decision about plan {view.code}. The page shows it in full."


FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "title": "Decision", "enum": ["approve", "reject"]},
        "code": {
            "type": "string",
            "title": "Code",
            "description": "The code at the end of the text above",
            "minLength": CODE,
            "maxLength": CODE,
        },
        "comment": {"type": "string", "title": "Comment", "maxLength": MOST_COMMENT},
    },
    "required": ["decision", "code"],
}
"""The schema of the form. Nothing has a default."""


def said(action: str, content: Mapping[str, Any] | None, code: str) -> Said:
    """What the answer to a form means, for the approval that has this code.

    >>> said("accept", {"decision": "approve", "code": "abcd-2345"}, "ABCD2345").decision
    'approve'
    >>> said("accept", {}, "ABCD2345").decision
    'nothing'
    >>> said("decline", None, "ABCD2345").decision
    'reject'
    """
    if action == "decline":
        return Said("reject")
    if action != "accept":
        return CANCELLED
    given = dict(content or {})
    decision, typed = given.pop("decision", None), given.pop("code", None)
    comment = given.pop("comment", None) or ""
    if given or not isinstance(comment, str) or len(comment) > MOST_COMMENT:
        return Said("nothing", why="the form came back with something it did not ask for")
    if decision == "reject":
        return Said("reject", comment=comment)
    if decision != "approve" or not isinstance(typed, str):
        return Said("nothing", why="the form came back without a decision and a code")
    if typed.upper().translate(_ALIKE) != code:
        return Said("nothing", why="the code that was typed is not the code of this plan")
    return Said("approve", code, comment)
