"""A copy of the journal proves what it says to whoever has nothing else."""

import hashlib
import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.app.audit import Audits, Exported
from engine.core import merkle, note
from engine.core.chain import GENESIS, commit, link
from engine.core.errors import Refused
from engine.core.log import NEW, Append, Entry
from engine.shell.checkpoints import Places, Signer, genuine, newest, signing_key
from engine.shell.clock import TestClock
from engine.store import Store
from tests.store.journals import AT, Sqlite, done, started


async def journal(store: Store, places: Places) -> Audits:
    """Twenty events in four runs, signed after each of them."""
    for number in range(4):
        events = (started(f"r{number}"), *(done(f"s{n}", "é" * n) for n in range(4)))
        await store.append(Append((Entry(NEW, 0, events),), AT, "ann"))
        Signer(store, TestClock(), places).sign(AT)

    async def row(run: str) -> dict[str, Any]:
        return {"id": 6, "tenant": "default"}

    return Audits(store, places, row)


async def copied(tmp_path: Path, **more: Any) -> Exported:
    """A copy of that journal."""
    places = Places(tmp_path / "elsewhere" / "c.txt", tmp_path / "key")
    async with Sqlite(tmp_path / "h.db").open() as store:
        return await (await journal(store, places)).export(tmp_path / "copy", **more)


class Copy:
    """A copy in the hands of somebody else."""

    def __init__(self, folder: Path) -> None:
        self.raw = (folder / "entries.jsonl").read_bytes()
        self.entries = [json.loads(line) for line in self.raw.splitlines()]
        self.told = json.loads((folder / "manifest.json").read_bytes())
        text = (folder / "checkpoints.txt").read_text(encoding="utf-8")
        self.notes = [note.read(part) for part in note.split(text)]

    def digest(self, entry: dict[str, Any]) -> bytes:
        """The hash that an entry must have, from nothing but its own fields."""
        names = ("position", "tenant", "stream", "version", "kind", "schema", "at", "actor")
        header: dict[str, Any] = {name: entry[name] for name in names}
        commitment = commit(bytes.fromhex(entry["salt"]), entry["body"].encode())
        before = GENESIS
        if entry["position"] > 1:
            before = bytes.fromhex(self.entries[entry["position"] - 2]["hash"])
        return link(before, **header, commitment=commitment)


@pytest.mark.requirement("audit-copies")
async def test_everything_in_a_whole_copy_can_be_computed_again(tmp_path: Path) -> None:
    done = await copied(tmp_path)
    copy = Copy(tmp_path / "copy")
    assert done.entries == copy.told["entries"] == len(copy.entries) == 20
    assert hashlib.sha256(copy.raw).hexdigest() == done.sha256 == copy.told["sha256"]
    tree = merkle.Tree()
    roots = {}
    for entry in copy.entries:
        assert copy.digest(entry).hex() == entry["hash"]
        tree.grow([bytes.fromhex(entry["hash"])])
        roots[tree.size] = tree.root()
    assert tree.root().hex() == copy.told["root"]
    assert copy.entries[-1]["hash"] == copy.told["head"]
    assert [roots[each.checkpoint.size] for each in copy.notes] == [
        each.checkpoint.root for each in copy.notes
    ]


@pytest.mark.requirement("audit-copies")
async def test_each_checkpoint_is_proved_to_go_on_where_the_last_one_ended(tmp_path: Path) -> None:
    await copied(tmp_path)
    copy = Copy(tmp_path / "copy")
    roots = {each.checkpoint.size: each.checkpoint.root for each in copy.notes}
    roots[20] = bytes.fromhex(copy.told["root"])
    steps = copy.told["consistency"]
    assert [(step["from"], step["to"]) for step in steps] == [(5, 10), (10, 15), (15, 20)]
    for step in steps:
        proof = [b64decode(each) for each in step["proof"]]
        first, second = step["from"], step["to"]
        assert merkle.consistent(first, second, proof, roots[first], roots[second])
        assert not merkle.consistent(first, second, proof, roots[second], roots[first])


@pytest.mark.requirement("audit-copies")
@pytest.mark.parametrize(("part", "positions"), [
    ({"run": "x"}, [6, 7, 8, 9, 10]),
    ({"after": 17}, [18, 19, 20]),
])  # fmt: skip
async def test_every_event_of_a_part_is_proved_to_stand_in_the_whole(
    tmp_path: Path, part: dict[str, Any], positions: list[int]
) -> None:
    await copied(tmp_path, **part)
    copy = Copy(tmp_path / "copy")
    assert [entry["position"] for entry in copy.entries] == positions
    root = bytes.fromhex(copy.told["root"])
    for entry in copy.entries:
        proof, own = [b64decode(each) for each in entry["proof"]], bytes.fromhex(entry["hash"])
        assert merkle.included(own, entry["position"] - 1, copy.told["size"], proof, root)
        assert not merkle.included(own, entry["position"], copy.told["size"], proof, root)


async def test_a_copy_tells_of_a_checkpoint_whose_root_is_not_that_of_its_events(
    tmp_path: Path,
) -> None:
    places = Places(tmp_path / "elsewhere" / "c.txt", tmp_path / "key")
    async with Sqlite(tmp_path / "h.db").open() as store:
        audits = await journal(store, places)
        right = newest(places, note.origin_of(store.place))
        assert right is not None
        tree = merkle.Tree()
        tree.grow([bytes(32)] * right.size)
        wrong = replace(right, root=tree.root(), peaks=tuple(tree.peaks))
        key = signing_key(places.key)
        own = note.key_id(wrong.origin, key.public_key().public_bytes_raw())
        text = note.written(note.Note(wrong, own, key.sign(wrong.text.encode())))
        with places.notes.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")
        done = await audits.export(tmp_path / "copy")
    assert [(each.kind, each.position) for each in done.audit.findings] == [("forged", 20)]
    assert json.loads((tmp_path / "copy" / "manifest.json").read_bytes())["findings"]


async def test_the_checkpoints_of_a_copy_are_signed_by_the_key_that_it_names(
    tmp_path: Path,
) -> None:
    await copied(tmp_path)
    copy = Copy(tmp_path / "copy")
    public = b64decode(copy.told["key"].split("+", 2)[2])[1:]
    assert len(copy.notes) == 4
    assert all(genuine(public, each) for each in copy.notes)
    assert not any(genuine(bytes(31) + b"\1", each) for each in copy.notes)


async def test_a_copy_of_a_damaged_journal_says_what_is_wrong(tmp_path: Path) -> None:
    driver, places = Sqlite(tmp_path / "h.db"), Places(tmp_path / "e" / "c.txt", tmp_path / "key")
    async with driver.open() as store:
        audits = await journal(store, places)
        with driver.tampered() as db:
            db.execute("update journal set body = x'00' where position = 2")
            db.execute("delete from journal where position = 9")
        done = await audits.export(tmp_path / "copy")
    assert not done.audit.sound
    kinds = [finding[:2] for finding in Copy(tmp_path / "copy").told["findings"]]
    assert kinds == [["tampered", 2], ["missing", 10]]


async def test_no_copy_is_written_over_anything(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(Refused) as refused:
        await copied(tmp_path)
    assert refused.value.code == "export_exists"
    assert list((tmp_path / "copy").iterdir()) == []


async def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = Places(tmp_path / "c.txt", tmp_path / "key")
    async with Sqlite(tmp_path / "h.db").open() as store:
        audits = await journal(store, places)
        with pytest.raises(Refused) as refused:
            await audits.export(tmp_path / "file" / "copy")
    assert refused.value.code == "export_unwritable"
