"""Documents for tests, written the way people write them: as YAML text with lines."""

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from engine.core.definition import Catalogue, RawDocument, parse_documents
from engine.core.model import Effect, Step, Task, Workflow
from engine.core.views import Problem
from engine.shell.load import split_documents
from engine.shell.strict_yaml import read_yaml

FUNCTIONS: Mapping[str, Effect] = {
    "add": Effect.PURE,
    "look": Effect.READ,
    "send": Effect.MUTATION,
}

LOOK = """
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: look}
spec: {type: python, python: {function: look}}
"""

SEND = """
kind: WorkflowTask
apiVersion: t/v1
metadata: {name: send}
spec: {type: python, python: {function: send}}
"""


def documents(*texts: str) -> list[RawDocument]:
    """The documents of several texts; text number n is the file `n.yaml`."""
    found = []
    for number, text in enumerate(texts):
        for index, (part, line) in enumerate(split_documents(dedent(text).lstrip("\n"))):
            built = read_yaml(part, line)
            found.append(RawDocument(f"{number}.yaml", index, built.value, built.lines))
    return found


def read(*texts: str, functions: Mapping[str, Effect] = FUNCTIONS) -> Catalogue:
    """The catalogue of some texts."""
    return parse_documents(documents(*texts), functions)


def flow(steps: str, name: str = "flow", **spec: Any) -> str:
    """A workflow document around some steps, which are YAML list items without indentation."""
    more = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    body = dedent(steps).strip("\n").replace("\n", "\n    ")
    description = "" if "description" in spec else "  description: For a test\n"
    return (
        f"kind: Workflow\napiVersion: t/v1\nmetadata: {{name: {name}}}\nspec:\n"
        f"{description}{more}  tasks:\n    {body}\n"
    )


def compiled(steps: str, *others: str, **spec: Any) -> Workflow:
    """The workflow with these steps; the tasks `look` and `send` are at hand."""
    catalogue = read(flow(steps, **spec), LOOK, SEND, *others)
    assert not catalogue.errors, catalogue.errors
    return catalogue.workflows[("default", "flow")]


def step(text: str, *others: str) -> Step:
    """The one step of a workflow."""
    return compiled(text, *others).steps[0]


def task(spec: str, *others: str, name: str = "made", namespace: str = "default") -> Task:
    """The task with this spec, a flow mapping."""
    catalogue = read(task_text(spec, name, namespace), *others)
    assert not catalogue.errors, catalogue.errors
    return catalogue.tasks[(namespace, name)]


def task_text(spec: str, name: str = "made", namespace: str = "default") -> str:
    """A task document; `spec` is a flow mapping."""
    metadata = f"{{name: {name}, namespace: {namespace}}}"
    return f"kind: WorkflowTask\napiVersion: t/v1\nmetadata: {metadata}\nspec: {spec}\n"


def told(catalogue: Catalogue, severity: str = "error") -> list[tuple[str, str]]:
    """The problems of a severity as (path, code)."""
    return [(found.path, found.code) for found in catalogue.problems if found.severity == severity]


def wrong(steps: str, *others: str, **spec: Any) -> list[tuple[str, str]]:
    """What is wrong with a workflow of these steps, as (path, code)."""
    return told(read(flow(steps, **spec), LOOK, SEND, *others))


def warned(steps: str, *others: str, **spec: Any) -> list[tuple[str, str]]:
    """What a workflow of these steps is warned of, as (path, code)."""
    catalogue = read(flow(steps, **spec), LOOK, SEND, *others)
    assert not catalogue.errors, catalogue.errors
    return told(catalogue, "warning")


def first(catalogue: Catalogue, code: str) -> Problem:
    """The first problem with a code."""
    return next(found for found in catalogue.problems if found.code == code)


SHOP = """
kind: Connector
apiVersion: t/v1
metadata: {name: shop, namespace: crm}
spec: {baseUrl: https://shop.example, operations: {get: {path: /x}}}
"""
EVERYTHING = (
    flow(
        """
        - {id: a, taskRef: look, retry: fixed, timeout: 5s, circuitBreaker: {}}
        - {id: b, taskRef: far, if: "tasks.a.output.x == 1", fallback: {taskRef: send}}
        - id: c
          workflowRef: sub
          forEach: {in: [1, 2], maxParallel: 2}
          input: {x: "{{forEach.item}}"}
        - {id: d, switch: {value: "{{tasks.c.status}}", cases: [{match: done, taskRef: starter}]}}
        - {id: e, sleep: {duration: 1s}, dependsOn: d}
        - {id: f, transform: {pipeline: [{operation: limit, count: 2}]}, input: {data: [1, 2, 3]}}
        """,
        output='{all: "{{tasks.f.output.result}}"}',
        input="{n: {type: integer, default: 3, description: d}}",
        examples="[{name: one, input: {n: 4}}]",
    ),
    LOOK,
    SEND,
    SHOP,
    task_text("{connector: crm/shop/get}", "far", namespace="other"),
    task_text("{workflow: sub}", "starter"),
    flow("- {id: a, taskRef: look}", name="sub"),
)
"""A workflow `flow` with every form there is, and all that it needs."""
