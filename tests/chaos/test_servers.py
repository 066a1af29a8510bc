"""PostgreSQL goes down, or the line to it breaks: what was answered is what is in the database."""

import random
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from engine.store.postgres_link import Link
from engine.store.postgres_session import TURN
from tests.chaos.clocks import jumps
from tests.chaos.processes import killed, stopped
from tests.chaos.servers import broken_lines, lost_answers, restarts
from tests.crash.test_kill import lives
from tests.postgres import Server
from tests.store.journals import Postgres, first

pytestmark = pytest.mark.timeout(240)


async def test_restarts_under_load_lose_no_acknowledged_start(
    tmp_path: Path, postgres: Server
) -> None:
    figures = await restarts(tmp_path, random.Random(1), 2, postgres)
    assert figures["acknowledged"]


async def test_a_line_that_breaks_at_commits_doubles_no_start_and_loses_none(
    tmp_path: Path, postgres: Server
) -> None:
    figures = await broken_lines(tmp_path, random.Random(2), 2, postgres)
    assert figures["acknowledged"]


async def test_what_the_store_answered_agrees_with_what_is_there(
    tmp_path: Path, postgres: Server
) -> None:
    figures = await lost_answers(tmp_path, random.Random(3), 2, postgres)
    assert figures["line cut while it was answered"]


async def test_who_falls_silent_in_the_middle_of_writing_is_ended_by_the_server(
    postgres: Server,
) -> None:
    driver = Postgres(postgres.create())
    async with driver.open() as store:
        silent = Link(driver.url, 0.5).open(writes=True)
        with closing(silent), suppress(psycopg.OperationalError), silent.pipeline():
            silent.execute("begin")
            silent.execute("select pg_advisory_xact_lock($1)", (TURN,)).fetchall()
            assert (await store.append(first())).streams == (1,)


async def test_killed_stopped_and_confused_by_the_clock_on_postgres(
    tmp_path: Path, postgres: Server
) -> None:
    assert (await killed(tmp_path / "1", random.Random(4), 1, postgres.create()))["acknowledged"]
    assert (await stopped(tmp_path / "2", random.Random(5), 0, postgres.create()))["taken over"]
    assert (await jumps(tmp_path / "3", random.Random(6), 1, postgres.create()))["acknowledged"]


@pytest.mark.requirement("memoised-steps")
def test_a_killed_process_repeats_no_finished_step_on_postgres(
    tmp_path: Path, postgres: Server
) -> None:
    assert lives(tmp_path, random.Random(7), 3, postgres.create())["acknowledged"]
