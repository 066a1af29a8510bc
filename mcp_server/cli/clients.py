"""MCP clients: where each keeps its list of servers, and what our entry in it says.

Pure but for looking whether folders exist; the platform, the environment and the home folder are
arguments, so that every system's answer can be tested on any. Paths in an entry are absolute,
because a client starts its servers from a folder of its own choosing.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

NAME = "handrail"
"""Our name in a client's list."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client: what people call it, the key of its list, and what to do with the entry."""

    title: str
    key: str = "mcpServers"
    advice: str = ""
    typed: bool = False


CLIENTS: Mapping[str, Client] = {
    "claude-desktop": Client("Claude Desktop"),
    "cursor": Client(
        "Cursor",
        advice="Put it into ~/.cursor/mcp.json, or into .cursor/mcp.json of one project.",
    ),
    "vscode": Client(
        "VS Code",
        key="servers",
        advice="Put it into .vscode/mcp.json, or where `MCP: Open User Configuration` leads.",
        typed=True,
    ),
    "claude-code": Client(
        "Claude Code",
        advice="Put it into .mcp.json of a project, or give it to `claude mcp add-json`.",
    ),
    "other": Client("your client", advice="Put it where your client keeps its MCP servers."),
}


def desktop_folders(platform: str, environment: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Where Claude Desktop may keep its configuration, the likeliest first.

    A packaged Windows installation reads from its own container and silently ignores the
    classic folder, so the container comes first where there is one.
    """
    if platform == "darwin":
        return (home / "Library" / "Application Support" / "Claude",)
    if platform == "win32":
        local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        packages = sorted((local / "Packages").glob("Claude_*"))
        inside = (package / "LocalCache" / "Roaming" / "Claude" for package in packages)
        return (*inside, roaming / "Claude")
    return (Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "Claude",)


def desktop_config(
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Path | None:
    """Claude Desktop's configuration file, there or not; None when the app is not installed."""
    folders = desktop_folders(platform, environment, home or Path.home())
    files = [folder / "claude_desktop_config.json" for folder in folders if folder.is_dir()]
    present = [file for file in files if file.exists()]
    return next(iter(present + files), None)


def entry(
    database: str,
    folders: Iterable[Path],
    *,
    demo: bool,
    kept: Mapping[str, str] = MappingProxyType({}),
    python: str = sys.executable,
    source: Path | None = None,
) -> dict[str, Any]:
    """How a client starts Handrail over stdio.

    The interpreter's path is made absolute but not resolved: a virtual environment is its link.
    `kept` are variables of this environment that the server needs too; `source` is the folder to
    import from when Handrail runs from a clone without installation.
    """
    environment = {
        "HANDRAIL_DATABASE_URL": database,
        "HANDRAIL_WORKFLOWS": os.pathsep.join(
            str(folder.expanduser().absolute()) for folder in folders
        ),
        "HANDRAIL_DEMO": "1" if demo else "",
        **kept,
        "PYTHONPATH": str(source) if source else "",
    }
    given = {name: value for name, value in environment.items() if value}
    found: dict[str, Any] = {"command": os.path.abspath(python), "args": ["-m", "mcp_server"]}
    return {**found, "env": given} if given else found


def listing(client: Client, ours: Mapping[str, Any]) -> dict[str, Any]:
    """The entry inside the structure that the client's file has.

    >>> listing(CLIENTS["vscode"], {"command": "python"})
    {'servers': {'handrail': {'type': 'stdio', 'command': 'python'}}}
    """
    typed = {"type": "stdio"} if client.typed else {}
    return {client.key: {NAME: {**typed, **ours}}}
