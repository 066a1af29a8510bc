"""A browser as a person uses it, driven a step at a time by `page.mjs`; every wait has an end."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Node
from tests.e2e.processes import HERE, PATIENCE


class Tab:
    """One tab of a browser that runs no script."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.text = self.url = self.focus = ""
        self.complaints: list[str] = []

    async def do(self, what: str, **how: Any) -> str:
        """Do one thing; the words of the page after it. Fails when it cannot be done."""
        seen = await self._ask({"do": what, **how})
        assert not seen["error"], f"{what} {how}: {seen['error']}\n{seen['text']}"
        return self.text

    async def tried(self, what: str, **how: Any) -> str:
        """Do one thing that should fail; why it did."""
        error: str = (await self._ask({"do": what, **how}))["error"]
        return error

    async def _ask(self, step: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(step).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        seen: dict[str, Any] = json.loads(line)
        self.text, self.url, self.focus = seen["text"], seen["url"], seen["focus"]
        self.complaints = seen["complaints"]
        return seen


@asynccontextmanager
async def browser(node: Node, chromium: str, log: Path) -> AsyncGenerator[Tab]:
    """A browser with one tab."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            str(node.folder / "node"), "page.mjs", chromium, cwd=HERE, env=node.environment(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
            limit=1 << 20,
        )  # fmt: skip
    try:
        yield Tab(process)
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
