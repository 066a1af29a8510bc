"""A catalogue of any size, made up: varied workflows over shared tasks, from a seed.

A few workflows written by hand are varied in names, words, inputs and number of steps. Files
are YAML of fifty documents each, as a team would keep them; the same seed writes the same files.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PER_FILE = 50
PER_TASK = 50
"""Workflows for each shared task."""

_NAMESPACES = [
    "shop",
    "billing",
    "crm",
    "support",
    "stock",
    "people",
    "ops",
    "reports",
    "travel",
    "risk",
    "media",
    "mail",
]
_VERBS = [
    "get",
    "list",
    "check",
    "send",
    "sum",
    "sync",
    "close",
    "open",
    "review",
    "export",
    "merge",
    "rate",
    "route",
    "audit",
]
_NOUNS = [
    "order",
    "invoice",
    "customer",
    "payment",
    "refund",
    "shipment",
    "contract",
    "ticket",
    "report",
    "account",
    "product",
    "cart",
    "message",
    "employee",
    "trip",
    "claim",
    "lead",
    "asset",
    "budget",
    "deposit",
]
_WORDS = [
    "and",
    "for",
    "each",
    "of",
    "its",
    "with",
    "the",
    "last",
    "open",
    "overdue",
    "regional",
    "monthly",
    "verified",
    "by",
    "number",
    "status",
    "before",
    "after",
    "total",
    "owner",
    "city",
    "currency",
    "priority",
    "history",
    "summary",
    "details",
    "quickly",
    "again",
]
_TYPES = ("string", "number", "integer", "boolean")

_TASK = """\
apiVersion: workflow.io/v1
kind: WorkflowTask
metadata: {name: NAME, namespace: SPACE}
spec:
  type: http
  description: DESCRIPTION
  category: NOUN
  tags: [NOUN, shared]
  http: {method: GET, url: "https://SPACE.example/api/NOUN/{{input.id}}"}
  inputSchema:
    type: object
    properties:
      id: {type: string, description: "Number of the NOUN."}
    required: [id]
  outputSchema:
    type: object
    properties:
      id: {type: string}
      total: {type: number}
      items: {type: array, items: {type: object}}
      owner: {type: string}
"""

_HEAD = """\
apiVersion: workflow.io/v1
kind: Workflow
metadata:
  name: NAME
  namespace: SPACE
  labels: {workflow.io/category: NOUN}
spec:
  description: DESCRIPTION
  tags: [NOUN, VERB]
  input:
    id: {type: string, required: true, description: "Number of the NOUN, such as 12."}
"""

_FIRST = """\
    - id: get-NOUN
      taskRef: TASK
      input: {id: "{{input.id}}"}
"""
_STEPS = (
    """\
    - id: STEP
      taskRef: TASK
      condition: tasks.BEFORE.output.total > AMOUNT
      input: {id: "{{tasks.BEFORE.output.id}}"}
""",
    """\
    - id: STEP
      taskRef: TASK
      input: {id: "{{input.id}}-{{tasks.BEFORE.output.id}}"}
      timeout: 20s
      retry: {policy: exponential, maxAttempts: 4, initialDelay: 200ms}
""",
    """\
    - id: STEP
      transform:
        pipeline: [{operation: limit, count: AMOUNT}]
      input: {data: "{{tasks.get-NOUN.output.items}}"}
""",
    """\
    - id: STEP
      taskRef: TASK
      dependsOn: [BEFORE]
      forEach: {items: "{{tasks.get-NOUN.output.items}}", maxParallel: 4}
      input: {id: "{{forEach.item.id}}"}
""",
)
_SUB = """\
    - id: STEP
      workflowRef: SUB
      input: {id: "{{input.id}}"}
"""
_OUTPUT = """\
  output:
    id: "{{tasks.get-NOUN.output.id}}"
    text: "NOUN {{input.id}} of {{tasks.get-NOUN.output.owner}}"
    total: "{{tasks.get-NOUN.output.total}}"
