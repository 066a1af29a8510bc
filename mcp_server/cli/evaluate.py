"""`handrail eval`: how good discovery is, recomputed on examples that anybody can bring.

The file is read here, line by line; what its lines mean and what is measured on them are the
engine's. Nothing is written but the weights that `--out` names.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

KINDS = ("extract",)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=HandrailCommand)
@click.argument("file", metavar="FILE.jsonl", type=_FILE)
@click.option("--kind", type=click.Choice(KINDS), help="What the lines are about.")
@click.pass_obj
def eval_command(session: Session, /, file: Path, kind: str | None) -> int:
    """Measure discovery on the examples in FILE: what was asked, and what would have been right.

    The lines say by their names what is measured, unless --kind says it: queries with `gold`,
    calls with `gold_input`, or items with `tags`. docs/evaluation.md explains every figure.
    """
    from engine.app.examples import rows_of

    _, rows = rows_of(lines_of(file), str(file), kind or "")
    return _extraction(session, file, rows)


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

    figures = judge_extract(rows)
    session.screen.result(
        {"kind": "extract", "file": str(file), "figures": figures},
        lambda _: extraction(str(file), figures),
    )
    return Exit.OK
