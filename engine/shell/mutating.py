"""The drive's way to a mutation: ask the keeper, make ready, compare, and have the intent recorded.

Nothing leaves the process here. `ask` brings what the run proposes before the keeper; `begin` has
the core compare what is about to be sent with what was granted. Where that differs, what is left
of the grant is void, and a new plan is asked for (TRUST 1.5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core import events as ev
from engine.core import ledger
from engine.core.asks import Call, Decision
from engine.core.errors import Failure, Kind, Refused
from engine.core.model import Effect
from engine.core.outcomes import Outcome, outcomes
from engine.core.plan import Planner
from engine.core.request import Request
from engine.core.retry import NEVER, RetryPolicy
from engine.core.run import Begin, Fail, Resend, decide, evolve
from engine.core.value import value
from engine.shell.clock import Clock
from engine.shell.held import Held
from engine.shell.keeping import PERSONAL, Denied, Granted, Keeper
from engine.shell.ready import Ready, Readying, Unready
from engine.shell.recording import Recording


@value
class Sent:
    """A mutation on its way: `send` and `epoch` say which one it is."""

    request: Request | None
    key: str
    send: int
    epoch: int


@dataclass(slots=True)
class Mutating:
    """What one drive does about mutations. It writes with the drive's `pen`."""

    held: Held
    planner: Planner
    keeper: Keeper
    clock: Clock
    pen: Recording
    readying: Readying
    _secret: bytes = field(default=b"")

    async def ask(self, decision: Decision) -> Decision | None:
        """Ask for what is proposed; what to rest with, or None when the run can go on."""
        proposals, ahead = decision.proposals, self.planner.ahead()
        try:
            ops, later = await self.readying.plan(
                proposals.values(), ahead.proposals.values(), ahead.later
            )
        except Unready as trouble:
            self.unready(trouble)
            return None
        await self.pen.born()
        if self.pen.unless is not None:
            await self.pen.flush()  # a condition counts for one grant
        permit = await self.keeper.ask(self.held, ops, later, self.clock.now())
        self.pen.along += permit.entries
        if isinstance(permit, Denied):
            return self.planner.deny(permit.failure)
        self.pen.unless = permit.unless
        if not isinstance(permit, Granted):
            return self.planner.park(permit.approval, decision.wake_at)
        if permit.ops.keys().isdisjoint(proposals):
            return self.planner.deny(_beside(permit.grant))
        self._tell(ev.MutationsGranted(permit.grant, permit.ops, permit.templates))
        self.pen.durable = True  # with the first intents under it, and before anything is sent
        return None

    async def begin(self, call: Call) -> Sent | None:
        """Note the intent to send a mutation; None when it is not to be sent now."""
        try:
            ready, approved = await self.readying.call(call)
        except Unready as trouble:
            self.unready(trouble)
            return None
        key = await self._key(call)
        try:
            events = decide(self.held.run, _wish(call, ready, approved, key, self.clock.now()))
        except Refused as refused:
            await self._refused(call, refused.code)
            return None
        for event in events:
            self._tell(event)
        self.pen.durable = True
        sending = self.held.run.sends[call.path]
        return Sent(ready.request, key, sending.send, sending.epoch)

    async def finish(self, found: Mapping[str, Outcome]) -> None:
        """Have it recorded what became of what people granted."""
        personal = {grant: word for grant, word in found.items() if grant.startswith(PERSONAL)}
        if personal:
            entries = await self.keeper.finish(self.held, personal, self.clock.now())
            self.pen.along += entries

    async def finish_all(self) -> None:
        """The same, of every grant of a run that has ended, and of what it still asked for."""
        run = self.held.run
        asked: dict[str, Outcome] = {run.approval: "failed"} if run.approval else {}
        if asked or run.grants:
            await self.finish({**asked, **outcomes(run)})

    def unready(self, trouble: Unready) -> None:
        """A step fails before anything was sent; a read that failed is tried again.

        A loop as a whole has no second attempt.
        """
        now, failure, chance = self.clock.now(), trouble.failure, self.clock.chance()
        policy = NEVER if trouble.path in self.held.run.loops else RetryPolicy()
        report = Fail(trouble.path, failure, policy, "", now, now, chance)
        for event in decide(self.held.run, report):
            self._tell(event)
        self.pen.durable = True

    async def _refused(self, call: Call, code: str) -> None:
        if code != "drifted":
            return  # nothing allows it any more: the next look asks
        if call.again:
            self._tell(ev.StepIndeterminate(call.path, "drifted", self.clock.now()))
            return
        grant = self.held.run.grants[call.of].grant
        self._tell(ev.GrantVoided(grant, call.path, "drifted"))
        await self.finish({grant: "drifted"})

    async def _key(self, call: Call) -> str:
        http = call.task.http
        if http is None or not http.key_header:
            return ""
        secret = self._secret = self._secret or await self.keeper.secret()
        run, tenant = self.held.run, self.held.tenant
        sending = run.sends.get(call.path)
        epoch = 0 if sending is None else sending.epoch
        return ledger.key(secret, tenant, run.root, call.path, epoch)

    def _tell(self, event: ev.RunEvent) -> None:
        evolve(self.held.run, event)
        self.pen.note((event,))


def _wish(call: Call, ready: Ready, approved: str, key: str, now: int) -> Begin | Resend:
    if call.again:
        return Resend(call.path, ready.digest, key, now)
    return Begin(call.path, Effect.MUTATION, call.of, approved, ready.digest, key, now)


def _beside(grant: str) -> Failure:
    message = f"{grant} allows none of what was asked for"
    return Failure(Kind.INTERNAL, "grant_beside_the_point", message)
