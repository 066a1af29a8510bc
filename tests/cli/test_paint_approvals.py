"""Approvals on a terminal: what others wrote can neither move the cursor nor hide anything."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console, RenderableType

from engine import ApprovalView, Requester
from engine.core.approval.plan import Operation, Plan
from engine.core.approval.views import ApprovalPage, Blocked, GrantView, Needing, Undecided
from engine.core.errors import Move
from engine.core.views import LookupView, OutcomeView, SendView
from mcp_server.cli.asking import waiting
from mcp_server.cli.paint import approvals as paint
from mcp_server.cli.paint.timeline import run_timeline
from mcp_server.cli.voting import plan_text
from tests.cli import samples

NOW = 1_795_262_651_000_000
HOSTILE = "\x1b[2J\x1b[1;1HAPPROVED \u202eyb\u200b\r\x9b\u2028x"


def view(**more: Any) -> ApprovalView:
    """An approval in which everything that others can write is hostile."""
    op = Operation(HOSTILE, "delete", HOSTILE, {HOSTILE: HOSTILE}, HOSTILE)
    asks = Requester("stdio", sub=HOSTILE, client=HOSTILE)
    plan = Plan(
        "default", "run.mutations", asks, HOSTILE, HOSTILE, HOSTILE, (op,), (HOSTILE,),
        "p1", NOW, NOW + 10**9, HOSTILE, HOSTILE,
    )  # fmt: skip
    fields: dict[str, Any] = {
        "id": "apr_x", "kind": "run.mutations", "state": "pending", "outcome": "",
        "code": "01234567", "digest": "d", "plan": plan, "summary": HOSTILE, "run": HOSTILE,
        "requester": HOSTILE, "requested_at": NOW, "expires_at": NOW + 10**9, "decided_at": NOW,
        "decided_by": HOSTILE, "assurance_needed": "A2", "confirm": "", "typed_words": "",
        "channel": "page", "comment": HOSTILE, "result": {HOSTILE: HOSTILE},
        "successor": HOSTILE, "next_step": HOSTILE, "approver_exists": True, "worker_alive": False,
    }  # fmt: skip
    return ApprovalView(**{**fields, **more})


def shown(painted: RenderableType) -> str:
    console = Console(width=100, force_terminal=False, color_system=None, markup=False)
    with console.capture() as capture:
        console.print(painted)
    return capture.get()


GRANT = GrantView("g", HOSTILE, HOSTILE, HOSTILE, NOW, NOW, 0, HOSTILE, {HOSTILE: HOSTILE}, 1)
PAINTED: dict[str, RenderableType] = {
    "needing": paint.needing(
        Needing(
            (view(),),
            (Undecided(HOSTILE, HOSTILE, HOSTILE, HOSTILE, NOW),),
            (Blocked(HOSTILE, HOSTILE, HOSTILE, HOSTILE, NOW),),
        ),
        NOW,
    ),
    "page": paint.approval_page(ApprovalPage((view(state="denied"),), HOSTILE), NOW),
    "details": paint.approval_details(view(), NOW, 96),
    "decided": paint.decided(view(state="approved")),
    "approvers": paint.approver_list((HOSTILE,)),
    "grants": paint.grant_list((GRANT,), NOW),
}


@pytest.mark.requirement("gated-at-a-terminal")
@pytest.mark.parametrize("name", PAINTED)
def test_no_character_of_others_drives_the_terminal(name: str) -> None:
    assert dangers(shown(PAINTED[name])) == set()


def test_the_plan_that_a_person_reads_at_the_prompt_hides_nothing() -> None:
    text = plan_text(view(), 80, NOW)
    assert dangers(text) == set()
    assert "<U+202E>" in text
    assert "<U+001B>[2J" in text


def test_what_stderr_is_told_of_a_waiting_command_is_made_visible_by_the_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from mcp_server.cli.screen import Screen

    Screen().trouble(waiting(view()).ending)
    assert dangers(capsys.readouterr().err) == set()


def dangers(text: str) -> set[str]:
    """What drives a terminal, draws nothing, or turns around what follows it."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return {char for char in text if char != "\n" and unicodedata.category(char) in hidden}


def test_a_run_that_waits_for_a_verdict_says_what_was_sent_and_what_to_type() -> None:
    sends = tuple(SendView(n, 1, NOW, "apr_x", "") for n in (1, 2))
    looks = (LookupView(NOW, "no", False, None), LookupView(NOW, "unknown", False, None))
    known = OutcomeView("indeterminate", HOSTILE, sends, looks, incidents=(HOSTILE,))
    step = replace(samples.BROKEN.steps[0], path="pay", status="indeterminate", outcome=known)
    run = replace(
        samples.BROKEN, status="paused:reconciliation", whose_move=Move.PERSON, failure=None,
        next_step="Say what happened.", steps=(step,), retried_by="",
    )  # fmt: skip
    said = shown(run_timeline(run, NOW))
    assert dangers(said) == set()
    assert "sent 2 times, last just now, allowed by apr_x" in said
    assert "the other system was asked 2 times: no, unknown" in said
    assert f"handrail resolve {run.id} pay happened|did-not-happen|skip" in said
