"""A person with a PIN, who decides from outside: never through the protocol."""

from dataclasses import dataclass

import anyio

from engine import Engine
from engine.core.approval.views import ApprovalView

PIN = "correct horse"
SMALL = "rules: [{id: small, when: {items: {max: 99}}, then: {require: A1}}]\n"
"""A policy that lets a form count for everything."""


@dataclass(frozen=True)
class Person:
    """Somebody in front of the page or the terminal of this engine's installation."""

    engine: Engine

    async def enrols(self) -> "Person":
        """Set up to decide, unless that was done before."""
        if not await self.engine.approvals.has_approver():
            await self.engine.approvals.enrol("ann", PIN)
        return self

    async def approves(self, approval_id: str) -> ApprovalView:
        approvals = self.engine.approvals
        view = await approvals.get(approval_id)
        approver = await approvals.authenticate(PIN, channel="page")
        return await approvals.approve(
            view.id, digest=view.digest, approver=approver, code=view.code, typed=view.typed_words
        )

    async def denies(self, approval_id: str, comment: str = "") -> ApprovalView:
        approvals = self.engine.approvals
        view = await approvals.get(approval_id)
        approver = await approvals.authenticate(PIN, channel="page")
        return await approvals.deny(view.id, digest=view.digest, approver=approver, comment=comment)

    async def approves_everything(self) -> None:
        """Say yes to whatever comes, until cancelled."""
        while True:
            for view in (await self.engine.approvals.list()).rows:
                if view.state == "pending":
                    await self.approves(view.id)
            await anyio.sleep(0.05)
