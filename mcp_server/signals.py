"""Being told to stop: SIGTERM and SIGINT, the first time in good order, the second time at once.

The handlers only pass the word on to the event loop, so they work on every system; what they
replace comes back when the block ends.
"""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)
)


@contextmanager
def told(first: Callable[[], None], again: Callable[[], None]) -> Generator[None]:
    """Call `first` on the loop at the first signal and `again` at each further one.

    Has to be entered on the main thread, inside a running loop.
    """
    loop, heard = asyncio.get_running_loop(), False

    def hear() -> None:
        nonlocal heard
        act, heard = (again if heard else first), True
        act()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(hear))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
