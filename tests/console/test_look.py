"""How the page looks to everybody: contrast, labels, landmarks, no script and no image."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mcp_server.console.desk import HERE

pytestmark = pytest.mark.requirement("page-for-everybody")
CSS = (HERE / "console.css").read_text(encoding="utf-8")
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper"),
    ("accent", "card"), ("accent-ink", "accent"), ("bad", "bad-bg"), ("warn", "warn-bg"),
    ("good", "good-bg"), ("ink", "wait-bg"), ("ink", "off-bg"), ("bad", "card"),
    ("accent", "wait-bg"),
]  # fmt: skip
LEAST = 4.5


def _schemes() -> Iterator[tuple[str, dict[str, str]]]:
    light, dark = re.findall(r":root \{([^}]*--paper[^}]*)\}", CSS)
    for name, block in (("light", light), ("dark", dark)):
        yield name, dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    brighter, darker = sorted((_light(one), _light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("scheme", "colours"), [*_schemes()])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(
    scheme: str, colours: dict[str, str], ink: str, ground: str
) -> None:
    assert contrast(colours[ink], colours[ground]) >= LEAST, (scheme, ink, ground)
    assert contrast(colours["focus"], colours[ground]) >= 3 or ground.endswith(("-bg", "accent"))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_script_images_or_styles_of_its_own(path: Path) -> None:
    text = re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text(encoding="utf-8"))
    tags = _Tags()
    tags.feed(text)
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "img", "iframe", "object", "embed", "style", "base", "svg"}
    attributes = {name for _, given in tags.found for name in given}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {"style"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_field_has_a_label_and_nothing_is_marked_safe(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "|safe" not in text.replace(" ", "")
    assert "autoescape" not in text
    labels = set(re.findall(r'<label for="(\w+)"', text))
    for kind in ("input", "textarea"):
        for given in re.findall(rf"<{kind} ([^>]*)>", text):
            if re.search(r'type="(hidden|checkbox|radio)"', given):
                continue
            (name,) = re.findall(r'id="(\w+)"', given)
            assert name in labels
