"""`handrail impact`: what a change of a task, workflow, connector or version concerns."""

from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.ending import Exit
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engine.app.impact import WhatIf
    from engine.core.impact.radius import Radius

KINDS = click.Choice(["task", "workflow", "connector", "version"])
FORMATS = click.Choice(["text", "json", "csv", "mermaid", "dot"])


@click.command(cls=HandrailCommand)
@click.argument("name", metavar="NAME")
@click.option("--kind", type=KINDS, default="task", help="What NAME is (task).")
@click.option(
    "--depth", type=click.Choice(["1", "2", "3", "unlimited"]), default="1", help="How far (1)."
)
@click.option("--format", "form", type=FORMATS, default="text", help="How it is written (text).")
@click.option(
    "--max-fanout", type=click.IntRange(0), default=0, metavar="N",
    help="Name what more than N use, and do not follow it.",
)  # fmt: skip
@click.option(
    "--what-if", metavar="CHANGE",
    help="delete, replaceWith=NAME, or a JSON object with inputSchema, outputSchema: what breaks.",
)  # fmt: skip
@click.pass_obj
def impact_command(session: Session, /, name: str, **options: Any) -> int:
    """Say which workflows and tasks a change of NAME concerns, and with --what-if what breaks.

    NAME is a task unless --kind says otherwise; a version is NAME@1.0.0.
    """
    from mcp_server.cli.opening import carry_out

    return carry_out(_impact(session, name, **options))


async def _impact(
    session: Session, name: str, kind: str, depth: str, form: str, max_fanout: int, what_if: str
) -> int:
    from mcp_server import wire
    from mcp_server.cli.opening import opened

    async with opened(session) as engine:
        view = await engine.impact.blast_radius(
            name, kind, depth=0 if depth == "unlimited" else int(depth), graph=True,
            most_users=max_fanout,
        )  # fmt: skip
        change = _change(what_if) if what_if else None
        tried = await engine.impact.what_if(name, kind, change) if change else None
    facts = wire.blast_radius(view, "both") | (wire.what_if(tried) if tried else {})
    if form in {"text", "json"}:
        session.screen.json |= form == "json"
        session.screen.result(facts, lambda _: _text(facts))
    else:
        session.screen.raw(_drawn(view, tried, form))
    return Exit.OK


def _change(text: str) -> Any:
    from engine.core.impact.whatif import change_of
    from mcp_server.cli.inputs import read_inputs

    return change_of({"delete": True} if text == "delete" else read_inputs([text]))


def _text(facts: dict[str, Any]) -> "RenderableType":
    from rich.text import Text

    from mcp_server.prose_impact import told

    return Text(told(facts, facts, ""))


def _drawn(view: "Radius", tried: "WhatIf | None", form: str) -> str:
    from mcp_server import drawing

    if form == "csv":
        return drawing.broken(tried) if tried else drawing.listing(view)
    return drawing.mermaid(view) if form == "mermaid" else drawing.dot(view)
