"""Reading what changed gives what reading everything gives, whatever was edited."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.definition import Catalogue, parse_documents
from engine.core.describe import task_info, workflow_info
from engine.core.impact.adjacency import KINDS, TASK, WORKFLOW, Adjacency, Key, adjacency
from engine.core.impact.uses import Use, shown, task_uses, uses_of
from engine.core.labels.filter import EVERYTHING
from engine.core.model import Effect, Workflow
from engine.shell.folders import Folders
from engine.shell.load import load_folder
from engine.shell.reading import Reading
from engine.store.edges import NEVER
from engine.store.papers import Papers

FUNCTIONS: Mapping[str, Effect] = {"look": Effect.READ, "send": Effect.MUTATION}


def task(name: str, space: str, body: str) -> str:
    return f"kind: WorkflowTask\nmetadata: {{name: {name}, namespace: {space}}}\nspec: {body}\n"


def flow(name: str, space: str, steps: list[str], more: str = "") -> str:
    listed = "".join(f"    - {step}\n" for step in steps)
    head = f"kind: Workflow\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n"
    return f"{head}  input: {{x: {{type: string}}}}\n{more}  tasks:\n{listed}"


CONNECTOR = (
    "kind: Connector\nmetadata: {name: C, namespace: SPACE}\n"
    "spec: {baseUrl: URL, operations: {get: {path: /x}}}\n"
)

_SPACES = st.sampled_from(["default", "shop"])
_NAMES = st.sampled_from(["a", "b", "c"])
_REFS = st.tuples(st.sampled_from(["", "default/", "shop/"]), _NAMES).map("".join)
_BODIES = st.one_of(
    st.sampled_from(
        [
            "{type: python, python: {function: look}}",
            "{type: python, python: {function: send}}",
            "{type: python, python: {function: lok}}",
            "{type: python, python: {function: look}, outputSchema: {type: object, properties:"
            " {y: {type: number}}, additionalProperties: false}}",
            "{type: python}",
            "{connector: C/get}",
        ]
    ),
    _REFS.map("{{type: workflow, workflow: {}}}".format),
)
_STEPS = st.one_of(
    st.tuples(st.sampled_from(["taskRef", "workflowRef"]), _REFS).map(
        lambda pair: f"{{id: s, {pair[0]}: {pair[1]}, input: {{x: '{{{{input.x}}}}', z: 1}}}}"
    ),
    st.just("{id: s, sleep: {duration: 1s}}"),
)
_DOCUMENTS = st.one_of(
    st.builds(task, _NAMES, _SPACES, _BODIES),
    st.builds(
        flow,
        _NAMES,
        _SPACES,
        st.lists(_STEPS, min_size=1, max_size=1),
        st.sampled_from(["", "  description: d\n", "  output: {y: '{{tasks.s.output.y}}'}\n"]),
    ),
    _SPACES.map(
        lambda space: CONNECTOR.replace("SPACE", space).replace("URL", "https://a.example")
    ),
    st.sampled_from(["just text\n", "a: [\n", "kind: Nothing\n", CONNECTOR.replace("SPACE", "s")]),
)
_EDIT = st.tuples(
    st.sampled_from(["1.yaml", "2.yaml", "3.yaml", "4.yaml", "sub/5.yaml"]),
    st.lists(_DOCUMENTS, min_size=1, max_size=2) | st.none(),
)
_EDITS = st.lists(_EDIT, min_size=6, max_size=14)


def write(folder: Path, name: str, documents: list[str] | None, turn: int) -> None:
    """Write one file anew, or delete it; the others stay as they are."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    if documents is not None:
        file.write_text("---\n".join(documents))
        os.utime(file, (turn, turn))


def read(papers: Papers, folder: Path) -> list[Workflow]:
    papers.begin()
    read = [each for some in Reading(papers, Folders([folder]), FUNCTIONS).read() for each in some]
    for standing, _, _ in list(papers.standing()):
        papers.show(standing.document, standing.digest, 0)
    papers.commit()
    papers.turn()
    return read


def kept(papers: Papers) -> Any:
    """All that a reader can see of the papers."""
    infos, total = papers.lists.page(EVERYTHING, ("", ""), -1)
    tasks, _ = papers.lists.tasks(EVERYTHING, ("", ""), -1)
    digests = {
        (standing.namespace, standing.name): (standing.digest, standing.effect, standing.pending)
        for standing, _, _ in papers.standing()
    }
    assert total == len(infos)
    return infos, tasks, digests, papers.lists.problems()


def expected(folder: Path) -> Any:
    from engine.core.definition import needs_acceptance
    from engine.core.model import Task, targets_of
    from engine.core.reading import target_name

    loaded = load_folder(folder)
    catalogue: Catalogue = parse_documents(loaded.documents, FUNCTIONS)
    infos = [workflow_info(catalogue.workflows[key]) for key in sorted(catalogue.workflows)]
    users: dict[str, set[str]] = {}
    for workflow in catalogue.workflows.values():
        for step in workflow.steps:
            for target in targets_of(step):
                if not isinstance(target, Task):
                    continue
                own = f"{workflow.namespace}/{workflow.name}"
                users.setdefault(target_name(target), set()).add(own)
    tasks = [
        task_info(catalogue.tasks[key], users.get("/".join(key), ()))
        for key in sorted(catalogue.tasks)
    ]
    digests = {
        key: (workflow.digest, workflow.effect.value, needs_acceptance(workflow))
        for key, workflow in catalogue.workflows.items()
    }
    return infos, tasks, digests, [*loaded.problems, *catalogue.problems]


def used(folder: Path) -> Adjacency:
    """Who uses what, from all documents at once."""
    catalogue = parse_documents(load_folder(folder).documents, FUNCTIONS)
    rows: dict[Key, list[Key]] = {
        Key(KINDS.index("connector"), shown(*key)): [] for key in catalogue.connectors
    }
    for key, workflow in catalogue.workflows.items():
        rows[Key(WORKFLOW, shown(*key))] = [keyed(use) for use in uses_of(workflow)]
    for key, task in catalogue.tasks.items():
        name = task.document["spec"].get("connector", "")
        here = [one for one in (key[0], "default") if (one, "C") in catalogue.connectors]
        called = [(here or [one for one, _ in catalogue.connectors])[0]] if name else []
        uses = task_uses(task, ((space, "C") for space in called))
        rows[Key(TASK, shown(*key))] = [keyed(use) for use in uses]
    return adjacency(rows)


def keyed(use: Use) -> Key:
    return Key(KINDS.index(use.kind), shown(use.namespace, use.name))


@pytest.mark.requirement("impact-current")
@settings(max_examples=60)
@given(_EDITS)
def test_any_edit_leaves_what_reading_everything_gives(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, list[str] | None]]
) -> None:
    folder = tmp_path_factory.mktemp("documents")
    papers, drawn = Papers(None, "rules"), NEVER
    for turn, (name, documents) in enumerate(edits):
        write(folder, name, documents, turn + 1)
        read(papers, folder)
        assert kept(papers) == expected(folder)
        drawn = papers.drawn(drawn)
        assert drawn.edges == papers.drawn(NEVER).edges == used(folder)
    papers.close()
