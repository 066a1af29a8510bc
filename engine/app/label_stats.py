"""Figures about labels: how often each is used, what nobody uses, what looks alike, and over time.

Counts come from the marks of the papers, which follow every change, so that nothing is counted
here but words; what moved when comes from the journal's table of days.
"""

from engine.app.catalogue import Shelf
from engine.core.labels.alike import Alike, alike
from engine.core.labels.filter import LONGEST_WORD, fold, matches
from engine.core.value import value
from engine.shell.label_files import LabelFile
from engine.store import Store
from engine.store.paper_words import Word

DAY = 86_400_000_000
MOST_DAYS = 366
MOST_SHOWN = 100
"""Labels in each list of the figures."""


@value
class Wanted:
    """Which labels to list; empty is all. `pattern` is a glob."""

    type: str = ""
    thing: str = ""
    pattern: str = ""


@value
class LabelUse:
    """A label and its use. `last_used` is when something last came to have it (microseconds)."""

    label: str
    type: str
    workflows: int
    tasks: int
    last_used: int
    protected: bool
    declared: bool


@value
class LabelPage:
    """A page of labels, and how many there are."""

    labels: tuple[LabelUse, ...]
    total: int


@value
class DayOfLabels:
    """How many labels were added and removed by people on a day (days since 1970)."""

    day: int
    added: int
    removed: int


@value
class LabelStats:
    """`coverage` pairs a thing with how many there are, have a tag, a category, any of both.

    `unused` are declared categories that nothing has, `undeclared` categories that documents use
    although others are declared.
    """

    days: tuple[DayOfLabels, ...]
    most_used: tuple[LabelUse, ...]
    unused: tuple[str, ...]
    undeclared: tuple[str, ...]
    alike: tuple[Alike, ...]
    coverage: tuple[tuple[str, int, int, int, int], ...]
    labels: int


class Figures:
    """The figures of one tenant's labels."""

    def __init__(self, store: Store, tenant: str, shelf: Shelf, file: LabelFile) -> None:
        self._store, self._tenant, self._shelf, self._file = store, tenant, shelf, file

    def page(self, wanted: Wanted, after: tuple[str, str], limit: int) -> LabelPage:
        """Labels in order of word and type, behind one."""
        words = self._words(wanted)
        shown = [each for each in words if (each.word, each.type) > after]
        some = shown if limit < 0 else shown[:limit]
        return LabelPage(tuple(self._use(each) for each in some), len(words))

    def _words(self, wanted: Wanted) -> list[Word]:
        found = {(each.word, each.type): each for each in self._shelf.counted()}
        for label in self._file.current().categories:
            found.setdefault((fold(label), "category"), Word("category", fold(label), label, 0, 0))
        return [found[key] for key in sorted(found) if _fits(found[key], wanted)]

    def _use(self, word: Word) -> LabelUse:
        declared = self._file.current()
        named = {fold(each): each for each in declared.categories}
        is_category = word.type == "category"
        label = named.get(word.word, word.label) if is_category else word.label
        return LabelUse(
            label, word.type, word.workflows, word.tasks,
            self._shelf.last_used(word.type, word.word), declared.is_protected(label),
            is_category and (not named or word.word in named),
        )  # fmt: skip

    async def stats(self, now: int, days: int) -> LabelStats:
        """The figures of so many days until `now`."""
        today, words = now // DAY, self._words(Wanted())
        rows = await self._store.fetch(
            "label_days_since", tenant=self._tenant, day=today - min(days, MOST_DAYS) + 1
        )
        moved: dict[int, tuple[int, int]] = {}
        for row in rows:
            added, removed = moved.get(row["day"], (0, 0))
            moved[row["day"]] = (added + row["added"], removed + row["removed"])
        declared = {fold(each): each for each in self._file.current().categories}
        used = [each for each in words if each.workflows or each.tasks]
        categories = {each.word: each.label for each in used if each.type == "category"}
        most = sorted(used, key=lambda each: (-each.workflows - each.tasks, each.word))
        unknown = sorted(categories[word] for word in categories.keys() - declared.keys())
        return LabelStats(
            days=tuple(DayOfLabels(day, *both) for day, both in sorted(moved.items())),
            most_used=tuple(self._use(each) for each in most[:20]),
            unused=tuple(sorted(declared[word] for word in declared.keys() - categories.keys())),
            undeclared=tuple(unknown[:MOST_SHOWN]) if declared else (),
            alike=tuple(
                pair for form in ("tag", "category") for pair in alike(self._shelf.spelled(form))
            )[:MOST_SHOWN],
            coverage=self._shelf.coverage(),
            labels=len(used),
        )


def _fits(word: Word, wanted: Wanted) -> bool:
    if wanted.type not in ("", word.type):
        return False
    if wanted.thing and not (word.workflows if wanted.thing == "workflow" else word.tasks):
        return False
    return not wanted.pattern or matches(fold(wanted.pattern[:LONGEST_WORD]), word.word)
