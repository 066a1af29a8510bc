"""The command line in this process: one database and one folder for each test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli import main
from mcp_server.cli.init import write_files

SLOW = """\
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: nap}
spec:
  description: "Rest for a while.\\e[2J"
  input:
    rest: {type: string, required: true, description: "How long, such as 3s"}
  tasks:
    - id: rest
      type: sleep
      sleep: {duration: "{{input.rest}}"}
      input: {rest: "{{input.rest}}"}
  output: {rested: true}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: pay}
spec:
  description: Pay somebody.
  input:
    amount: {type: integer, required: true, description: How much}
  tasks:
    - id: send
      type: http
      http: {method: POST, url: "https://bank.example.com/payments", body: {a: "{{input.amount}}"}}
      input: {amount: "{{input.amount}}"}
---
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: ask}
spec:
  description: Ask a host that workflows may not reach.
  tasks:
    - id: ask
      type: http
      http: {method: GET, url: "http://127.0.0.1:1/secret"}
"""

AMOUNTS = '{"amounts": [12.5, 30]}'


@dataclass(frozen=True, slots=True)
class Done:
    """How a call ended: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one value on stdout."""
        return json.loads(self.out)


Call = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of workflows: the one that `init` writes, and a few that rest, pay or ask."""
    place = tmp_path / "flows"
    write_files(place)
    (place / "more.yaml").write_text(SLOW, encoding="utf-8")
    return place


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the test's database is."""
    return tmp_path / "handrail.db"


@pytest.fixture
def call(
    database: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Call:
    """Call `handrail` with this test's database and folder."""
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", str(database))
    monkeypatch.setenv("HANDRAIL_WORKFLOWS", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(database.parent))
    monkeypatch.setenv("COLUMNS", "100")

    def call_(*words: str) -> Done:
        capsys.readouterr()
        code = main(words)
        return Done(code, *capsys.readouterr())

    return call_
