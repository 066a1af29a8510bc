"""The rows of papers, and what lists show of workflows and tasks as text in a row and back."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from engine.core.labels.change import Labels
from engine.core.model import Effect
from engine.core.views import InputField, Problem, TaskInfo, WorkflowInfo


class File(NamedTuple):
    """A file as it was when it was read. `mark` changes when the file does."""

    id: int
    place: int
    mark: str


class Paper(NamedTuple):
    """A document: the file and the number in it, its name, and what is known of it."""

    id: int
    file: str
    number: int
    kind: str
    namespace: str
    name: str
    state: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A workflow of the folders: the content that its document has now."""

    document: int
    namespace: str
    name: str
    declared: str
    digest: str
    effect: str
    pending: bool


def info_text(info: WorkflowInfo) -> str:
    """What a list shows of a workflow, but for what depends on its version's row."""
    return json.dumps(_plain(info), ensure_ascii=False, separators=(",", ":"))


def info_of(text: str) -> WorkflowInfo:
    """What `info_text` wrote."""
    row = json.loads(text)
    row["effect"] = Effect(row["effect"])
    row["inputs"] = tuple(
        InputField(**{**field, "enum": tuple(field["enum"])}) for field in row["inputs"]
    )
    row["categories"], row["tags"] = tuple(row["categories"]), tuple(row["tags"])
    return WorkflowInfo(**row)


def task_text(info: TaskInfo) -> str:
    """What a list shows of a task, but for its users."""
    return json.dumps(_plain(info), ensure_ascii=False, separators=(",", ":"))


def task_info_of(text: str, used_by: Iterable[str]) -> TaskInfo:
    """What `task_text` wrote, with the workflows that use the task."""
    row = json.loads(text)
    row["effect"], row["tags"] = Effect(row["effect"]), tuple(row["tags"])
    row["used_by"] = tuple(sorted(used_by))
    return TaskInfo(**row)


def labels_text(labels: Labels) -> str:
    """Labels as a row keeps them."""
    return json.dumps([labels.categories, labels.tags], ensure_ascii=False)


def labelled(info: WorkflowInfo, text: str) -> WorkflowInfo:
    """A workflow with the labels that it has, as `labels_text` wrote them."""
    categories, tags = map(tuple, json.loads(text))
    if (categories, tags) == (info.categories, info.tags):
        return info
    return replace(info, categories=categories, tags=tags)


def labelled_task(info: TaskInfo, text: str) -> TaskInfo:
    """A task with the labels that it has, as `labels_text` wrote them."""
    categories, tags = json.loads(text)
    return replace(info, category="".join(categories[:1]), tags=tuple(tags))


def labels_of(info: WorkflowInfo | TaskInfo) -> Labels:
    """The labels that lists show of a workflow or a task."""
    if isinstance(info, WorkflowInfo):
        return Labels(info.categories, info.tags)
    return Labels((info.category,) if info.category else (), info.tags)


def _plain(info: Any) -> dict[str, Any]:
    row = {field.name: getattr(info, field.name) for field in fields(info)}
    if "inputs" in row:
        row["inputs"] = [_plain(field) for field in row["inputs"]]
    return row


def problems_text(problems: Iterable[Problem]) -> str:
    """Problems as a row keeps them."""
    fields = Problem.__dataclass_fields__
    rows = [{name: getattr(problem, name) for name in fields} for problem in problems]
    return json.dumps(rows)  # in ASCII: a path may hold what is not UTF-8


def value_of(packed: bytes) -> Any:
    """The value that was packed as JSON."""
    return json.loads(zlib.decompress(packed))
