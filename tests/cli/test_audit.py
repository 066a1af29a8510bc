"""`handrail audit` on a database of its own: what it says, and how it ends."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.app.engine import FEATURES
from engine.core import note
from engine.shell.checkpoints import Places, Signer
from engine.shell.clock import WorldClock
from engine.store import open_store
from tests.cli.conftest import AMOUNTS, Call


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Where this test's checkpoints lie."""
    made = Places(tmp_path / "elsewhere" / "notes.txt", tmp_path / "elsewhere" / "key")
    monkeypatch.setenv("HANDRAIL_CHECKPOINTS", str(made.notes))
    monkeypatch.setenv("HANDRAIL_CHECKPOINT_KEY", str(made.key))
    return made


def sign(database: Path, places: Places) -> None:
    """What a server does now and then."""
    clock = WorldClock()

    async def signed() -> None:
        async with open_store(database, FEATURES, clock.bytes, clock.now()) as store:
            await asyncio.to_thread(Signer(store, clock, places).sign, clock.now())

    asyncio.run(signed())


def ran(call: Call) -> str:
    """A run in the journal; its id."""
    run = call("run", "order-total", "--input", AMOUNTS, "--json").json
    return str(run["id"])


def cut(database: Path, after: int) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for (guard,) in db.execute("select name from sqlite_master where type = 'trigger'"):
            db.execute(f"drop trigger {guard}")
        db.execute("delete from journal where position > ?", (after,))


def test_a_journal_that_was_never_signed_is_sound_and_says_so(call: Call) -> None:
    ran(call)
    done = call("audit", "verify")
    assert done.code == 0
    assert "none yet: a server or worker writes them" in done.out
    assert "The journal is what was written." in done.out


def test_a_journal_that_was_cut_off_ends_with_3_and_names_the_event(
    call: Call, database: Path, places: Places
) -> None:
    ran(call)
    sign(database, places)
    assert call("audit", "verify").code == 0
    cut(database, 2)
    done = call("audit", "verify")
    assert done.code == 3
    assert "truncated: event 3: the journal ends at event 2" in done.out
    assert "NOT what was written" in done.out
    told = call("audit", "verify", "--json")
    assert (told.code, told.json["ok"]) == (3, False)
    assert told.json["audit"]["findings"][0]["kind"] == "truncated"
    assert told.json["audit"]["coveredAt"] is None


def test_the_key_is_told_as_a_line_that_other_tools_read(
    call: Call, database: Path, places: Places
) -> None:
    ran(call)
    sign(database, places)
    key = call("audit", "verify", "--json").json["key"]
    assert key.startswith(note.origin_of(str(database)) + "+")


def test_one_run_can_be_copied_with_proofs(call: Call, tmp_path: Path) -> None:
    run, _ = ran(call), ran(call)
    done = call("audit", "export", "--to", str(tmp_path / "copy"), "--run", run)
    assert done.code == 0
    lines = (tmp_path / "copy" / "entries.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert len({entry["stream"] for entry in entries}) == 1
    assert json.loads(entries[0]["body"])["uid"] == run
    assert all("proof" in entry for entry in entries)
    assert f"{len(entries)} events copied to" in done.out


@pytest.mark.parametrize(("words", "code"), [
    (["export"], "usage"),
    (["export", "--to", "copy", "--run", "nobody"], "unknown_run"),
    (["export", "--to", "."], "export_exists"),
    (["sign"], "usage"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused(
    call: Call, words: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("audit", *words, "--json")
    assert done.json["error"]["code"] == code
    assert done.code in (2, 4)
    assert not (tmp_path / "copy").exists()
