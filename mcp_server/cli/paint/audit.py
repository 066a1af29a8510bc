"""What an audit found, for people."""

from typing import TYPE_CHECKING

from rich.text import Text

from mcp_server.cli.paint.marks import line
from mcp_server.text import visible
from mcp_server.words import age, count

if TYPE_CHECKING:
    from engine.app.copying import Exported
    from engine.core.audit import Audit

MOST = 20
"""Findings that are shown; there may be one for every event."""


def report(found: "Audit", key: str, file: str, now: int) -> Text:
    """A line for each thing that was looked at, then what is wrong."""
    chain = f"chain        {count(found.events, 'event')}"
    chain += f", {found.erased:,} erased" if found.erased else ""
    lines = [line(chain), line("checkpoints  ", _covered(found, now))]
    lines += [line(f"             in {visible(file)}", style="dim")]
    lines += [line(f"key          {key or 'none yet'}", style="dim")]
    lines += [line(f"head         {found.head}", style="dim")]
    lines += [
        line(f"{each.kind}: event {each.position:,}: {visible(each.what)}", style="red")
        for each in found.findings[:MOST]
    ]
    if more := len(found.findings) - MOST:
        lines += [line(f"… and {more:,} more", style="red")] if more > 0 else []
    lines += [_verdict(found)]
    return Text("\n").join(lines)


def _covered(found: "Audit", now: int) -> str:
    if found.covered_at is None:
        return "none fits" if found.checkpoints else "none yet: a server or worker writes them"
    signed = f"{found.checkpoints:,}, the newest over {count(found.covered, 'event')}"
    return f"{signed}, signed {age(now, found.covered_at)}"


def _verdict(found: "Audit") -> Text:
    if found.sound:
        return line("The journal is what was written.", style="green")
    return line(
        "The journal is NOT what was written: keep it and its checkpoints as they are, "
        "and restore a copy elsewhere.",
        style="red",
    )


def copied(done: "Exported") -> Text:
    """What an export wrote."""
    text = line(f"{count(done.entries, 'event')} copied to {visible(done.folder)}")
    text.append(f"\nsha256 of entries.jsonl: {done.sha256}", "dim")
    return text.append("\n").append_text(_verdict(done.audit))
