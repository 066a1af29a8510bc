"""What every test may rely on.

Async tests run on asyncio through anyio's plugin (`anyio_mode = auto`, no marker needed).
A warning is an error, a test that takes more than a minute is stopped, and every wait inside
a test is bounded by that test.
"""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
