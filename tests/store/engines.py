"""Engines over a store that a test has opened in its own way."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine import Engine, PythonTask, Settings
from tests.store.journals import Sqlite


@asynccontextmanager
async def engine_on(
    driver: Sqlite, folder: Path, functions: Mapping[str, PythonTask], **more: Any
) -> AsyncGenerator[Engine]:
    """An engine over the documents of a folder; `more` says how the database is opened."""
    async with driver.open(**more) as store:
        engine = Engine(Settings(str(driver.path), (folder,), functions=functions), store)
        try:
            await engine.begin()
            yield engine
        finally:
            await engine.end()
