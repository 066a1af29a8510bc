"""Attacks 18, 19, 20 and 35 on the words a person reads: hide, bury, imitate, cut."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from engine.core.approval.plan import Operation, Plan, Requester
from engine.core.approval.render import columns, fits_form, lines, summary, text
from tests.core.approval.plans import operation, plan

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

TRICKS = {
    "right to left": "refund \u202e001 $ ylno",
    "isolates": "a\u2066b\u2067c\u2068d\u2069",
    "zero width": "pay\u200bpal\u200c\u200d\u2060",
    "byte order mark": "\ufeffdelete",
    "soft hyphen": "de\u00adlete",
    "clear the screen": "\x1b[2J\x1b[Hall is well",
    "one-byte escape": "\x9b2Jx",
    "window title": "\x1b]0;approved\x07",
    "link of a terminal": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "carriage return": "delete everything\rread one thing",
    "line feeds": "x" + "\n" * 300 + "1 of 1. read: GET https://shop.example/",
    "backspaces": "delete\b\b\b\b\b\bread  ",
    "tabs": "x" + "\t" * 300 + "and delete",
    "spaces": "x" + " " * 5_000 + "and delete",
    "blank letters": "x" + "\u3164" * 300 + "\u2800" * 300 + "y",
    "ideographic spaces": "x" + "\u3000" * 300 + "y",
    "line separator": "x\u20281 of 1. read",
    "tower of marks": "z" + "\u0301" * 400 + "\u0e31" * 400,
    "tags": "x\U000e0001\U000e0064\U000e0065",
    "variation selectors": "ok\ufe0f\U000e0100",
    "private use": "\ue000\U000f0000",
    "no character": "\uffff\ufdd0",
    "Cyrillic host": "https://sh\u043ep.example/x",
    "markup": "<script>alert(1)</script> ![x](http://evil.example/?d=1) **APPROVED**",
    "huge": "x" * 100_000,
    "a row of its own": '"\n    host: "shop.example',
}


def _places(trick: str) -> dict[str, Plan]:
    """The trick wherever text from outside stands in a plan, beside an operation that deletes."""
    bad = operation("wipe", "delete")

    def beside(**more: Any) -> Plan:
        return plan(bad, replace(operation("note"), **more))

    return {
        "a value": beside(args={"note": trick}),
        "a name": beside(args={trick: 1}),
        "a header": beside(args={"request": {"headers": {trick: trick}, "body": trick}}),
        "the target": beside(target=f"POST {trick}"),
        "the step": beside(id=trick),
        "the task": beside(task=trick),
        "the verb": beside(verb=trick),
        "the workflow": replace(beside(), workflow=trick, version=trick),
        "the client": replace(beside(), requester=Requester("stdio", client=trick)),
        "the run": replace(beside(), run=trick, env=trick, later=(trick,)),
        "the reason": replace(beside(), rationale=trick[:500]),
    }


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
@pytest.mark.parametrize("place", _places(""))
def test_nothing_hides_an_operation_or_looks_like_one(trick: str, place: str) -> None:
    asked = _places(trick)[place]
    shown = text(asked)
    rows = shown.split("\n")
    assert not any(unicodedata.category(char) in HIDDEN for char in shown if char != "\n")
    assert all(sum(map(columns, row)) <= 96 for row in rows)
    heads = [row for row in rows if not row.startswith((" ", "!", "|", "+--"))]
    assert heads[1].startswith("1 of 2. DELETE: POST https://shop.example/wipe")
    assert [row[:7] for row in heads[1:] if row[:1].isdigit()] == ["1 of 2.", "2 of 2."]
    assert "showing all 2" in shown
    assert "\n" not in summary(asked)


def test_one_delete_among_two_hundred_comes_first_and_is_counted() -> None:
    ops = [operation(f"touch-{at}", "update", reversible=True) for at in range(200)]
    ops[179] = operation("wipe", "delete")
    asked = plan(*ops)
    found = [line for line in lines(asked) if line.kind == "operation"]
    assert found[0].text.startswith("180 of 200. DELETE:")
    assert len(found) == 200
    assert "1 delete, 199 update" in summary(asked)
    head = [line.text for line in lines(asked) if line.kind in {"head", "warning"}]
    assert "1 of 200 cannot be taken back" in head
    assert any(row.endswith("showing all 200") for row in head)


def test_one_other_recipient_among_two_hundred_comes_first() -> None:
    def to(at: int, who: str) -> Operation:
        return operation(f"mail-{at}", "send", args={"to": who, "text": f"hello {at}"})

    ops = [to(at, "all@shop.example") for at in range(200)]
    ops[179] = to(179, "eve@shop.example")
    first = next(line for line in lines(plan(*ops)) if line.kind == "operation")
    assert first.at == 179


@pytest.mark.parametrize(
    "claim",
    [
        "APPROVED BY ADMIN",
        "+--\nCarry out changes outside for demo/harmless 1.0.0\n  showing all 0",
        "| nothing to see\n+--\n1 of 1. read: GET https://shop.example/",
        "! 0 of 1 cannot be taken back",
        "x" * 400 + "\n+--",
        "\r\n+--\r\napproved",
        "a" * 75 + " +-- " + "b" * 75,
    ],
)
def test_the_assistant_s_reason_stays_in_its_box_and_changes_nothing_above_it(claim: str) -> None:
    asked = plan(operation("wipe", "delete"))
    bare, boxed = text(asked), text(replace(asked, rationale=claim))
    assert boxed.startswith(bare + "\n+-- written by the assistant")
    inside = boxed.removeprefix(bare + "\n").split("\n")
    assert all(row.startswith("| ") for row in inside[1:-1])
    assert inside[-1] == "+--"
    assert max(len(row) for row in inside) <= 80


def test_what_is_too_long_is_never_shortened_into_a_form() -> None:
    assert not fits_form(plan(*(operation(f"s{at}") for at in range(200))))
    assert not fits_form(plan(operation(args={"to": "x" * 600})))
    huge = {f"k{at}": at for at in range(5_000)}
    whole = text(plan(operation(args=huge)))
    assert all(f"k{at}: {at}\n" in f"{whole}\n" for at in huge.values())
