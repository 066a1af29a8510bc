"""A form as our own pages send it, read strictly: known names, once each, all of it UTF-8.

Whatever else arrives was not sent by our page, and is refused before anybody looks at it.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from engine import Refused

MANY = "keep"
"""The one name that may come more than once: the operations that stay ticked."""
MOST_FIELDS = 300
_NAMES = frozenset(
    {"pin", "next", "token", "digest", "decision", "comment", "typed", "verdict", "result",
     "rule", MANY}
)  # fmt: skip


class Form:
    """What was filled in."""

    def __init__(self, fields: Mapping[str, str], kept: frozenset[str]) -> None:
        self._fields, self.kept = fields, kept

    def __getitem__(self, name: str) -> str:
        return self._fields.get(name, "")


async def read(request: Request) -> Form:
    """The form of a request; raises Refused `bad_form`."""
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body),
            errors="strict", max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise _bad("it is no urlencoded form") from None
    names = [name for name, _ in pairs if name != MANY]
    if len(set(names)) != len(names) or not set(names) <= _NAMES:
        raise _bad("it has a field that this page did not send, or one twice")
    kept = frozenset(value for name, value in pairs if name == MANY)
    return Form({name: value for name, value in pairs if name != MANY}, kept)


def _bad(why: str) -> Refused:
    return Refused("bad_form", f"the form could not be read: {why}", "Open the page again.")
