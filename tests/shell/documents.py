"""Documents and engines for tests of the shell."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from engine import Engine, PythonTask, Settings, open_engine
from tests.core.worlds import flow, look, task

__all__ = ["engine_over", "flow", "look", "task", "write"]


def write(folder: Path, *documents: Mapping[str, Any], name: str = "all.yaml") -> Path:
    """A folder that holds some documents."""
    folder.mkdir(exist_ok=True, parents=True)
    text = yaml.safe_dump_all([dict(document) for document in documents], sort_keys=False)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@asynccontextmanager
async def engine_over(
    tmp_path: Path, functions: Mapping[str, PythonTask], **more: Any
) -> AsyncGenerator[Engine]:
    """An engine over `tmp_path/documents` and `tmp_path/h.db`."""
    folder = tmp_path / "documents"
    folder.mkdir(exist_ok=True)
    settings = Settings(str(tmp_path / "h.db"), (folder,), functions=functions, **more)
    async with open_engine(settings) as engine:
        yield engine
