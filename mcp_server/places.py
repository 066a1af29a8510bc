"""Where prompts and resources lie: one answer for a clone and for an installed wheel.

In a clone they are folders beside the packages, where people edit them; in a wheel they travel
inside this package as `_data`. Nothing else in the product may know that there are two places.
"""

from pathlib import Path
from typing import Literal

Kind = Literal["prompts", "resources"]

_PACKAGE = Path(__file__).resolve().parent


def find(kind: Kind) -> Path:
    """The folder that holds `kind`. Raises FileNotFoundError when the installation is damaged."""
    for folder in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the folder {kind!r} is missing: install Handrail again")
