"""`handrail token`: a secret for `serve --token-file`, in a file that only this user can read.

The token itself is never printed: what stands on a screen stands in a scroll-back and a log too.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command(cls=HandrailCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Make a new one; the old one is void at a restart.")
@click.pass_obj
def token_command(session: Session, /, file: Path, replace: bool) -> int:
    """Make a token of 256 bits for callers over HTTP.

    \b
      handrail token ~/.config/handrail/token
      handrail serve --token-file ~/.config/handrail/token
    """
    from mcp_server.auth import make_token

    file = file.expanduser().absolute()
    try:
        make_token(file, replace=replace)
    except FileExistsError:
        message, hint = f"{file} is there already", "use it, or make a new one with --replace"
        raise Stop(Exit.USAGE, "file_exists", message, hint) from None
    session.screen.result({"file": str(file)}, lambda _: _said(file))
    return Exit.OK


def _said(file: Path) -> "RenderableType":
    from rich.text import Text

    from mcp_server.text import visible

    shown = visible(str(file))
    lines = (
        f"Wrote a token to {shown}. Only you can read it.",
        f"  serve:   handrail serve --token-file {shown}",
        "  clients: send the header Authorization: Bearer TOKEN",
    )
    return Text("\n".join(lines), no_wrap=True, overflow="ignore")
