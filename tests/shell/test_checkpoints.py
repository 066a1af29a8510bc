"""Checkpoints are signed as the journal grows, and what they then show of a journal."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from engine.app.audit import Audits
from engine.core import note
from engine.core.chain import GENESIS, commit, link
from engine.core.errors import Refused
from engine.core.log import NEW, Append, Entry
from engine.core.note import Note
from engine.shell import checkpoints
from engine.shell.checkpoints import EVERY, Places, Signer, newest, read_notes, signing_key
from engine.shell.clock import TestClock
from engine.store import Store
from tests.shell.documents import engine_over
from tests.store.journals import AT, Sqlite, done, first, started

MINUTE = 60_000_000


@pytest.fixture
def driver(tmp_path: Path) -> Sqlite:
    return Sqlite(tmp_path / "data" / "h.db")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "elsewhere" / "checkpoints.txt", tmp_path / "secret" / "key")


@pytest.fixture
async def store(driver: Sqlite) -> AsyncGenerator[Store]:
    async with driver.open() as store:
        yield store


async def nobody(_: str) -> dict[str, object]:
    raise AssertionError("no run is asked for")


def audits(store: Store, places: Places) -> Audits:
    return Audits(store, places, nobody)


async def grow(store: Store, events: int) -> None:
    """That many events more, in a stream of their own."""
    many = tuple(done(f"s{number}") for number in range(events - 1))
    await store.append(Append((Entry(NEW, 0, (started(), *many)),), AT, "ann"))


def sizes(store: Store, places: Places) -> list[int]:
    found = read_notes(places, note.origin_of(store.place))
    return [each.checkpoint.size for each in found if isinstance(each, Note)]


async def signed(store: Store, places: Places, clock: TestClock | None = None) -> Signer:
    signer = Signer(store, clock or TestClock(), places)
    signer.sign(AT)
    return signer


async def signs_no_more(store: Store, places: Places) -> None:
    """The journal is not the one that was signed."""
    with pytest.raises(Refused) as refused:
        await signed(store, places)
    assert refused.value.code == "journal_not_the_signed_one"


# -- writing ---------------------------------------------------------------------------------


async def test_a_few_new_events_are_signed_after_a_minute_and_a_thousand_at_once(
    store: Store, places: Places
) -> None:
    clock = TestClock()
    signer = Signer(store, clock, places)
    await grow(store, 3)
    await signer.look()
    assert sizes(store, places) == []
    clock.time += MINUTE
    await signer.look()
    assert sizes(store, places) == [3]
    clock.time += MINUTE
    await signer.look()
    assert sizes(store, places) == [3]  # nothing is new
    await grow(store, EVERY + 500)
    await signer.look()
    assert sizes(store, places) == [3, EVERY, EVERY + 503]


async def test_the_next_process_goes_on_where_the_last_one_ended(
    store: Store, places: Places
) -> None:
    await grow(store, 2 * EVERY + 7)
    await signed(store, places)
    await grow(store, EVERY)
    await signed(store, places)
    assert sizes(store, places) == [EVERY, 2 * EVERY, 2 * EVERY + 7, 3 * EVERY, 3 * EVERY + 7]
    found = await audits(store, places).verify()
    assert found.sound
    assert (found.covered, found.checkpoints) == (3 * EVERY + 7, 5)


async def test_the_key_and_the_checkpoints_are_for_their_owner_only(
    store: Store, places: Places
) -> None:
    await grow(store, 1)
    await signed(store, places)
    for path in (places.key, places.notes):
        assert path.stat().st_mode & 0o777 == 0o600
    places.key.chmod(0o644)
    with pytest.raises(Refused) as refused:
        signing_key(places.key)
    assert (refused.value.code, refused.value.move) == ("checkpoint_key", "person")


@pytest.mark.parametrize("text", [b"", b"no key", b64encode(b"short")])
def test_a_file_that_holds_no_key_is_refused_and_kept(places: Places, text: bytes) -> None:
    places.key.parent.mkdir()
    places.key.write_bytes(text)
    places.key.chmod(0o600)
    with pytest.raises(Refused) as refused:
        signing_key(places.key)
    assert refused.value.code == "checkpoint_key"
    assert places.key.read_bytes() == text


async def test_where_checkpoints_cannot_be_written_it_says_so(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = Places(tmp_path / "file" / "checkpoints.txt", tmp_path / "key")
    await grow(store, 1)
    with pytest.raises(Refused) as refused:
        await signed(store, places)
    assert refused.value.code in ("checkpoints_unreadable", "checkpoints_unwritable")


async def test_a_half_written_checkpoint_is_passed_over_and_the_next_is_whole(
    store: Store, places: Places
) -> None:
    await grow(store, 3)
    await signed(store, places)
    whole = places.notes.read_bytes()
    places.notes.write_bytes(whole + whole[:90])
    assert newest(places, note.origin_of(store.place)) is not None
    await grow(store, 3)
    await signed(store, places)
    found = await audits(store, places).verify()
    assert found.covered == 6
    assert [each.kind for each in found.findings] == []


async def test_several_journals_may_share_one_file(
    store: Store, places: Places, tmp_path: Path
) -> None:
    async with Sqlite(tmp_path / "other.db").open() as other:
        await grow(store, 5)
        await signed(store, places)
        await grow(other, 9)
        await signed(other, places)
        assert sizes(store, places) == [5]
        assert sizes(other, places) == [9]
        assert (await audits(store, places).verify()).sound


# -- what they show --------------------------------------------------------------------------


def rewritten(driver: Sqlite, keep: int, actor: str = "mallory") -> None:
    """A database admin writes events after `keep` anew, with a chain that fits."""
    with driver.tampered() as db:
        rows = db.execute("select * from journal order by position").fetchall()
        before = rows[keep - 1][11] if keep else GENESIS
        for position, tenant, stream, version, kind, schema, at, _, body, salt, *_ in rows[keep:]:
            header = (position, tenant, stream, version, kind, schema, at, actor)
            before = link(before, *header, commit(salt, body.encode()))
            db.execute(
                "update journal set actor = ?, hash = ? where position = ?",
                (actor, before, position),
            )


async def found_after(store: Store, places: Places) -> list[tuple[str, int]]:
    found = await audits(store, places).verify()
    return [(each.kind, each.position) for each in found.findings]


@pytest.mark.requirement("audit-finds")
async def test_a_journal_that_was_written_anew_is_found_though_its_chain_holds(
    driver: Sqlite, store: Store, places: Places
) -> None:
    await grow(store, 10)
    await signed(store, places)
    await grow(store, 10)
    await signed(store, places)
    rewritten(driver, 14)
    assert not (await store.verify()).problems
    assert await found_after(store, places) == [("tampered", 11)]
    rewritten(driver, 0)
    assert not (await store.verify()).problems
    assert await found_after(store, places) == [("tampered", 1)]


@pytest.mark.requirement("audit-finds")
@pytest.mark.parametrize("kept", [0, 7, 19])
async def test_a_journal_whose_end_was_cut_off_is_found(
    driver: Sqlite, store: Store, places: Places, kept: int
) -> None:
    await grow(store, 20)
    await signed(store, places)
    with driver.tampered() as db:
        db.execute("delete from journal where position > ?", (kept,))
    assert not (await store.verify()).problems
    assert await found_after(store, places) == [("truncated", kept + 1)]


@pytest.mark.requirement("audit-finds")
async def test_what_is_missing_or_changed_is_named_once(
    driver: Sqlite, store: Store, places: Places
) -> None:
    await grow(store, 20)
    await signed(store, places)
    with driver.tampered() as db:
        db.execute("update journal set body = '{}' where position = 5")
        db.execute("delete from journal where position between 8 and 9")
    assert await found_after(store, places) == [("tampered", 5), ("missing", 10)]


@pytest.mark.requirement("audit-finds")
async def test_a_checkpoint_that_the_key_did_not_sign_counts_for_nothing(
    driver: Sqlite, store: Store, places: Places, tmp_path: Path
) -> None:
    await grow(store, 10)
    await signed(store, places)
    rewritten(driver, 0)
    forger = Places(tmp_path / "forged.txt", tmp_path / "forger")
    await signed(store, forger)
    places.notes.write_bytes(forger.notes.read_bytes())
    assert await found_after(store, places) == [("forged", 10)]
    places.notes.write_text("no checkpoint at all\n\n")
    assert await found_after(store, places) == [("forged", 0)]


async def test_a_damaged_checkpoint_is_told_and_the_others_still_count(
    store: Store, places: Places
) -> None:
    for _ in range(3):
        await grow(store, 10)
        await signed(store, places)
    text = places.notes.read_text()
    places.notes.write_text(text.replace("\n20\n", "\n21\n"))
    found = await audits(store, places).verify()
    assert [each.kind for each in found.findings] == ["forged"]
    assert (found.covered, found.checkpoints) == (30, 2)


async def test_no_checkpoint_buries_the_evidence(
    driver: Sqlite, store: Store, places: Places
) -> None:
    await grow(store, 20)
    await signed(store, places)
    with driver.tampered() as db:
        db.execute("delete from journal where position > 5")
    await signs_no_more(store, places)
    assert sizes(store, places) == [20]


@pytest.mark.parametrize("kept", [0, 9, 19])
async def test_a_journal_that_was_written_anew_is_not_signed_as_if_it_went_on(
    driver: Sqlite, store: Store, places: Places, kept: int
) -> None:
    await grow(store, 20)
    await signed(store, places)
    rewritten(driver, kept)
    await signs_no_more(store, places)
    assert sizes(store, places) == [20]


async def test_a_journal_in_which_events_are_missing_is_not_signed(
    driver: Sqlite, store: Store, places: Places
) -> None:
    await grow(store, 20)
    with driver.tampered() as db:
        db.execute("delete from journal where position = 1")
    await signs_no_more(store, places)


async def test_an_erased_event_is_no_finding(driver: Sqlite, store: Store, places: Places) -> None:
    await grow(store, 10)
    await signed(store, places)
    driver.erase("position in (2, 4)")
    found = await audits(store, places).verify()
    assert (found.sound, found.intact, found.erased) == (True, 8, 2)


async def test_a_journal_that_nobody_has_signed_yet_is_held_against_its_chain_alone(
    store: Store, places: Places
) -> None:
    await store.append(first())
    found = await audits(store, places).verify()
    assert found.sound
    assert (found.checkpoints, found.covered, found.covered_at) == (0, 0, None)
    assert audits(store, places).key() == ""


@pytest.mark.requirement("audit-finds")
async def test_an_engine_that_serves_signs_by_itself_and_one_that_finds_another_journal_stops(
    tmp_path: Path,
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(checkpoints, "LOOK", 0.01)
    settings = {"checkpoints": places.notes, "checkpoint_key": places.key, "signs": True}
    clock = TestClock()
    async with engine_over(tmp_path, {}, clock=clock, work=False, **settings) as engine:
        await grow(engine.store, 7)
        clock.time += MINUTE
        async with asyncio.timeout(20):
            while not places.notes.exists():  # noqa: ASYNC110 - a thread writes it
                await asyncio.sleep(0)
    with Sqlite(tmp_path / "h.db").tampered() as db:
        db.execute("delete from journal where position > 3")
    async with engine_over(tmp_path, {}, clock=clock, work=False, **settings) as engine:
        clock.time += MINUTE
        assert engine._signing is not None
        await asyncio.wait_for(engine._signing, 20)
        assert "journal_not_the_signed_one" in caplog.text
        assert not (await engine.audits.verify()).sound
