"""`handrail serve`: the workflows for MCP clients, over HTTP or stdio.

It says on stderr how to connect; over stdio it says nothing, because nobody but a client reads it.
"""

import sys
from typing import TYPE_CHECKING

import click

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.session import HandrailCommand, Session

if TYPE_CHECKING:
    from mcp_server.settings import ServerSettings


@click.command(cls=HandrailCommand)
@click.option("--http", is_flag=True, help="Streamable HTTP; the default.")
@click.option("--stdio", is_flag=True, help="Speak to the client that started this process.")
@click.option("--host", default="", metavar="ADDRESS",
              help="The address to listen on (127.0.0.1).")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65_535), metavar="PORT",
              help="The port (8765); 0 takes any.")  # fmt: skip
@click.option("--toolsets", default="", metavar="NAMES", help="Sets of tools: default, operate.")
@click.option("--token-file", default="", metavar="FILE", help="Callers must give its token.")
@click.option("--auth-issuer", "issuer", default="", metavar="URL",
              help="Callers must give a token of this OAuth server.")  # fmt: skip
@click.option("--public-url", default="", metavar="URL", help="What clients call this server.")
@click.option("--tls-proxy", is_flag=True, help="A proxy in front of it speaks TLS.")
@click.option("--no-work", is_flag=True, help="Carry out no runs here; workers do that.")
@click.pass_obj
def serve_command(
    session: Session, /, http: bool, stdio: bool, no_work: bool, tls_proxy: bool, port: int | None,
    **texts: str,
) -> int:  # fmt: skip
    """Serve the workflows to MCP clients.

    \b
      handrail serve --demo                 try it out
      handrail serve --workflows ./flows    serve your own
    """
    if stdio and (http or session.json):
        other = "--http" if http else "--json"
        raise Stop(Exit.USAGE, "usage", f"--stdio and {other} exclude each other", "leave one out")
    from mcp_server.cli.opening import server_settings
    from mcp_server.logs import to_stderr

    settings = server_settings(
        session, work=not no_work, signs=True, tls_proxy=tls_proxy or None, port=port, texts=texts
    )
    to_stderr()
    return _stdio(settings) if stdio else _http(session, settings)


def _stdio(settings: "ServerSettings") -> int:
    from mcp_server import stdio

    stdio.run(settings)
    return Exit.OK


def _http(session: Session, settings: "ServerSettings") -> int:
    from mcp_server import http
    from mcp_server.cli.asking import offer_first_pin
    from mcp_server.cli.opening import carry_out

    offer_first_pin(session)
    listener = http.listen(settings)
    try:
        carry_out(http.serve(settings, listener, started=lambda url: _said(session, settings, url)))
    except KeyboardInterrupt:  # how a person ends a server; everything was closed by then
        session.screen.note("Stopped. Runs that were under way go on at the next start.")
    return Exit.OK


def _said(session: Session, settings: "ServerSettings", url: str) -> None:
    from mcp_server.cli.paint.welcome import welcome

    served = [str(folder) for folder in settings.folders]
    served += ["the demo"] if settings.demo else []
    if session.json:
        session.screen.result({"url": url, "serves": served}, lambda _: "")
    else:
        entry, dev = _entry(session), _dev()
        session.screen.painted_note(lambda _: welcome(url, served, program(), entry, dev))
        if settings.authenticated:
            from mcp_server.auth import way_in

            session.screen.note(way_in(settings))


def _entry(session: Session) -> str:
    import json

    from mcp_server.cli.clients import CLIENTS, listing
    from mcp_server.cli.connect import session_entry

    return json.dumps(listing(CLIENTS["claude-desktop"], session_entry(session)), indent=2)


def program() -> str:
    """What to type to call this `handrail`: its name, or a path where a shell would not find it."""
    import os
    import shlex
    import shutil
    from pathlib import Path

    script = Path(sys.executable).with_name("handrail.exe" if os.name == "nt" else "handrail")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m mcp_server.cli"
    found = shutil.which("handrail")
    if found and Path(found).samefile(script):
        return "handrail"
    inside = script.is_relative_to(Path.cwd())
    return shlex.quote(str(script.relative_to(Path.cwd()) if inside else script))


def _dev() -> str:
    """The line that opens the Inspector; `mcp dev` looks for its tools beside this Python."""
    import os
    import shlex
    from pathlib import Path

    binaries = shlex.quote(os.path.dirname(os.path.abspath(sys.executable)))
    dev = shlex.quote(str(Path(__file__).resolve().parents[1] / "dev.py"))
    return f'PATH={binaries}:"$PATH" mcp dev {dev}'
