"""A PostgreSQL server as tests meet it: a store by its address, and somebody else on it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from engine.store.postgres import PostgresStore, open_postgres
from tests.store.journals import AT, FEATURES, Postgres, chances

SOON = 20.0
"""Bounds a wait that takes a second or two: the machine may be busy."""


@asynccontextmanager
async def opened(url: str, patience: float = 5.0) -> AsyncGenerator[PostgresStore]:
    """A store by its address."""
    async with open_postgres(url, FEATURES, chances(), AT, patience) as store:
        yield store


def run(driver: Postgres, statement: str) -> list[Any]:
    """A statement of somebody else, and its rows."""
    with psycopg.connect(driver.url, autocommit=True) as db:
        done = db.execute(statement.encode())
        return done.fetchall() if done.description else []


async def until(true: Callable[[], Any]) -> None:
    """Look until something is so."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(0.02)


# -- a server that goes away --------------------------------------------------------------------
