"""The same call, made again: what makes two starts of a workflow one.

A call that changes something outside waits for a person, and whoever made it asks again. A caller
who gives no key of their own is given one, made of who they are and what they ask for, so that
asking again finds the run and starts no second. It counts while the run is open and for a while
after its end; then the same call means a new run.
"""

import hashlib
import json
import re
from typing import Any

_CALL = re.compile(r"=[0-9a-f]{64}")


def call_key(principal: str, version: str, given: Any) -> str:
    """The key of a start by `principal` of the version they asked for ("": any) with an input.

    >>> call_key("local", "", {"a": 1}) == call_key("local", "", {"a": 1})
    True
    >>> is_call(call_key("local", "", {}))
    True
    """
    asked = json.dumps(["handrail/call/v1", principal, version, given], sort_keys=True)
    return f"={hashlib.sha256(asked.encode()).hexdigest()}"


def is_call(key: str) -> bool:
    """Whether a key was made here; one that a caller chose is never taken from its run."""
    return _CALL.fullmatch(key) is not None
