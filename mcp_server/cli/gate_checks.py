"""What `handrail doctor` says of the gate: who approves, by which policy, where; and the audit."""

from collections.abc import AsyncIterator
from os import cpu_count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.app.engine import Engine
    from engine.core.audit import Audit
    from engine.core.views import Health


def health(name: str, ok: bool, detail: str, hint: str = "") -> "Health":
    """One check's result."""
    from engine import views

    made: Health = views.Health(name, ok, detail, hint)
    return made


async def gate_checks(engine: "Engine") -> AsyncIterator["Health"]:
    """The checks of the gate, and of the journal with its checkpoints."""
    yield await _approver(engine)
    yield _policy(engine)
    yield await _page(engine)
    found = await engine.audits.verify(cpu_count() or 1)
    yield _chain(found)
    yield _checkpoints(engine, found)


async def _approver(engine: "Engine") -> "Health":
    names = await engine.approvals.approvers()
    if names:
        return health("approver", True, ", ".join(names))
    hint = "Nobody can allow a change before a PIN is set: handrail approver init"
    return health("approver", True, "no PIN is set", hint)


def _policy(engine: "Engine") -> "Health":
    from engine.app.settings import policy_of

    file = policy_of(engine.settings)
    trouble = file.current().trouble
    if trouble is None:
        return health("policy", True, f"{file.path}: {len(file.current().rules)} rules")
    hint = "Every change is forbidden until it is corrected: handrail policy check"
    return health("policy", False, f"{file.path} cannot be used", hint)


async def _page(engine: "Engine") -> "Health":
    from mcp_server.console.sockets import ours

    kept = await engine.approvals.installation()
    port, question = kept.console_port, engine.settings.clock.bytes(16).hex()
    if port and await ours(kept.secret, port, question):
        return health("page", True, f"http://localhost:{port}/")
    return health("page", True, "closed; a server opens it when somebody has to decide")


def _chain(found: "Audit") -> "Health":
    if found.sound:
        erased = f", {found.erased:,} erased" if found.erased else ""
        return health("chain", True, f"{found.events:,} events{erased}, intact")
    hint = "Somebody or something changed the journal: keep the file, see `handrail audit verify`."
    places = [f"{each.kind}: event {each.position}: {each.what}" for each in found.findings[:3]]
    return health("chain", False, "; ".join(places), hint)


def _checkpoints(engine: "Engine", found: "Audit") -> "Health":
    where = engine.audits.places.notes
    if found.covered:
        return health("checkpoints", True, f"up to event {found.covered:,}, in {where}")
    return health("checkpoints", True, "none yet; servers and workers write them")
