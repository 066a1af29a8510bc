"""A checkpoint is read as it was written, and no other text is taken for one."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import note
from engine.core.merkle import Tree
from engine.core.note import Checkpoint, Note

ORIGIN = note.origin_of("/somewhere/handrail.db")


def checkpoint(size: int = 5, at: int = 10**15) -> Checkpoint:
    tree = Tree()
    tree.grow(bytes([n % 251]) * 32 for n in range(size))
    return Checkpoint(ORIGIN, size, tree.root(), b"h" * 32, at, tuple(tree.peaks))


def made(size: int = 5) -> Note:
    return Note(checkpoint(size), b"1234", b"\7" * 64)


@given(st.integers(1, 300))
def test_a_note_is_read_as_it_was_written(size: int) -> None:
    assert note.read(note.written(made(size))) == made(size)


def test_it_looks_the_way_others_write_checkpoints() -> None:
    lines = note.written(made()).split("\n")
    assert lines[0] == ORIGIN
    assert lines[1] == "5"
    assert len(lines[2]) == 44
    assert lines[3].startswith("head aGho")
    assert lines[6] == ""
    assert lines[7].startswith(f"— {ORIGIN} MTIzN")  # the key's id comes first
    assert lines[8:] == [""]


def test_the_key_is_named_as_signed_notes_name_it() -> None:
    name, key, public = note.verifier(ORIGIN, bytes(32)).split("+", 2)
    assert (name, bytes.fromhex(key)) == (ORIGIN, note.key_id(ORIGIN, bytes(32)))
    assert b64decode(public) == b"\1" + bytes(32)


CHANGES = {
    "another size": ("\n5\n", "\n7\n"),
    "a size that is no number": ("\n5\n", "\n05\n"),
    "another root": ("=\nhead", "=\nhead "),
    "another head": ("head aGho", "head aGhoo"),
    "no head": ("head ", ""),
    "no time": ("at 1000000000000000\n", ""),
    "another name below": ("— handrail", "— handrai1"),
    "a line more": ("\n\n", "\nmore\n\n"),
    "no signature": ("—", "-"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_no_checkpoint(change: str) -> None:
    old, new = CHANGES[change]
    text = note.written(made())
    assert old in text
    with pytest.raises(ValueError, match=r"checkpoint|contradict|peaks"):
        note.read(text.replace(old, new, 1))


def test_peaks_that_do_not_fit_the_root_are_refused() -> None:
    right = checkpoint()
    wrong = Checkpoint(ORIGIN, 5, right.root, right.head, right.at, (bytes(32), bytes(32)))
    with pytest.raises(ValueError, match="contradict"):
        note.read(note.written(Note(wrong, b"1234", b"\7" * 64)))


def test_notes_follow_each_other_and_the_last_may_be_half_written() -> None:
    texts = [note.written(made(size)) for size in (3, 4, 5)]
    whole = "\n".join(texts) + "\n"
    assert list(note.split(whole)) == texts
    parts = list(note.split(whole[:-60]))
    assert parts[:2] == texts[:2]
    assert len(parts) == 3
    assert list(note.split("")) == []


def test_a_journal_keeps_its_name_whatever_is_in_it() -> None:
    assert note.origin_of("a") == note.origin_of("a") != note.origin_of("b")
