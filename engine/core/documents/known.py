"""What a document may refer to while it is read: the other documents and the functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from engine.core.connector import Connector
from engine.core.documents.names import Key, Miss, Names, Ref, parse_ref
from engine.core.documents.raw import Report
from engine.core.documents.section import Section
from engine.core.model import Effect, Task, WorkflowRef
from engine.core.words import shorten

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """Names in reach. `strict` is False for a stored version, whose functions may be gone."""

    functions: Mapping[str, Effect]
    connectors: Names[Connector]
    tasks: Names[Task]
    workflows: Names[Effect]
    strict: bool = True


def find(section: Section, key: str, names: Names[T], home: str) -> tuple[Key, Ref] | None:
    """The document that the reference at `key` means, or None with the reason reported."""
    text = section.text(key)
    if not text:
        section.error(key, "missing_field", f"{key} must name a {names.noun}")
        return None
    return look_up(section.report, section.at(key), text, names, home)


def look_up(
    report: Report, path: str, text: str, names: Names[T], home: str
) -> tuple[Key, Ref] | None:
    """The document that `text` means, or None with the reason reported at `path`."""
    try:
        ref = parse_ref(text)
    except ValueError as error:
        report.error(path, "bad_reference", str(error))
        return None
    found = names.find(ref, home)
    if isinstance(found, Miss):
        hint = report.nearest(found.wanted, found.options) if found.wanted else ""
        report.error(path, found.code, found.message, hint or found.hint)
        return None
    return found, ref


def find_workflow(section: Section, key: str, known: Known, home: str) -> WorkflowRef | None:
    """The workflow that the reference at `key` means, with its namespace filled in."""
    found = find(section, key, known.workflows, home)
    return WorkflowRef(*found[0], found[1].version) if found else None


def find_task(section: Section, key: str, known: Known, home: str) -> Task | None:
    """The task that the reference at `key` means."""
    found = find(section, key, known.tasks, home)
    if found is None:
        return None
    task_key, ref = found
    if ref.version is not None:
        shown = shorten(section.text(key))
        message = f"tasks have no versions of their own: {shown!r}"
        section.error(key, "bad_reference", message, "a workflow's version pins its tasks")
        return None
    return known.tasks[task_key]
