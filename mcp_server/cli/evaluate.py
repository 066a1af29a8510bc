"""`handrail eval`: how good discovery is, recomputed on examples that anybody can bring.

The file is read here, line by line; what its lines mean and what is measured on them are the
engine's. Nothing is written but the weights that `--out` names.
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from engine.app.evaluation import Query
    from engine.core.views import WorkflowInfo
    from engine.store.search import Ranking

T = TypeVar("T")

KINDS = ("search", "extract", "labels")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=HandrailCommand)
@click.argument("file", metavar="FILE.jsonl", type=_FILE)
@click.option("--kind", type=click.Choice(KINDS), help="What the lines are about.")
@click.option("--catalogue", metavar="FILE", type=_FILE, help="What is searched, as JSON lines.")
@click.option(
    "--size",
    "sizes",
    metavar="N",
    multiple=True,
    type=click.IntRange(2, 1_000_000),
    help="Search samples of N workflows; may be repeated.",
)
@click.option("--refit", is_flag=True, help="Fit weights to half of the queries too.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the fitted weights.",
)
@click.pass_obj
def eval_command(session: Session, /, file: Path, kind: str | None, **search: Any) -> int:
    """Measure discovery on the examples in FILE: what was asked, and what would have been right.

    The lines say by their names what is measured, unless --kind says it: queries with `gold`,
    calls with `gold_input`, or items with `tags`. docs/evaluation.md explains every figure.
    """
    from engine.app.examples import rows_of

    if search["refit"] != bool(search["out"]):
        hint = "--refit --out weights.json"
        raise Stop(Exit.USAGE, "usage", "--refit and --out go together", hint)
    found, rows = rows_of(lines_of(file), str(file), kind or "")
    if found == "search":
        from mcp_server.cli.opening import carry_out

        return carry_out(_search(session, file, rows, **search))
    if any(search.values()):
        hint = "leave out --catalogue, --size, --refit and --out, or say --kind search"
        raise Stop(Exit.USAGE, "usage", f"{file} has no queries to search by", hint)
    return (_extraction if found == "extract" else _labels)(session, file, rows)


def lines_of(file: Path) -> Iterator[str]:
    """The lines of a text file, which may be packed with gzip; raises Stop `unreadable`."""
    try:
        with (
            gzip.open(file, "rt", encoding="utf-8")
            if file.suffix == ".gz"
            else file.open(encoding="utf-8") as text
        ):
            yield from text
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        said = f"{file} cannot be read as text in UTF-8: {error}"
        raise Stop(Exit.USAGE, "unreadable", said, "give a file of JSON lines") from None


def _extraction(session: Session, file: Path, rows: Iterable[dict[str, Any]]) -> int:
    from engine.core.discovery.judge_extract import judge_extract
    from mcp_server.cli.paint.evaluation import extraction

    return _told(session, "extract", file, judge_extract(rows), extraction)


async def _search(
    session: Session,
    file: Path,
    rows: Sequence[dict[str, Any]],
    catalogue: Path | None,
    sizes: Sequence[int],
    refit: bool,
    out: Path | None,
) -> int:
    from engine.app.measuring import measure, queries_of, sizes_for
    from engine.shell.encoders import ranking_of
    from mcp_server.cli.opening import server_settings
    from mcp_server.cli.paint.evaluation import searched

    settings = server_settings(session)
    ranking = ranking_of(settings.encoder, settings.ranker)
    infos = await _catalogue(session, catalogue)
    queries, left_out = queries_of(rows, infos)
    wanted = sorted({min(size, len(infos)) for size in sizes or sizes_for(len(infos))})
    value = {
        "kind": "search", "file": str(file), "workflows": len(infos), "queries": len(queries),
        "leftOut": left_out, "encoder": ranking.encoder or "off",
        "ranker": str(settings.ranker or "shipped"),
    }  # fmt: skip
    if out is None:
        value["figures"] = measure(infos, queries, wanted, ranking)
    else:
        value |= _refitted(infos, queries, wanted, ranking, settings.ranker, out)
    session.screen.result(value, lambda _: searched(value))
    return Exit.OK


async def _catalogue(session: Session, file: Path | None) -> "Sequence[WorkflowInfo]":
    """What is searched: a file's entries, else the workflows of the folders."""
    if file is not None:
        from engine.app.evaluation import item
        from engine.app.examples import catalogue_rows

        return [item(row) for row in catalogue_rows(lines_of(file), str(file))]
    from mcp_server.cli.opening import mention_problems, opened

    async with opened(session) as engine:
        mention_problems(session, engine)
        found = engine.workflows()
    if not found:
        hint = "name a folder with --workflows, or a file with --catalogue"
        raise Stop(Exit.USAGE, "no_catalogue", "there are no workflows to search", hint)
    return found


def _refitted(
    infos: "Sequence[WorkflowInfo]",
    queries: "Sequence[Query]",
    sizes: Sequence[int],
    ranking: "Ranking",
    ranker: Path | None,
    out: Path,
) -> dict[str, Any]:
    from engine.app.measuring import refit
    from engine.shell.encoders import document_of

    made = refit(infos, queries, sizes, ranking, document_of(ranker))
    try:
        out.write_text(made.text, encoding="utf-8")
    except OSError as error:
        said = f"{out} cannot be written: {error}"
        raise Stop(Exit.USAGE, "unwritable", said, "give another --out") from None
    return {
        "figures": made.before,
        "refit": {
            "fittedTo": made.fitted_to, "measuredOn": made.measured_on,
            "figures": made.after, "out": str(out),
        },
    }  # fmt: skip


def _labels(session: Session, file: Path, rows: Iterable[dict[str, Any]]) -> int:
    from engine.app.judging_labels import judge_labels
    from mcp_server.cli.paint.evaluation import labelled

    return _told(session, "labels", file, judge_labels(rows), labelled)


def _told(
    session: Session, kind: str, file: Path, figures: T, paint: Callable[[str, T], Any]
) -> int:
    measured = {"kind": kind, "file": str(file), "figures": figures}
    session.screen.result(measured, lambda _: paint(str(file), figures))
    return Exit.OK
