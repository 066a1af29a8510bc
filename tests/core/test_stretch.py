"""Stretches of a journal that are walked apart and joined say what one walk says, or nothing."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from engine.core.audit import Auditor
from engine.core.chain import GENESIS, Line, commit, header, link
from engine.core.note import Checkpoint
from engine.core.receipts import told
from engine.core.stretch import Stretch, Task, tasks, walked

TOLD = (
    "approval.requested", "approval.voted", "approval.claimed", "approval.finished",
    "approval.ended", "mutations.granted", "step.in_flight",
)  # fmt: skip
KINDS = ("step.succeeded", "approval.voted", "mutations.granted", "step.in_flight")
BODIES = ("{}", '{"ops":{},"grant":"apr_1"}', '{"path":"a","grant":"apr_1","digest":"x"}', "?")
ERASED, REBODIED, UNSALTED, GONE = "erased", "rebodied", "unsalted", "gone"
REHASHED, RETYPED = "rehashed", "retyped"
DAMAGES = (ERASED, REBODIED, UNSALTED, GONE, REHASHED, RETYPED)


def journal(size: int, first: int = 0) -> list[Line]:
    """Events that are sound; another `first` gives another journal."""
    lines, before = list[Line](), GENESIS
    for at in range(1, size + 1):
        kind, body = KINDS[at % 4], BODIES[(at + first) % 4]
        salt = sha256(b"%d" % at).digest()
        place = (at, "default", at % 3, at, kind, 1, 7, "ann")
        own = link(before, *place, commit(salt, body.encode()))
        lines.append((at, header(*place).encode(), salt, body.encode(), None, own))
        before = own
    return lines


def damaged(lines: list[Line], damage: Sequence[tuple[int, str]]) -> list[Line]:
    """The journal after somebody was at it."""
    known = {line[0]: line for line in lines}
    for place, what in damage:
        at = place % len(lines) + 1
        if (line := known.pop(at, None)) is None or what == GONE:
            continue
        salt, body = sha256(b"%d" % at).digest(), BODIES[at % 4]
        changed = {
            ERASED: (*line[:2], None, None, commit(salt, body.encode()), *line[5:]),
            REBODIED: (*line[:3], b"[]", *line[4:]),
            UNSALTED: (*line[:2], b"", *line[3:]),
            REHASHED: (*line[:5], bytes(31)),
            RETYPED: (*line[:5], "text"),
        }
        known[at] = changed[what]  # type: ignore[assignment]
    return [known[at] for at in sorted(known)]


@given(st.data(), st.lists(st.sampled_from([*TOLD, "step.succeeded", "approval.other", "é"])))
def test_told_is_what_receipts_look_at_and_nothing_else(
    data: st.DataObject, kinds: list[str]
) -> None:
    names = st.sampled_from(["ann", *TOLD, *(f'"{kind}"' for kind in TOLD)])
    places = [(at, data.draw(names), at + 7, 1, kind, 1, 7, data.draw(names))
              for at, kind in enumerate(kinds, 1)]  # fmt: skip
    lines = [(each[0], header(*each).encode(), b"s", b"b", None, b"h") for each in places]
    erased = [(at + 100, said, None, None, b"c", b"h") for at, said, *_ in lines]
    assert told([*lines, *erased]) == [
        (at, at + 7, kind, b"b") for at, kind in enumerate(kinds, 1) if kind in TOLD
    ]


def test_told_bears_whatever_somebody_put_into_a_header() -> None:
    texts = (
        b'[1,2,3,1,7,"d",["X\'6b\'"],"\\"approval."]',
        b'[1,2,3,1,7,"\xff","approval.voted",""]',
    )
    lines: list[Line] = [(1, said, b"s", b"b", None, b"h") for said in texts]
    assert told(lines) == [(1, 2, "approval.voted", b"b")]


def pages(lines: Sequence[Line], behind: int, length: int) -> Iterator[Sequence[Line]]:
    found = [line for line in lines if line[0] > behind]
    return (found[at : at + length] for at in range(0, len(found), length))


def checkpoint(lines: Sequence[Line], size: int) -> Checkpoint:
    return Checkpoint("o", size, b"", lines[size - 1][5], 7, ())


def apart(lines: Sequence[Line], task: Task, length: int) -> Stretch | None:
    return walked(pages(lines, max(0, task.after - 1), length), task)


def at_once(lines: Sequence[Line], notes: Sequence[Checkpoint], length: int) -> Auditor:
    auditor = Auditor(notes)
    for page in pages(lines, 0, length):
        auditor.step(page)
    return auditor


damages = st.lists(
    st.tuples(st.integers(0, 70), st.sampled_from(DAMAGES)),
    max_size=3,
)


@given(
    st.integers(1, 70),
    st.sampled_from((1, 2, 4, 8, 32, 128)),
    st.integers(1, 40),
    damages,
    st.lists(st.tuples(st.integers(0, 75), st.booleans()), max_size=5),
)
def test_stretches_say_what_one_walk_says_and_nothing_of_what_is_not_sound(
    size: int,
    span: int,
    length: int,
    damage: list[tuple[int, str]],
    signed: list[tuple[int, bool]],
) -> None:
    true, other = journal(size + 5), journal(size + 5, first=1)
    lines = damaged(true[:size], damage)
    notes = [
        checkpoint(true if honest else other, max(1, min(at, size + 5))) for at, honest in signed
    ]
    whole = at_once(lines, notes, length)
    auditor = Auditor(notes)
    end = lines[-1][0] if lines else 0
    found = [apart(lines, task, length) for task in tasks(end, [each.size for each in notes], span)]
    joined = [auditor.join(each) for each in found if each is not None]
    assert (len(joined) == len(found) and all(joined)) is whole.walk.sound
    if whole.walk.sound:
        assert auditor.result() == whole.result()


def test_a_stretch_of_another_journal_does_not_join() -> None:
    one, other = journal(8), journal(8, first=1)
    first, second = tasks(8, [], 4)
    auditor = Auditor([])
    begun, strange, right = apart(one, first, 3), apart(other, second, 3), apart(one, second, 3)
    assert begun
    assert strange
    assert right
    assert not auditor.join(right)
    assert auditor.join(begun)
    assert not auditor.join(strange)
    assert auditor.join(right)
    assert auditor.result() == at_once(one, [], 8).result()
