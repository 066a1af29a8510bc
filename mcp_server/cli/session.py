"""What every command shares: the common options, the screen, the time and who acts.

`HandrailCommand` gives each command `--json`, `--db`, `--workflows`, `--demo` and `--no-color`;
they may stand before or after the command's name. Nothing is opened here.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli.screen import Screen

if TYPE_CHECKING:
    from engine import Requester

COMMON: tuple[Callable[[], click.Option], ...] = (
    lambda: click.Option(["--json"], is_flag=True, help="Print one JSON value."),
    lambda: click.Option(["--db"], metavar="PATH", help="The database; a path or a URL."),
    lambda: click.Option(
        ["--workflows"],
        metavar="DIR",
        multiple=True,
        help="A folder of workflow documents; may be repeated.",
    ),
    lambda: click.Option(["--demo"], is_flag=True, help="Add the demo's workflows."),
    lambda: click.Option(["--no-color"], is_flag=True, help="No colours; NO_COLOR does the same."),
)
"""Made anew for each command: click keeps state in an option."""


@dataclass(slots=True)
class Session:
    """One call of `handrail`: what was asked of every command, and where the words go."""

    json: bool = False
    db: str = ""
    workflows: tuple[Path, ...] = ()
    demo: bool = False
    color: bool = True
    following: str = field(default="", init=False)
    asking: bool = field(default=False, init=False)

    @property
    def screen(self) -> Screen:
        """The two streams."""
        return Screen(json=self.json, color=self.color)

    def take(self, params: dict[str, Any]) -> None:
        """Move the common options out of a command's parameters; what is given wins."""
        self.json |= params.pop("json", False)
        self.db = params.pop("db", None) or self.db
        self.workflows += tuple(Path(folder) for folder in params.pop("workflows", ()))
        self.demo |= params.pop("demo", False)
        self.color &= not params.pop("no_color", False)

    def now(self) -> int:
        """Microseconds since the epoch."""
        from engine import WorldClock

        now: int = WorldClock().now()
        return now

    def stamp(self) -> str:
        """The time as part of a file name."""
        from mcp_server.words import rfc3339

        return rfc3339(self.now())[:19].replace("-", "").replace(":", "")

    @property
    def actor(self) -> str:
        """Who acts, for the journal: a name for people, no proof of anything."""
        user = os.environ.get("USER") or os.environ.get("USERNAME")
        return f"terminal:{user}" if user else "terminal"

    @property
    def requester(self) -> "Requester":
        """Who asks for what is gated."""
        from engine import Requester

        return Requester("terminal", client=self.actor)

    @property
    def person(self) -> str:
        """What the person at this terminal is called, unless they say otherwise."""
        return os.environ.get("USER") or os.environ.get("USERNAME") or "approver"


class HandrailCommand(click.Command):
    """A command with the common options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [make() for make in COMMON]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options first, then those that every command has."""
        common = len(COMMON)
        own, shared = self.params[:-common], [*self.params[-common:], self.get_help_option(ctx)]
        for title, params in (("Options", own), ("Options of every command", shared)):
            lines = [found for p in params if p and (found := p.get_help_record(ctx))]
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it with the session as the first argument."""
        session = ctx.ensure_object(Session)
        session.take(ctx.params)
        return super().invoke(ctx)
