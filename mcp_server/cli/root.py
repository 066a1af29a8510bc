"""The command `handrail`: which commands there are, and how each call ends.

The table below is all that `--help` reads, so that a command's module, and with it whatever the
command needs, is imported only when that command is called.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Ending, Exit, Stop, explain
from mcp_server.cli.session import COMMON, Session

if TYPE_CHECKING:
    from engine import ApprovalView

MOST_QUESTIONS = 3
"""How often one command may ask a person before what it wanted is there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives and what it is for."""

    module: str
    purpose: str


COMMANDS: Mapping[str, Entry] = {
    "serve": Entry("serve", "Serve workflows to MCP clients, over stdio or HTTP."),
    "token": Entry("token", "Make a token for callers over HTTP."),
    "connect": Entry("connect", "Tell an MCP client about Handrail."),
    "workflows": Entry("workflows", "List, search or read workflows."),
    "impact": Entry("impact", "Say what a change of a task or workflow concerns."),
    "run": Entry("run", "Run a workflow and wait for it."),
    "runs": Entry("runs", "List runs; group those that failed."),
    "show": Entry("show", "Show one run: steps, attempts, whose move it is."),
    "retry": Entry("retry", "Try a failed run again, as a new run."),
    "cancel": Entry("cancel", "Ask a run to stop."),
    "versions": Entry("versions", "List a workflow's versions; choose or deprecate one."),
    "approvals": Entry("approvals", "List what waits for a person; open the approval page."),
    "approve": Entry("deciding", "Allow what an approval asks for, with code and PIN."),
    "deny": Entry("deciding", "Say no to what an approval asks for."),
    "revoke": Entry("deciding", "Take back a yes, or a standing grant."),
    "accept": Entry("accept", "Let a version run that changes systems outside."),
    "resolve": Entry("resolve", "Say whether a change happened whose answer never came."),
    "grants": Entry("grants", "List what is allowed for longer than once."),
    "approver": Entry("approver", "Set or change the PIN of whoever approves."),
    "secret": Entry("secret", "Keep the values of secrets that connectors refer to."),
    "worker": Entry("worker", "Carry out runs, and nothing else."),
    "workers": Entry("workers", "List the workers and what they hold."),
    "labels": Entry("labels", "List labels, change them, see how they are used."),
    "policy": Entry("policy", "Check or explain what asks a person."),
    "check": Entry("check", "Check a folder of documents and list every problem."),
    "eval": Entry("evaluate", "Measure search, inputs and labels on examples."),
    "init": Entry("init", "Write a small working folder of workflows."),
    "doctor": Entry("doctor", "Look for what is broken on this machine."),
    "audit": Entry("audit", "Verify the journal, or copy it with proofs."),
    "rebuild": Entry("rebuild", "Rebuild the tables from the journal and verify its chain."),
}


class Handrail(click.Group):
    """The group of all commands, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(
            import_module(f"mcp_server.cli.{entry.module}"), f"{cmd_name}_command"
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, from the table: importing every command would be slow."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.purpose) for name, entry in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; an unknown one gets a suggestion."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `handrail {near[0]}`?" if near else "`handrail --help` lists them"
            raise Stop(Exit.USAGE, "unknown_command", f"there is no command {args[0]!r}", hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Keep the common options that stand before the command's name."""
        ctx.ensure_object(Session).take(ctx.params)
        return super().invoke(ctx)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"handrail {version('handrail')}")
        except PackageNotFoundError:  # a bare tree, run with `python -m mcp_server.cli`
            click.echo("handrail (not installed)")
        ctx.exit()


handrail = Handrail(
    name="handrail",
    help="Durable workflows that assistants can find, run and explain.",
    epilog="`handrail COMMAND --help` explains a command. Start with: handrail serve --demo",
    params=[
        *(make() for make in COMMON),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Print the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit code."""
    words = list(sys.argv[1:] if args is None else args)
    if "_HANDRAIL_COMPLETE" in os.environ:  # a shell asks what could come next
        handrail.main(words, "handrail")
    session = Session(json="--json" in words, color="--no-color" not in words)
    try:
        return _through(words, session)
    except BrokenPipeError:
        return _closed()
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(session)
    except Exception as error:
        return _end(session, error)


def _through(words: list[str], session: Session) -> int:
    """Call a command. Where a person has to decide first they are asked, and it is called again."""
    for _ in range(MOST_QUESTIONS):
        try:
            return _call(words, session)
        except Exception as error:
            asked = _gated(error)
            if asked is None:
                raise
        from mcp_server.cli.asking import at_the_gate

        if not at_the_gate(session, asked):
            return Exit.OK
        session.workflows = ()  # they are given once more
    return _call(words, session)


def _gated(error: Exception) -> "ApprovalView | None":
    if "engine.core.approval.gated" not in sys.modules:
        return None
    from engine import Gated

    return error.approval if isinstance(error, Gated) else None


def _call(words: list[str], session: Session) -> int:
    try:
        with handrail.make_context("handrail", words, obj=session) as ctx:
            code = handrail.invoke(ctx)
        return int(code) if isinstance(code, int) else Exit.OK
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE


def _end(session: Session, error: Exception) -> int:
    ending = _misused(error) if isinstance(error, click.ClickException) else explain(error)
    if ending.exit is Exit.BUG:
        from mcp_server.logs import trace

        session.screen.lines(f"{trace(error)}\n")
    session.screen.trouble(ending)
    return ending.exit


def _misused(error: click.ClickException) -> Ending:
    ctx = getattr(error, "ctx", None)
    hint = f"see `{ctx.command_path} --help`" if ctx else "see `handrail --help`"
    return Ending(Exit.USAGE, "usage", error.format_message(), hint)


def _interrupted(session: Session) -> int:
    run = session.following
    message = f"interrupted; the run {run} is kept" if run else "interrupted"
    message += "; nothing was decided" if session.asking else ""
    hint = f"a server that runs goes on with it, or: handrail show {run} --follow" if run else ""
    details = {"runId": run} if run else {}
    session.screen.trouble(Ending(Exit.INTERRUPTED, "interrupted", message, hint, details=details))
    return Exit.INTERRUPTED


def _closed() -> int:
    # Python would complain once more when it flushes stdout at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.CLOSED
