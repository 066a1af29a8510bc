"""The server's own log: what this process knows to be a secret is not on stderr."""

import subprocess
import sys

import pytest

SECRET = "sk-live-on-stderr-0123456789"
SCRIPT = f"""
import logging
from mcp_server.logs import to_stderr
to_stderr(logging.INFO)
logging.getLogger("uvicorn.error").warning("before anybody knows one")
from engine.shell.redact import KNOWN
KNOWN.learn("{SECRET}")
logging.getLogger("handrail.http").warning("sent %s", "{SECRET}")
logging.getLogger("uvicorn.access").info("GET /?key={SECRET}")
logging.getLogger("mcp").error("half {SECRET[:14]}")
logging.getLogger("mcp").error("{SECRET[14:]} is the rest")
try:
    raise ValueError("{SECRET}")
except ValueError:
    logging.getLogger("somebody.else").exception("it broke")
"""


@pytest.mark.requirement("gate-redaction")
def test_no_line_on_stderr_holds_a_secret_whoever_wrote_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 6, done.stderr
    assert "before anybody knows one" in lines[0]
    assert all("[secret]" in line for line in lines[1:5])
    assert not [line for line in lines if SECRET in line or SECRET[:14] in line]
    assert SECRET[14:] not in done.stderr
    assert "it broke" in lines[5]
