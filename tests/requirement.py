"""One line of what was asked for; the lines are in `requirements.py` and `requirements_gate.py`."""

from typing import NamedTuple


class Requirement(NamedTuple):
    """One thing that must be true."""

    id: str
    asked_in: str
    sentence: str
