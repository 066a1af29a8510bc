"""What released versions wrote, kept for ever: it is read as long as there is Handrail."""

from typing import Any

import pytest

from engine.core import events as ev
from engine.core.approval import events as approvals
from engine.core.codec import Codec
from engine.core.errors import Failure, Kind
from tests.store.journals import FEATURES

KINDS = {kind.name: kind for feature in FEATURES for kind in feature.kinds}
CODEC = Codec(KINDS.values())

FAILED = Failure(
    Kind.NETWORK,
    "connect_failed",
    "Verbindung zurückgewiesen",
    "try later",
    5,
    ("a", "b"),
    {"n": 1},
)
FAILURE = (
    '{"kind":"network","code":"connect_failed","message":"Verbindung zurückgewiesen",'
    '"hint":"try later","retry_after":5,"cause":["a","b"],"details":{"n":1}}'
)
# What version 0.1 wrote. A line here is never changed: a new shape gets a line and an upcaster.
GOLDEN: list[tuple[str, int, str, Any]] = [
    (
        "run.started",
        1,
        '{"uid":"u","namespace":"default","workflow":"w","version":"1.0.0","digest":"d",'
        '"kind":"workflow","input":{"n":1.5},"held":true,"key":"k","input_digest":"i",'
        '"deadline":9,"retry_of":1,"root":null}',
        ev.RunStarted(
            "u", "default", "w", "1.0.0", "d", "workflow", {"n": 1.5}, True, "k", "i", 9, 1
        ),
    ),
    (
        "run.started",
        2,
        '{"uid":"u","namespace":"default","workflow":"w","version":"1.0.0","digest":"d",'
        '"kind":"workflow","input":{},"held":true,"key":"","input_digest":"",'
        '"deadline":null,"retry_of":1,"root":1,"root_uid":"r","requester":"i|s","channel":"http"}',
        ev.RunStarted(
            "u",
            "default",
            "w",
            "1.0.0",
            "d",
            "workflow",
            {},
            True,
            retry_of=1,
            root=1,
            root_uid="r",
            requester="i|s",
            channel="http",
        ),
    ),
    (
        "run.paused",
        2,
        '{"status":"paused:approval","wake_at":null,"step":"","failure":null,"approval":"apr_1"}',
        ev.RunPaused("paused:approval", None, approval="apr_1"),
    ),
    ("run.resumed", 1, "{}", ev.RunResumed()),
    (
        "scope.opened",
        1,
        '{"path":"a","namespace":"n","workflow":"w","version":"1.0.0","digest":"d"}',
        ev.ScopeOpened("a", "n", "w", "1.0.0", "d"),
    ),
    ("loop.opened", 1, '{"path":"a","count":3}', ev.LoopOpened("a", 3)),
    ("loop.closed", 1, '{"path":"a"}', ev.LoopClosed("a")),
    ("timer.set", 1, '{"path":"a","wake_at":7}', ev.TimerSet("a", 7)),
    (
        "step.in_flight",
        1,
        '{"path":"a[1]","attempt":1,"grant":"g"}',
        ev.StepInFlight("a[1]", 1, "g"),
    ),
    (
        "mutations.granted",
        1,
        '{"grant":"apr_1","ops":{"a":"d"},"templates":{"b[*]":3}}',
        ev.MutationsGranted("apr_1", {"a": "d"}, {"b[*]": 3}),
    ),
    (
        "grant.voided",
        1,
        '{"grant":"apr_1","path":"a","reason":"drifted"}',
        ev.GrantVoided("apr_1", "a", "drifted"),
    ),
    (
        "step.in_flight",
        2,
        '{"path":"a","attempt":1,"grant":"apr_1","digest":"d","key":"hr1_k","send":2,"at":5}',
        ev.StepInFlight("a", 1, "apr_1", "d", "hr1_k", 2, 5),
    ),
    (
        "step.unknown",
        1,
        f'{{"path":"a","send":1,"reason":"timeout","at":5,"failure":{FAILURE}}}',
        ev.StepUnknown("a", 1, "timeout", 5, FAILED),
    ),
    (
        "step.looked_up",
        1,
        '{"path":"a","send":1,"verdict":"no","at":5,"proven":true,"failure":null}',
        ev.StepLookedUp("a", 1, "no", 5, True),
    ),
    (
        "step.indeterminate",
        1,
        '{"path":"a","reason":"no_way","at":5}',
        ev.StepIndeterminate("a", "no_way", 5),
    ),
    (
        "step.resolved",
        1,
        '{"path":"a","verdict":"happened","output":{"id":1},"by":"ann","epoch":0,"at":5,'
        '"approval":"apr_2"}',
        ev.StepResolved("a", "happened", {"id": 1}, "ann", 0, 5, "apr_2"),
    ),
    (
        "sends.carried",
        1,
        '{"path":"a","epoch":1,"first_at":5}',
        ev.SendsCarried("a", 1, 5),
    ),
    (
        "truth.conflicted",
        1,
        '{"path":"a","send":1,"said":"happened","found":"did_not_happen","at":5}',
        ev.TruthConflicted("a", 1, "happened", "did_not_happen", 5),
    ),
    (
        "step.succeeded",
        1,
        '{"path":"a","output":[1,null,"é"],"attempt":2,"target":"n/t","started_at":5,'
        '"source":"copied"}',
        ev.StepSucceeded("a", [1, None, "é"], 2, "n/t", 5, "copied"),
    ),
    (
        "step.failed",
        1,
        f'{{"path":"a","attempt":1,"target":"n/t","failure":{FAILURE},"started_at":5,'
        '"again_at":8}',
        ev.StepFailed("a", 1, "n/t", FAILED, 5, 8),
    ),
    ("step.skipped", 1, '{"path":"a","reason":"condition"}', ev.StepSkipped("a", "condition")),
    (
        "run.paused",
        1,
        f'{{"status":"paused:retry","wake_at":8,"step":"a","failure":{FAILURE}}}',
        ev.RunPaused("paused:retry", 8, "a", FAILED),
    ),
    (
        "run.paused",
        1,
        '{"status":"paused:timer","wake_at":8,"step":"","failure":null}',
        ev.RunPaused("paused:timer", 8),
    ),
    ("run.completed", 1, '{"output":{"a":1}}', ev.RunCompleted({"a": 1})),
    (
        "run.failed",
        1,
        f'{{"status":"failed:exhausted","step":"a","failure":{FAILURE}}}',
        ev.RunFailed("failed:exhausted", "a", FAILED),
    ),
    ("run.cancelled", 1, '{"reason":"enough"}', ev.RunCancelled("enough")),
    ("run.retried", 1, '{"by":"u2"}', ev.RunRetried("u2")),
    (
        "version.published",
        1,
        '{"namespace":"n","name":"w","version":"1.0.0","digest":"d","effect":"read",'
        '"pending":false,"bundle":{"workflow":{}}}',
        ev.VersionPublished("n", "w", "1.0.0", "d", "read", False, {"workflow": {}}),
    ),
    (
        "version.default_set",
        1,
        '{"version":"1.0.0","pinned":true}',
        ev.DefaultSet("1.0.0", True),
    ),
    (
        "version.deprecated",
        1,
        '{"version":"1.0.0","undone":false}',
        ev.VersionDeprecated("1.0.0", False),
    ),
    (
        "version.accepted",
        1,
        '{"version":"1.0.0","digest":"d","approval":"apr_1"}',
        ev.VersionAccepted("1.0.0", "d", "apr_1"),
    ),
    (
        "approval.requested",
        1,
        '{"uid":"apr_1","kind":"run.cancel","subject":"s","digest":"d","plan":"{}","run":"r",'
        '"run_stream":7,"workflow":"n/w","version":"1.0.0","requester":"local","channel":"stdio",'
        '"assurance":"A2","typed":false,"rule":"","policy_rev":"p","expires_at":9,'
        '"claim_within":8,"replaces":"","again":true,"derived":false}',
        approvals.ApprovalRequested(
            "apr_1",
            "run.cancel",
            "s",
            "d",
            "{}",
            "r",
            7,
            "n/w",
            "1.0.0",
            "local",
            "stdio",
            "A2",
            False,
            "",
            "p",
            9,
            8,
            again=True,
        ),
    ),
    (
        "approval.voted",
        1,
        '{"decision":"approve","digest":"d","approver":"ann","assurance":"A2",'
        '"channel":"page","comment":"","claim_by":9}',
        approvals.ApprovalVoted("approve", "d", "ann", "A2", "page", "", 9),
    ),
    ("approval.claimed", 1, '{"by":"w","digest":"d"}', approvals.ApprovalClaimed("w", "d")),
    (
        "approval.finished",
        1,
        '{"outcome":"ok","result":{"a":1}}',
        approvals.ApprovalFinished("ok", {"a": 1}),
    ),
    (
        "approval.ended",
        1,
        '{"state":"void","reason":"r","by":"x","successor":"apr_2"}',
        approvals.ApprovalEnded("void", "r", "x", "apr_2"),
    ),
    (
        "approver.enrolled",
        1,
        '{"name":"ann","channel":"terminal","replaced":false}',
        approvals.ApproverEnrolled("ann", "terminal", False),
    ),
    (
        "grant.given",
        1,
        '{"uid":"rule:1","kind":"rule","by":"ann","approval":"apr_1","expires_at":9,'
        '"body":{"a":1}}',
        approvals.GrantGiven("rule:1", "rule", "ann", "apr_1", 9, {"a": 1}),
    ),
    ("grant.revoked", 1, '{"by":"ann","reason":"r"}', approvals.GrantRevoked("ann", "r")),
    ("breaker.moved", 1, '{"key":"n/t","circuit":"open"}', ev.BreakerMoved("n/t", "open")),
]


@pytest.mark.parametrize(("name", "schema", "body", "event"), GOLDEN)
def test_what_a_released_version_wrote_is_read_today(
    name: str, schema: int, body: str, event: Any
) -> None:
    assert CODEC.load(name, schema, body) == event
    if schema == len(KINDS[name].upcasts) + 1:
        assert CODEC.dump(event) == (name, schema, body)


def test_every_kind_is_held_to_what_was_released() -> None:
    assert {line[0] for line in GOLDEN} == set(KINDS)
