"""`handrail labels`: which labels there are, how they are used, and changing them."""

from typing import TYPE_CHECKING, Any

import click

from mcp_server.cli import suggesting
from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.labelling import Change
    from engine.core.labels.change import Labels

ACTIONS = ("list", "stats", "add", "remove", "undo", "suggest", "reject")


@click.command(cls=HandrailCommand)
@click.argument("action", metavar="[ACTION]", type=click.Choice(ACTIONS), default="list")
@click.argument("words", metavar="[LABEL|CHANGE] [NAME]...", nargs=-1)
@click.option("--category", is_flag=True, help="LABEL is a category, not a tag.")
@click.option("--tasks", is_flag=True, help="The names are those of tasks, not workflows.")
@click.option("--having", multiple=True, metavar="TAG", help="Instead of names: all with TAG.")
@click.option("--in", "within", multiple=True, metavar="CATEGORY", help="... all in CATEGORY.")
@click.option("--like", default="", metavar="PATTERN", help="Only labels such as team-*.")
@click.option("--days", type=click.IntRange(1, 366), default=30, help="stats: so many days (30).")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.pass_obj
def labels_command(session: Session, /, action: str, words: tuple[str, ...], **options: Any) -> int:
    """List the labels of workflows and tasks, change them, or see how they are used.

    \b
      handrail labels                         every label and how many have it
      handrail labels stats                   use over time, unused and look-alike ones
      handrail labels add LABEL NAME...       give workflows a tag (--category: a category)
      handrail labels remove LABEL NAME...    take it away
      handrail labels undo CHANGE             do a change backwards
      handrail labels suggest NAME            labels that may fit; without NAME, how many did
      handrail labels reject LABEL NAME       do not suggest it there again
    """
    from mcp_server.cli.opening import carry_out

    if action in ("list", "stats"):
        if words:
            raise Stop(Exit.USAGE, "usage", f"{action} takes no names", "handrail labels --help")
        return carry_out(_list(session, options) if action == "list" else _stats(session, options))
    if action == "suggest":
        return carry_out(suggesting.suggest(session, words, options))
    if action == "reject":
        return carry_out(suggesting.reject(session, words, options))
    if not words:
        what = "CHANGE" if action == "undo" else "LABEL"
        raise Stop(Exit.USAGE, "usage", f"{action} needs {what}", "handrail labels --help")
    return carry_out(_change(session, action, words, options))


async def _list(session: Session, options: dict[str, Any]) -> int:
    from engine.app.label_stats import Wanted
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.labels import label_list

    wanted = Wanted(
        "category" if options["category"] else "",
        "task" if options["tasks"] else "",
        options["like"],
    )
    async with opened(session) as engine:
        page = await engine.labels.page(wanted, limit=-1)
    now = session.now()
    session.screen.result({"labels": page.labels}, lambda _: label_list(page.labels, now))
    return Exit.OK


async def _stats(session: Session, options: dict[str, Any]) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.labels import label_figures

    async with opened(session) as engine:
        stats = await engine.labels.stats(engine.settings.clock.now(), options["days"])
    session.screen.result(stats, lambda _: label_figures(stats))
    return Exit.OK


async def _change(
    session: Session, action: str, words: tuple[str, ...], options: dict[str, Any]
) -> int:
    from mcp_server.cli.opening import opened
    from mcp_server.cli.paint.labels import label_change

    dry, who = options["dry_run"], session.requester
    async with opened(session) as engine:
        if action == "undo":
            found = await engine.labels.undo(words[0], requester=who, dry=dry)
        else:
            wished = _wished(action, words, options)
            found = await engine.labels.change(wished, requester=who, dry=dry)
    session.screen.result(found, lambda _: label_change(found, dry=dry))
    return Exit.OK


def _wished(action: str, words: tuple[str, ...], options: dict[str, Any]) -> "Change":
    from engine.app.labelling import Change
    from engine.core.labels.change import Labels
    from engine.core.labels.filter import Filter

    label, *names = words
    meant = _labels(label, category=options["category"])
    wanted = None
    if options["having"] or options["within"]:
        wanted = Filter(categories=options["within"], all_tags=options["having"])
    add, remove = (meant, Labels()) if action == "add" else (Labels(), meant)
    thing = "task" if options["tasks"] else "workflow"
    return Change(thing, tuple(names), wanted, add, remove)


def _labels(label: str, *, category: bool) -> "Labels":
    from engine.core.labels.change import Labels

    return Labels(categories=(label,)) if category else Labels(tags=(label,))
