"""Reads that are shared: whoever asks in time gets the same rows, whoever asks later newer ones."""

import asyncio
from typing import Any

import pytest

from engine.core.log import Row
from engine.store import SharedReads, StoreError
from engine.store.errors import trouble


class Table:
    """Something that is read, slowly enough for others to ask meanwhile."""

    def __init__(self) -> None:
        self.reads, self.row, self.broken = 0, 1, False
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def fetch(self, query: str, **params: Any) -> list[Row]:
        self.reads += 1
        self.begun.set()
        rows: list[Row] = [{"query": query, "row": self.row, **params}]
        await self.go.wait()
        if self.broken:
            raise trouble("database_io")
        return rows


async def test_whoever_asks_for_the_same_at_once_gets_the_rows_of_one_read() -> None:
    table = Table()
    shared = SharedReads(table.fetch)
    asked = [shared.ask("used", name="a") for _ in range(5)]
    other = shared.ask("used", name="b")
    table.go.set()
    rows = await asyncio.gather(*asked)
    assert rows == [[{"query": "used", "row": 1, "name": "a"}]] * 5
    assert (await other)[0]["name"] == "b"
    assert table.reads == 2


async def test_whoever_asks_once_a_read_has_begun_sees_what_was_written_since() -> None:
    table = Table()
    shared = SharedReads(table.fetch)
    before = shared.ask("used")
    await table.begun.wait()
    table.row = 2
    after = shared.ask("used")
    table.go.set()
    assert ((await before)[0]["row"], (await after)[0]["row"]) == (1, 2)


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    table = Table()
    shared = SharedReads(table.fetch)
    first, second = shared.ask("used"), shared.ask("used")
    first.cancel()
    table.go.set()
    assert (await second)[0]["row"] == 1


async def test_everybody_is_told_of_a_failure_with_an_error_of_his_own() -> None:
    table = Table()
    table.broken = True
    shared = SharedReads(table.fetch)
    asked = [shared.ask("used") for _ in range(2)]
    table.go.set()
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in errors] == [StoreError, StoreError]
    assert errors[0] is not errors[1]
    table.broken = False
    with pytest.raises(StoreError):
        await asked[0]
    assert (await shared.ask("used"))[0]["row"] == 1
