"""A person for tests: set up once, and saying yes or no to what is asked."""

from collections.abc import Awaitable
from typing import Any

import pytest

from engine import Engine, Refused
from engine.core.approval.gated import Gated
from engine.core.approval.state import Approver
from engine.core.approval.views import ApprovalView

PIN = "correct horse"


async def ann(engine: Engine) -> Approver:
    """The approver, enrolled when first needed."""
    if not await engine.approvals.has_approver():
        await engine.approvals.enrol("ann", PIN)
    return await engine.approvals.authenticate(PIN, channel="terminal")


async def asked(call: Awaitable[Any]) -> ApprovalView:
    """What a gated call asks for."""
    with pytest.raises(Gated) as gated:
        await call
    return gated.value.approval


async def say_yes(engine: Engine, call: Awaitable[Any]) -> ApprovalView:
    """Have a gated call approved."""
    view = await asked(call)
    return await engine.approvals.approve(view.id, digest=view.digest, approver=await ann(engine))


def refusal(code: str) -> Any:
    """A block that is refused with this code."""
    return pytest.raises(Refused, check=lambda refused: refused.code == code)
