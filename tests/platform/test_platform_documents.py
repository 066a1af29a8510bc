"""Real documents of the platform behind the format load unchanged.

They carry no licence, so they are not in this repository: the tests run where the folder is and
say so where it is not. HANDRAIL_DATA names the folder that holds `platform/`.
"""

import os
from pathlib import Path

import pytest

from engine.core.catalogue import Catalogue
from engine.core.definition import needs_acceptance, parse_documents, rebuild
from engine.core.model import Task
from engine.shell.load import load_folder

ROOT = Path(__file__).resolve().parents[2]
PLATFORM = Path(os.environ.get("HANDRAIL_DATA") or ROOT.parent / "shared" / "data") / "platform"

pytestmark = pytest.mark.skipif(
    not PLATFORM.is_dir(),
    reason="the platform's documents are not here; HANDRAIL_DATA names the folder that holds them",
)

READ_ONLY = {"data-chaining", "order-lookup", "transform-demo"}
MUTATING = {
    "conditional-demo",
    "diamond-pattern",
    "foreach-parallel-demo",
    "retry-fail-once",
    "switch-demo",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    loaded = load_folder(PLATFORM)
    assert loaded.problems == ()
    return parse_documents(loaded.documents, {})


def test_every_document_loads_without_an_error(catalogue: Catalogue) -> None:
    assert catalogue.errors == ()
    assert len(catalogue.workflows) == 8
    assert len(catalogue.tasks) == 20


def test_those_that_only_read_run_at_once_and_the_others_wait_for_a_person(
    catalogue: Catalogue,
) -> None:
    pending = {found.name for found in catalogue.workflows.values() if needs_acceptance(found)}
    assert pending == MUTATING
    assert {name for _, name in catalogue.workflows} - pending == READ_ONLY


def test_every_warning_has_a_file_a_line_and_a_hint_or_says_it_all(catalogue: Catalogue) -> None:
    for problem in catalogue.problems:
        assert Path(problem.file).is_file()
        lines = Path(problem.file).read_text(encoding="utf-8").splitlines()
        assert 0 < problem.line <= len(lines)
        assert problem.hint or problem.code == "type_clash"
    assert {problem.code for problem in catalogue.problems} == {
        "no_description",
        "type_clash",
        "unknown_input",
    }


def test_every_workflow_compiles_again_from_its_bundle(catalogue: Catalogue) -> None:
    for workflow in catalogue.workflows.values():
        assert rebuild(workflow.bundle, {}) == workflow


def test_steps_that_wait_for_nothing_are_side_by_side(catalogue: Catalogue) -> None:
    groups = {found.name: found.groups for found in catalogue.workflows.values()}
    assert groups["diamond-pattern"] == (
        ("get-user",),
        ("check-inventory", "get-orders"),
        ("process-payment",),
    )
    assert len(groups["transform-demo"][1]) == 6


def test_words_are_taken_from_wherever_the_documents_keep_them(catalogue: Catalogue) -> None:
    task = catalogue.tasks[("test", "transform-map")]
    assert (task.description, task.category) == ("Map array items to new structure", "transform")
    for workflow in catalogue.workflows.values():
        assert workflow.description
        for step in workflow.steps:
            assert isinstance(step.target, Task)
            assert step.target.description