"""
_READY = """\
apiVersion: workflow.io/v1
kind: Workflow
metadata: {name: ready, namespace: ops}
spec:
  description: A workflow that calls nobody, to be run while the catalogue is measured.
  input: {id: {type: string, description: Anything.}}
  tasks:
    - {id: cut, transform: {pipeline: [{operation: limit, count: 1}]}, input: {data: [1, 2]}}
  output: {first: "{{tasks.cut.output.result}}"}
"""


def write(folder: Path, workflows: int, seed: int = 1) -> None:
    """Write files with so many workflows, and the tasks they use, into `folder`."""
    chance = random.Random(seed)
    tasks = [_name(chance, number, "task") for number in range(max(4, workflows // PER_TASK))]
    documents = _documents(chance, tasks, workflows)
    number = 0
    while lines := [text for _, text in zip(range(PER_FILE), documents, strict=False)]:
        part = folder / f"part-{number // 100:03}"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{number:05}.yaml").write_text("---\n".join(lines), encoding="utf-8")
        number += 1


def tools(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """So many entries of a catalogue as JSON: name, description, input_schema."""
    chance = random.Random(seed)
    for number in range(count):
        space, own, verb, noun = _name(chance, number, "tool")
        said = f"{verb.capitalize()} the {noun} {' '.join(chance.sample(_WORDS, 6))}."
        about = {"type": "string", "description": f"Number of the {noun}."}
        schema = {"type": "object", "properties": {"id": about}, "required": ["id"]}
        yield {"name": f"{space}/{own}", "description": said, "input_schema": schema}


Name = tuple[str, str, str, str]
"""Namespace, name, verb, noun."""


def _documents(chance: random.Random, tasks: list[Name], workflows: int) -> Iterator[str]:
    yield _READY
    for name in tasks:
        yield _filled(_TASK, name, chance)
    made: list[Name] = []
    for number in range(workflows - 1):
        name = _name(chance, number, "flow")
        yield _workflow(chance, name, tasks, made)
        made = [*made[-20:], name]


def _name(chance: random.Random, number: int, kind: str) -> Name:
    space, verb, noun = (chance.choice(words) for words in (_NAMESPACES, _VERBS, _NOUNS))
    return space, f"{verb}-{noun}-{kind[0]}{number}", verb, noun


def _filled(text: str, name: Name, chance: random.Random) -> str:
    space, own, verb, noun = name
    said = f"{verb.capitalize()} the {noun} {' '.join(chance.sample(_WORDS, 6))}."
    for word, value in (("NAME", own), ("SPACE", space), ("DESCRIPTION", said)):
        text = text.replace(word, value)
    return text.replace("NOUN", noun).replace("VERB", verb)


def _workflow(chance: random.Random, name: Name, tasks: list[Name], made: list[Name]) -> str:
    noun = name[3]
    parts = [_filled(_HEAD, name, chance)]
    for word in chance.sample(_WORDS, chance.randrange(4)):
        kind = chance.choice(_TYPES)
        parts.append(f'    {word}: {{type: {kind}, description: "The {word} of the {noun}."}}\n')
    parts.append("  tasks:\n" + _step(chance, _FIRST, "", tasks, noun))
    before = f"get-{noun}"
    for number in range(chance.randrange(5)):
        step = f"{chance.choice(_VERBS)}-{number}"
        text = chance.choice(_STEPS).replace("BEFORE", before)
        parts.append(_step(chance, text, step, tasks, noun))
        before = step if "taskRef" in text and "forEach" not in text else before
    if made and chance.random() < 0.05:
        sub = chance.choice(made)
        parts.append(_SUB.replace("STEP", "then").replace("SUB", f"{sub[0]}/{sub[1]}"))
    return "".join(parts) + _OUTPUT.replace("NOUN", noun)


def _step(chance: random.Random, text: str, step: str, tasks: list[Name], noun: str) -> str:
    task = chance.choice(tasks)
    text = text.replace("STEP", step).replace("TASK", f"{task[0]}/{task[1]}")
    return text.replace("NOUN", noun).replace("AMOUNT", str(chance.randrange(1, 90)))
