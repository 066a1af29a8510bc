"""What labels there may be: declared categories, protected labels, and how a label is written.

Where categories are declared no other is taken; where none is, those in use count as declared. A
protected label says something that rules rely on, so only a person sets it, and in a document it
counts for nothing. Where that is declared is not known here.
"""

import unicodedata
from collections.abc import Iterable

from engine.core.documents.raw import RawDocument, Report
from engine.core.documents.section import Section
from engine.core.errors import Failure, Refused
from engine.core.labels.filter import fold, matches
from engine.core.value import value
from engine.core.views import Problem
from engine.core.visible import visible
from engine.core.words import listed, suggestions

LONGEST = 100
"""Characters of a label that is given; documents may have longer ones."""
MOST_DECLARED = 1_000
_FIELDS = ("categories", "protected")


@value
class Declared:
    """`categories` that there may be (none: those in use), and patterns of `protected` labels.

    `trouble` says why it could not be read: then no label may be changed.
    """

    categories: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    trouble: Failure | None = None

    def is_protected(self, label: str) -> bool:
        """Whether only a person may set a label.

        >>> Declared(protected=("prod:*",)).is_protected("PROD:payments")
        True
        """
        word = fold(label)
        return any(matches(fold(pattern), word) for pattern in self.protected)


def declared_of(raw: RawDocument) -> tuple[Declared, tuple[Problem, ...]]:
    """What a document declares, and its problems; with a problem it declares nothing."""
    report = Report(raw)
    whole = Section(report, "", raw.value, _FIELDS)
    found = {name: tuple(whole.strings(name)) for name in _FIELDS}
    for name, words in found.items():
        if len(words) > MOST_DECLARED:
            whole.error(name, "too_many", f"at most {MOST_DECLARED:,} can be declared")
        for word in words:
            if why := wrong(word.replace("*", "x").replace("?", "x")):
                whole.error(name, "bad_label", f"{visible(word[:60])!r} {why}")
    if report.problems:
        return Declared(), report.problems
    return Declared(found["categories"], found["protected"]), ()


def wrong(label: str) -> str:
    """Why a text is no label that could be given; empty when it is one.

    >>> wrong("team-a"), wrong("a, b")
    ('', 'has a comma')
    """
    if not label.strip():
        return "is empty"
    if len(label) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if "," in label:
        return "has a comma"
    if "\n" in label or visible(label) != label:
        return "has characters that hide something"
    return ""


def proper(label: str) -> str:
    """A label as it is kept; raises Refused `bad_label`."""
    text = unicodedata.normalize("NFC", label.strip())
    why = wrong(text)
    if why:
        shown = visible(text[:60])
        raise Refused("bad_label", f"{shown!r} {why}", "Labels are short words such as team-a.")
    return text


def category(label: str, there_are: Iterable[str]) -> str:
    """A category in the spelling in which it is declared; raises Refused `unknown_category`."""
    text, known = proper(label), {fold(each): each for each in there_are}
    found = known.get(fold(text))
    if found is not None:
        return found
    names = sorted(known.values())
    near = suggestions(text, names)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {listed(names) or 'none'}."
    raise Refused(
        "unknown_category",
        f"there is no category {text!r}",
        f"{hint} A person declares new ones in categories.yaml; free words are tags.",
        details={"suggestions": list(near) or names[:5]},
    )
