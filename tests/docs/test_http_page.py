"""What the pages on HTTP and on the demo claim, held against the code that decides it."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from engine.core.definition import parse_documents
from engine.core.errors import RETRYABLE
from engine.core.response import EXCERPT, MAX_DEPTH, MAX_RETRY_AFTER, applied, conflict, judge
from engine.core.retry import SECOND
from engine.shell.connectors.limits import HttpLimits
from engine.shell.load import load_folder
from mcp_server.demo.service import build
from mcp_server.demo.world import World
from mcp_server.places import find
from tests.tree import ROOT

HTTP = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
DEMO = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
OTHERS = {"2xx": (204,), "3xx": (302, 304), "other 4xx": (418, 431), "other 5xx": (507, 520)}


def rows(page: str, heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    table = page.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_each_status_means_what_the_page_says() -> None:
    for statuses, kind, again in rows(HTTP, "status"):
        for word in statuses.split(", "):
            for status in OTHERS.get(word) or (int(word),):
                failure = judge(status, {})
                assert (failure.kind.value if failure else "") == kind.strip("`"), status
                said = "" if failure is None else "yes" if failure.kind in RETRYABLE else "no"
                assert said == again, status


@pytest.mark.parametrize(
    ("status", "headers", "known"),
    [
        (302, {}, "no"),
        (422, {}, "no"),
        *((status, {}, "unknown") for status in (408, 423, 425, 429, 500, 503)),
        (429, {"retry-after": "1"}, "no"),
        (503, {"retry-after": "1"}, "no"),
        (200, {}, "yes"),
    ],
)
def test_what_may_have_happened_is_what_the_page_says(
    status: int, headers: dict[str, str], known: str
) -> None:
    assert applied(status, headers) == known


def test_what_a_connector_knows_of_its_own_system_counts() -> None:
    assert {applied(status, {}, (408, 503)) for status in (408, 503)} == {"no"}
    assert {applied(status, {}, atomic_5xx=True) for status in (500, 503, 520)} == {"no"}
    assert [conflict(status) for status in (409, 412, 422)] == [True, True, False]


def test_the_limits_are_those_on_the_page() -> None:
    limits = HttpLimits()
    assert f"at most {limits.redirects} redirects" in HTTP
    assert f"{limits.response // 2**20} MiB" in HTTP.replace("\n", " ")
    assert f"deeper than {MAX_DEPTH}" in HTTP.replace("\n", " ")
    assert f"at most {EXCERPT} characters" in HTTP
    assert MAX_RETRY_AFTER == 3600 * SECOND
    assert "up to an hour" in HTTP


def test_every_code_on_the_page_is_one_that_the_code_uses() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "engine").rglob("*.py"))
    for _, _, codes in rows(HTTP, "what went wrong before an answer"):
        for code in re.findall(r"`([a-z_]+)`", codes):
            assert f'"{code}"' in used, code


def test_the_demo_page_lists_every_workflow() -> None:
    folder = find("resources") / "examples" / "demo"
    there = parse_documents(load_folder(folder).documents, {}).workflows
    assert {row[0].strip("`") for row in rows(DEMO, "workflow")} == {name for _, name in there}


def test_every_path_on_the_demo_page_is_served(tmp_path: Path) -> None:
    world = World(tmp_path / "world.sqlite3", 0, "w1")
    with TestClient(build(world, lambda: 0), base_url="http://127.0.0.1") as client:
        for path, _ in rows(DEMO, "path"):
            address = path.strip("`").replace("KEY", "k").replace("ms=1500", "ms=1")
            assert client.get(address).status_code in {200, 503}, path
    world.close()
