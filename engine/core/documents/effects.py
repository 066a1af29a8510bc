"""The effect of a whole workflow, and whether a person must accept it before it runs.

A document that changes something outside, or claims that a call which would normally do so does
not, is pending until a person accepts it (SEMANTICS section 1). The claim is looked up in the
document, so that nobody can make a mutation harmless by one word in a file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from engine.core.documents.http import READING
from engine.core.documents.names import Key
from engine.core.model import Effect, Step, Target, Task, Workflow, WorkflowRef, strongest


def targets(steps: Iterable[Step]) -> Iterator[Target]:
    """Everything that the steps may carry out: targets, switch arms and fallbacks."""
    for step in steps:
        if step.target is not None:
            yield step.target
        if step.switch is not None:
            yield from (case.target for case in step.switch.cases)
        if step.fallback is not None:
            yield step.fallback.target


def distinct(steps: Iterable[Step]) -> Iterable[Target]:
    """Like `targets`, but one that many steps carry out is there once."""
    return {id(target): target for target in targets(steps)}.values()


def references(steps: Iterable[Step]) -> Iterator[WorkflowRef]:
    """Every sub-workflow that the steps may start, directly or through a task."""
    for target in distinct(steps):
        reference = target if isinstance(target, WorkflowRef) else target.workflow
        if reference is not None:
            yield reference


def total_effect(steps: Iterable[Step], effects: Callable[[Key], Effect]) -> Effect:
    """The strongest effect of the steps; `effects` answers for sub-workflows."""
    found = [
        effects((target.namespace, target.name))
        if isinstance(target, WorkflowRef)
        else target.effect
        for target in distinct(steps)
    ]
    return strongest(*found)


def settled(workflow: Workflow, effects: Mapping[Key, Effect]) -> Workflow:
    """The workflow once the effects of its sub-workflows are known; itself if it has none."""
    if next(references(workflow.steps), None) is None:
        return workflow
    steps = tuple(_settled_step(step, effects) for step in workflow.steps)
    return replace(workflow, steps=steps, effect=total_effect(steps, effects.__getitem__))


def settled_task(task: Task, effects: Mapping[Key, Effect]) -> Task:
    """A task that starts a sub-workflow has at least that workflow's effect."""
    if task.workflow is None:
        return task
    key = (task.workflow.namespace, task.workflow.name)
    return replace(task, effect=strongest(task.effect, effects.get(key, Effect.MUTATION)))


def _settled_step(step: Step, effects: Mapping[Key, Effect]) -> Step:
    if not any(isinstance(target, Task) and target.workflow for target in targets((step,))):
        return step
    switch, fallback = step.switch, step.fallback
    if switch is not None:
        cases = tuple(replace(case, target=_settle(case.target, effects)) for case in switch.cases)
        switch = replace(switch, cases=cases)
    if fallback is not None:
        fallback = replace(fallback, target=_settle(fallback.target, effects))
    target = None if step.target is None else _settle(step.target, effects)
    return replace(step, target=target, switch=switch, fallback=fallback)


def _settle(target: Target, effects: Mapping[Key, Effect]) -> Target:
    return settled_task(target, effects) if isinstance(target, Task) else target


def needs_acceptance(workflow: Workflow) -> bool:
    """Whether a version of this content is pending until a person accepts it.

    True when it contains a mutation, and when a task claims in its document to be weaker than the
    rule for its type says (a POST declared `read`), or sends a secret somewhere: whoever can write
    a document could else send it home. A sub-workflow counts by its effect here; its own version
    is pending or not by its own content.
    """
    if workflow.effect is Effect.MUTATION:
        return True
    tasks = [target for target in distinct(workflow.steps) if isinstance(target, Task)]
    return any(claims(task) or (task.http is not None and task.http.secrets) for task in tasks)


def claims(task: Task) -> bool:
    """Whether the task is weaker by its author's word than by rule."""
    if task.http is not None:
        return task.http.method not in READING
    if task.python is None:
        return False
    spec = task.document.get("spec")
    declared = spec.get("effect") if isinstance(spec, Mapping) else None
    return declared is not None and declared != Effect.MUTATION
