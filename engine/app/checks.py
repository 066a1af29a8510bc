"""What `doctor` looks at in the engine itself."""

import platform
from collections import Counter
from collections.abc import Iterable

from engine.app.crew import crew
from engine.app.settings import Settings
from engine.core.views import Health, Problem
from engine.store import About, Store


async def checks(
    store: Store, problems: Iterable[Problem], settings: Settings
) -> tuple[Health, ...]:
    """The state of this installation: one named check each."""
    about = await store.about()
    return (
        Health("python", True, platform.python_version()),
        _software(about),
        await _database(store, about),
        await _work(store, settings),
        _documents(settings, list(problems)),
    )


def _software(about: About) -> Health:
    said = f"{about.version}: {about.caution}" if about.caution else about.version
    return Health(about.software, True, said, about.hint)


async def _database(store: Store, about: About) -> Health:
    rows = await store.fetch("journal_head")
    events, size = rows[0]["position"] if rows else 0, about.size / 1_000_000
    return Health("database", True, f"{store.place} ({size:.1f} MB), {events:,} events")


async def _work(store: Store, settings: Settings) -> Health:
    found = await crew(store, settings.clock, settings.pace)
    states = Counter(worker.state for worker in found.workers)
    told = ", ".join(f"{number} {state}" for state, number in states.items())
    return Health("workers", True, told or "none", found.advice)


def _documents(settings: Settings, problems: list[Problem]) -> Health:
    errors = [problem for problem in problems if problem.severity == "error"]
    folders = ", ".join(str(folder) for folder in settings.folders) or "no folder"
    if not errors:
        return Health("documents", True, f"{folders}: {len(problems)} warnings")
    return Health(
        "documents",
        False,
        f"{folders}: {len(errors)} errors, the first: {errors[0].message}",
        "Run `handrail check FOLDER` to see them all.",
    )
