"""The pages hold together: links lead somewhere, commands exist, records keep their form."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tree import ROOT, place, texts

PAGES = [
    path
    for path in texts()
    if path.suffix == ".md" and (path.parent == ROOT or place(path).startswith("docs/"))
]
RECORDS = sorted((ROOT / "docs/decisions").glob("*.md"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in _links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    named = set(
        re.findall(r"(?:`|^|\s)make ([a-z0-9]+)\b(?= *(?:`|#|$))", _code(page), re.MULTILINE)
    )
    targets = set(re.findall(r"^([a-z0-9]+):", MAKEFILE, re.MULTILINE))
    assert named - targets == set()


def _code(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    pieces = re.findall(r"```(?:sh|bash)\n(.*?)```|(`[^`\n]+`)", text, re.DOTALL)
    return "\n".join(block or inline for block, inline in pieces)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in README
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_what_it_cost(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.match(r"# \d{3} ", text)
    assert len(text.splitlines()) <= 25
    headings = ("What hurt.", "What we chose.", "What we gave up.", "How we know.")
    assert [h for h in headings if f"**{h}**" not in text] == []


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:3] for path in RECORDS] == [f"{n:03}" for n in range(1, len(RECORDS) + 1)]


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
