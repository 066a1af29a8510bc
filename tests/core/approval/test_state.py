"""An approval moves along its arrows only, in time, on the bytes that were shown, and once."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.approval import events as ev
from engine.core.approval.plan import canonical, code, digest, subject
from engine.core.approval.state import (
    CLAIM_WITHIN,
    ENDED,
    PENDING_FOR,
    PROVED_FOR,
    Approval,
    Approver,
    Claim,
    Command,
    End,
    Finish,
    Vote,
    decide,
    evolve,
)
from engine.core.errors import Refused
from tests.core.approval.test_plan import a_plan, an_operation

AT = 1_000_000_000_000_000
PLAN = a_plan()
RAW = canonical(PLAN)
SHOWN = digest(RAW)
ANN = Approver("ann", "A2", "terminal")


def asked(**more: Any) -> ev.ApprovalRequested:
    request = ev.ApprovalRequested(
        "apr_1", PLAN.kind, subject(PLAN), SHOWN, RAW.decode(), "r", 7, "demo/order", "1.0.0",
        "local", "stdio", "A1", False, "", "p1", AT + PENDING_FOR, CLAIM_WITHIN,
    )  # fmt: skip
    return replace(request, **more)


def after(
    *commands: Command, at: int = AT, request: ev.ApprovalRequested | None = None
) -> Approval:
    approval = evolve(Approval(), request or asked(), AT)
    for command in commands:
        for event in decide(approval, command):
            evolve(approval, event, getattr(command, "now", at))
    return approval


def yes(**more: Any) -> Vote:
    return replace(Vote("approve", SHOWN, ANN, AT + 1, "A1"), **more)


def no(**more: Any) -> Vote:
    return yes(decision="deny", **more)


def claim(now: int = AT + 2, needed: str = "A1") -> Claim:
    return Claim("worker", now, needed)


def code_of(approval: Approval, command: Command) -> str:
    with pytest.raises(Refused) as refused:
        decide(approval, command)
    return refused.value.code


def test_the_way_from_question_to_result() -> None:
    approval = after(yes(), claim(), Finish("ok", {"id": 1}))
    assert (approval.state, approval.outcome, approval.result) == ("done", "ok", {"id": 1})
    assert approval.vote is not None
    assert approval.vote.approver == "ann"
    assert approval.claimed_by == "worker"


@pytest.mark.requirement("approval-single-use")
@pytest.mark.parametrize("done", [(yes(), claim()), (yes(), claim(), Finish("ok", None))])
def test_nothing_is_claimed_twice(done: tuple[Command, ...]) -> None:
    assert code_of(after(*done), claim()) == "not_approved"


def test_nothing_is_claimed_without_a_yes() -> None:
    assert code_of(after(), claim()) == "not_approved"
    assert code_of(after(no()), claim()) == "not_approved"


def test_a_decision_is_made_once() -> None:
    for first in (yes(), no()):
        for second in (yes(), no()):
            assert code_of(after(first), second) == "already_decided"


@pytest.mark.requirement("approval-expiry")
def test_a_vote_after_its_time_counts_for_nothing() -> None:
    late = AT + PENDING_FOR
    assert code_of(after(), yes(now=late)) == "expired"
    assert code_of(after(), no(now=late)) == "expired"
    assert after(yes(now=late - 1)).state == "approved"


@pytest.mark.requirement("approval-expiry")
def test_a_claim_after_its_time_counts_for_nothing() -> None:
    approval = after(yes())
    assert code_of(approval, claim(AT + 1 + CLAIM_WITHIN)) == "expired"
    assert approval.state_at(AT + 1 + CLAIM_WITHIN) == "expired"
    assert after(yes(), claim(AT + CLAIM_WITHIN)).state == "claimed"


@pytest.mark.requirement("approval-bytes")
def test_other_bytes_than_those_shown_are_not_voted_on() -> None:
    other = digest(canonical(a_plan(an_operation({"n": 2}))))
    assert code_of(after(), yes(shown=other)) == "digest_changed"
    assert code_of(after(), no(shown=other)) == "digest_changed"


@pytest.mark.requirement("approval-bytes")
def test_bytes_that_were_changed_behind_our_back_allow_nothing() -> None:
    swapped = canonical(a_plan(an_operation({"n": 1_000_000}))).decode()
    assert code_of(after(request=asked(plan=swapped)), yes()) == "digest_changed"
    approval = after(yes())
    approval.asked = asked(plan=swapped)
    assert code_of(approval, claim()) == "digest_changed"


def test_assurance_below_what_is_needed_is_refused_but_anybody_may_say_no() -> None:
    weak = Approver("form", "A1", "stdio")
    assert code_of(after(request=asked(assurance="A2")), yes(approver=weak)) == "assurance_too_low"
    assert code_of(after(), yes(approver=weak, needed="A2")) == "assurance_too_low"
    assert after(yes(approver=weak)).state == "approved"
    assert after(no(approver=weak), request=asked(assurance="A2")).state == "denied"


@pytest.mark.parametrize(
    ("typed_at", "voted_at", "counts"),
    [(0, AT + 1, False), (AT - 1, AT + 1, False), (AT, AT + 1, True),
     (AT, AT + PROVED_FOR, True), (AT, AT + PROVED_FOR + 1, False)],
)  # fmt: skip
def test_what_cannot_be_undone_takes_a_pin_that_was_typed_for_it(
    typed_at: int, voted_at: int, counts: bool
) -> None:
    approval, person = after(request=asked(again=True)), Approver("ann", "A2", "page", typed_at)
    if counts:
        assert decide(approval, yes(now=voted_at, approver=person))
    else:
        assert code_of(approval, yes(now=voted_at, approver=person)) == "pin_needed_again"
    assert decide(approval, no(now=voted_at, approver=person))
    assert decide(after(), yes(now=voted_at, approver=person))


def test_a_policy_that_became_stricter_allows_nothing() -> None:
    assert code_of(after(), yes(needed="")) == "policy_changed"
    assert code_of(after(yes()), claim(needed="")) == "policy_changed"
    assert code_of(after(yes()), claim(needed="A3")) == "policy_changed"


def test_a_code_is_compared_as_people_type_it() -> None:
    right = code(SHOWN)
    assert after(yes(code=f" {right[:4].lower()}-{right[4:]} ")).state == "approved"
    assert code_of(after(), yes(code="AAAAAAAA")) == "wrong_code"


def test_destruction_of_much_is_typed() -> None:
    request = asked(typed=True)
    assert code_of(after(request=request), yes()) == "typed_confirmation_needed"
    assert after(yes(typed="create 1"), request=request).state == "approved"


def end(state: Any, now: int = AT + 5) -> End:
    return End(state, "why", "somebody", now)


def test_what_may_end_when() -> None:
    pending, approved, claimed = after(), after(yes()), after(yes(), claim())
    for state in ("superseded", "void"):
        assert decide(pending, end(state))
        assert decide(approved, end(state))
        assert code_of(claimed, end(state)) == "already_decided"
    assert decide(pending, end("cancelled"))
    assert code_of(approved, end("cancelled")) == "already_decided"
    assert decide(approved, end("revoked"))
    assert code_of(pending, end("revoked")) == "already_decided"
    assert code_of(claimed, end("revoked")) == "already_decided"
    assert code_of(pending, end("expired")) == "not_expired"
    assert decide(pending, end("expired", AT + PENDING_FOR))


TIMES = st.integers(AT, AT + 2 * PENDING_FOR)
COMMANDS = st.one_of(
    st.builds(
        Vote,
        st.sampled_from(["approve", "deny"]),
        st.sampled_from([SHOWN, "0" * 64]),
        st.sampled_from([ANN, Approver("form", "A1", "stdio")]),
        TIMES,
        st.sampled_from(["", "A1", "A2"]),
    ),
    st.builds(Claim, st.just("w"), TIMES, st.sampled_from(["", "A1", "A2"])),
    st.builds(Finish, st.sampled_from(["ok", "failed"]), st.just(None)),
    st.builds(
        End,
        st.sampled_from(["expired", "cancelled", "superseded", "void", "revoked"]),
        st.just(""),
        st.just("x"),
        TIMES,
    ),
)


@pytest.mark.requirement("approval-single-use")
@given(st.lists(COMMANDS, max_size=12))
def test_whatever_is_asked_it_is_claimed_once_and_only_after_a_yes(commands: list[Command]) -> None:
    approval, told = evolve(Approval(), asked(), AT), list[tuple[Any, int]]()
    for command in commands:
        before = approval.state
        try:
            events = decide(approval, command)
        except Refused:
            continue
        assert before not in ENDED
        for event in events:
            told.append((event, getattr(command, "now", AT)))
            evolve(approval, *told[-1])
    kinds = [type(event) for event, _ in told]
    assert kinds.count(ev.ApprovalClaimed) <= 1
    if ev.ApprovalClaimed in kinds:
        (vote,) = [event for event, _ in told if isinstance(event, ev.ApprovalVoted)]
        assert (vote.decision, vote.digest) == ("approve", SHOWN)
    again = evolve(Approval(), asked(), AT)
    for event, at in told:
        evolve(again, event, at)
    assert again == approval
