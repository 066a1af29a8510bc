"""Memory that is free again, given back to the system: the C library keeps it for later.

What is read of a large catalogue is put together from a great many small pieces and searched in
large ones; what they took would stay with the process for as long as it runs. Where the C library
has no such calls (they are glibc's), nothing happens.
"""

from functools import cache
from typing import Any

_SETTINGS = {-3: 256 * 1024, -1: 2 * 1024 * 1024}
"""By their numbers in malloc.h: bytes of a piece that goes back at once (M_MMAP_THRESHOLD; left
alone, glibc raises this to 32 MB), and free bytes at the end of the heap that do
(M_TRIM_THRESHOLD; fewer would go to and fro with every block that is read)."""


def give_back() -> None:
    """Let the system have what nobody uses. Some milliseconds, without the interpreter's lock."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


def give_back_large() -> None:
    """From now on let the system have large pieces as soon as they are of no use."""
    library = _library()
    if library is not None:
        for setting, value in _SETTINGS.items():
            library.mallopt(setting, value)


@cache
def _library() -> Any:
    import ctypes  # seldom

    try:
        library = ctypes.CDLL(None)
        library.mallopt, library.malloc_trim  # noqa: B018 - an error where they are not there
    except (OSError, AttributeError, TypeError):
        return None
    return library
