"""Changing somebody else's JSON file: one entry in it, everything else as it was.

The file is read strictly, because what cannot be read exactly cannot be kept. A copy is made
beside it first; the new text replaces the old in one step, so that a crash leaves one of both.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp_server.cli.ending import Exit, Stop
from mcp_server.cli.inputs import strict_json

MOST_BYTES = 8 * 1024 * 1024


def read_config(path: Path) -> dict[str, Any]:
    """The file's object, {} when there is no file. Raises Stop when it is not a JSON object."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    if not raw.strip():
        return {}
    try:
        if len(raw) > MOST_BYTES:
            raise ValueError("it is larger than 8 MiB")
        found = strict_json(raw.decode("utf-8-sig"))
    except ValueError as error:
        raise _unreadable(path, f"is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise _unreadable(path, "holds no JSON object")
    return found


def with_entry(
    config: Mapping[str, Any], key: str, name: str, ours: Mapping[str, Any], path: Path
) -> dict[str, Any]:
    """The configuration with our entry; other entries and the order of keys stay.

    Raises Stop when the place for servers holds something else than an object.
    """
    servers = config.get(key, {})
    if not isinstance(servers, dict):
        raise _unreadable(path, f"has a {key!r} that is no object")
    return {**config, key: {**servers, name: dict(ours)}}


def write_config(path: Path, config: Mapping[str, Any], stamp: str) -> Path | None:
    """Replace the file in one step; returns the copy made of the old one, if there was one.

    A link is followed, so that it still leads to the file afterwards; the file's rights stay.
    """
    path = path.resolve()
    backup = _copied(path, stamp) if path.exists() else None
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if backup is not None:
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return backup


def _copied(path: Path, stamp: str) -> Path:
    number = 0
    while True:
        tail = f"-{number}" if number else ""
        backup = path.with_name(f"{path.name}.backup-{stamp}{tail}")
        try:
            with backup.open("xb") as copy:
                copy.write(path.read_bytes())
        except FileExistsError:
            number += 1
            continue
        os.chmod(backup, path.stat().st_mode & 0o777)
        return backup


def _unreadable(path: Path, what: str) -> Stop:
    return Stop(
        Exit.REFUSED,
        "client_config",
        f"{path} {what}",
        "repair the file; nothing was changed. `--print` shows what to add by hand",
        move="person",
    )
