"""`WorkflowTask` documents, and the same fields written inline in a step.

A task has exactly one body: http, transform, python, sleep or workflow. Its effect is declared or
follows from the body by rule (SEMANTICS section 1); a declaration that is weaker than the rule is
allowed, but then a person must accept every workflow that uses the task (`needs_acceptance`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from engine.core.connector import Operation
from engine.core.declared import UNDECLARED, Declared, HttpSpec, as_change, verb_of
from engine.core.documents.contradictions import check_declared
from engine.core.documents.declarations import DECLARATION_FIELDS, Subject, read_declared
from engine.core.documents.header import Header, read_categories, read_description
from engine.core.documents.http import HTTP_FIELDS, declared_effect, effect_of, read_http
from engine.core.documents.inputs import read_schema
from engine.core.documents.known import Known, find_workflow, look_up
from engine.core.documents.policies import read_retry
from engine.core.documents.raw import inside
from engine.core.documents.section import Section, parse_duration
from engine.core.documents.templates import TASK_ROOTS, read_template
from engine.core.model import STRENGTH, Effect, Task, TaskType, WorkflowRef, strongest
from engine.core.template import Template
from engine.core.transform import Transform, TransformError, compile_transform
from engine.core.words import listed, shorten

TYPES: tuple[str, ...] = get_args(TaskType)
CALLING = frozenset({"http", "python"})
"""Types that call something outside; what they do can be declared."""

BODY_FIELDS = ("type", "http", "request", "transform", "python", "sleep", "workflow", "connector")
COMMON_FIELDS = ("effect", *DECLARATION_FIELDS, "inputSchema", "outputSchema")
TASK_FIELDS = (
    *BODY_FIELDS,
    *COMMON_FIELDS,
    "description",
    "timeout",
    "retry",
    "retryPolicy",
    "category",
    "categories",
    "tags",
    "version",
)
TASK_LATER = {
    "cache": "every call is made",
    "compliance": "its rules are not enforced",
    "budget": "nothing is counted or stopped",
    "rateLimit": "calls are not slowed down",
}


@dataclass(slots=True)
class _Body:
    """What carries the task out, and the effect that follows from it by rule."""

    type: TaskType
    rule: Effect
    http: HttpSpec | None = None
    transform: Transform | None = None
    python: str | None = None
    sleep: Template | None = None
    workflow: WorkflowRef | None = None


def read_task(header: Header, known: Known) -> Task | None:
    """The task of a document, or None with every reason reported."""
    report = header.report
    metadata = Section(report, "metadata", header.document.get("metadata"))
    spec = Section(report, "spec", header.document.get("spec"), TASK_FIELDS, TASK_LATER)
    categories = read_categories(metadata, spec)
    return build_task(
        spec,
        known,
        header.key[0],
        header.key[1],
        document=header.document,
        description=read_description(metadata, spec),
        category=categories[0] if categories else "",
        tags=spec.strings("tags"),
        timeout=spec.duration("timeout"),
        retry=read_retry(spec),
    )


def build_task(spec: Section, known: Known, home: str, name: str, **words: Any) -> Task | None:
    """The task that a spec (or an inline step) describes, or None with the reasons reported."""
    operation = _operation(spec, known, home)
    body = _body(spec, known, home, operation)
    inner = read_schema(spec.report, spec.at("inputSchema"), spec.get("inputSchema"))
    outer = read_schema(spec.report, spec.at("outputSchema"), spec.get("outputSchema"))
    if operation is not None:
        inner, outer = inner or operation.input_schema, outer or operation.output_schema
        words["timeout"] = words.get("timeout") or operation.timeout
        words["retry"] = words.get("retry") or operation.retry
    if body is None:
        return None
    effect = _effect(spec, body, operation)
    declared = _declared(spec, body, operation, effect, inner)
    if spec.report.failed:
        return None
    http = body.http
    if http is not None and effect is Effect.MUTATION:
        http = as_change(http, declared)
    return Task(
        namespace=home,
        name=name,
        type=body.type,
        effect=effect,
        input_schema=inner,
        output_schema=outer,
        http=http,
        transform=body.transform,
        python=body.python,
        sleep=body.sleep,
        workflow=body.workflow,
        declared=declared,
        **words,
    )


def _declared(
    spec: Section,
    body: _Body,
    operation: Operation | None,
    effect: Effect,
    schema: Mapping[str, Any] | None,
) -> Declared:
    """How the call behaves: the connector says it, or else the task itself."""
    given = [word for word in DECLARATION_FIELDS if word in spec]
    if operation is not None or body.type not in CALLING:
        owner = "the connector says it" if operation is not None else f"it is a {body.type} task"
        for word in given:
            spec.error(
                word, "conflict", f"a task has no {word} of its own here: {owner}", "remove it"
            )
        if operation is None:
            return UNDECLARED
        claimed = effect is Effect.MUTATION and not operation.declared.verb
        return Declared(verb=verb_of("")) if claimed else operation.declared
    subject = Subject(effect, body.http, schema)
    declared = read_declared(spec, subject)
    if given:
        check_declared(spec, declared, subject)
    return declared


def connector_ref(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    """The connector and operation that a task spec names: `[namespace/]name/operation`.

    >>> connector_ref({"connector": "crm/shop/get-user"})
    ('crm/shop', 'get-user')
    """
    text = spec.get("connector")
    if not isinstance(text, str) or "/" not in text:
        return None
    name, _, operation = text.rpartition("/")
    return name, operation


def _operation(spec: Section, known: Known, home: str) -> Operation | None:
    if spec.get("connector") is None:
        return None
    named = connector_ref(spec.value)
    if named is None:
        hint = "write name/operation, for example shop/get-user"
        spec.error("connector", "bad_reference", "connector must name an operation", hint)
        return None
    found = look_up(spec.report, spec.at("connector"), named[0], known.connectors, home)
    if found is None:
        return None
    operations = known.connectors[found[0]].operations
    if named[1] not in operations:
        hint = spec.report.nearest(named[1], operations) or f"it has: {listed(operations)}"
        message = f"the connector has no operation {shorten(named[1])!r}"
        spec.error("connector", "unknown_operation", message, hint)
    return operations.get(named[1])


def _body(spec: Section, known: Known, home: str, operation: Operation | None) -> _Body | None:
    kind = _type(spec)
    if kind is None:
        return None
    readers: dict[str, Callable[[], _Body | None]] = {
        "http": lambda: _http(spec, operation),
        "transform": lambda: _transform(spec),
        "python": lambda: _python(spec, known),
        "sleep": lambda: _sleep(spec),
        "workflow": lambda: _workflow(spec, known, home),
    }
    _no_other_body(spec, kind)
    return readers[kind]()


def _type(spec: Section) -> str | None:
    value = spec.get("type")
    if value is None:
        named = [word for word in TYPES if word in spec]
        if "request" in spec or "connector" in spec:
            named = ["http"]
        if len(named) == 1:
            return named[0]
        spec.error("type", "missing_field", "a task needs a type", f"one of: {listed(TYPES)}")
        return None
    if value not in TYPES:
        near = spec.report.nearest(value, TYPES) if isinstance(value, str) else ""
        hint = near or f"one of: {listed(TYPES)}"
        spec.error("type", "unknown_type", f"{shorten(str(value))!r} is not a task type", hint)
        return None
    return str(value)


def _no_other_body(spec: Section, kind: str) -> None:
    own = {"http", "request", "connector"} if kind == "http" else {kind}
    for word in BODY_FIELDS[1:]:
        if word in spec and word not in own:
            spec.error(word, "conflict", f"a task of type {kind} has no {word} part", "remove it")


def _http(spec: Section, operation: Operation | None) -> _Body | None:
    key = "http" if "http" in spec else "request"
    if "http" in spec and "request" in spec:
        spec.error(
            "request", "conflict", "http and request are two names of one field", "keep http"
        )
    if spec.get("connector") is not None and operation is None:
        return None
    if operation is None and key not in spec:
        spec.error("http", "missing_field", "an http task needs an http (or request) part")
        return None
    inner = spec.section(key, HTTP_FIELDS)
    _key_kept(inner, operation)
    http = read_http(inner, operation.http if operation else None)
    return _Body("http", effect_of(http.method), http=http) if http is not None else None


def _key_kept(section: Section, operation: Operation | None) -> None:
    header = "" if operation is None else operation.http.key_header.lower()
    for name in section.mapping("headers") if header else ():
        if name.lower() == header:
            message = f"{shorten(name)} carries the connector's idempotency key"
            section.error("headers", "conflict", message, "leave it out")


def _transform(spec: Section) -> _Body | None:
    if spec.get("transform") is None:
        spec.error("transform", "missing_field", "a transform task needs a transform part")
        return None
    try:
        compiled = compile_transform(spec.mapping("transform"))
    except TransformError as error:
        where = inside(spec.at("transform"), error.path)
        spec.report.error(where, "bad_transform", error.message, error.hint)
        return None
    return _Body("transform", Effect.PURE, transform=compiled)


def _python(spec: Section, known: Known) -> _Body | None:
    section = spec.section("python", ("function",))
    name = section.text("function")
    if not name:
        section.error("function", "missing_field", "a python task names a registered function")
        return None
    if known.strict and name not in known.functions:
        hint = spec.report.nearest(name, known.functions) or "register it before the folder is read"
        message = f"no function {shorten(name)!r} is registered"
        section.error("function", "unknown_function", message, hint)
    return _Body("python", known.functions.get(name, Effect.MUTATION), python=name)


def _sleep(spec: Section) -> _Body | None:
    section = spec.section("sleep", ("duration", "until"))
    given = [key for key in ("duration", "until") if section.get(key) is not None]
    if len(given) != 1:
        section.error("duration", "missing_field", "a sleep needs either a duration or until")
        return None
    template = read_template(spec.report, section.path, dict(section.value), TASK_ROOTS)
    if given == ["duration"] and template.constant:
        try:
            parse_duration(section.text("duration"))
        except ValueError as error:
            section.error("duration", "bad_duration", str(error))
    return _Body("sleep", Effect.PURE, sleep=template)


def _workflow(spec: Section, known: Known, home: str) -> _Body | None:
    reference = find_workflow(spec, "workflow", known, home)
    if reference is None:
        return None
    effect = known.workflows[(reference.namespace, reference.name)]
    return _Body("workflow", effect, workflow=reference)


def _effect(spec: Section, body: _Body, operation: Operation | None) -> Effect:
    declared = declared_effect(spec)
    rule = body.rule if operation is None else operation.effect
    if declared is None:
        return rule
    if body.type == "http" and declared is Effect.PURE:
        spec.error("effect", "bad_effect", "a call to another system is never pure", "write read")
    if STRENGTH[declared] >= STRENGTH[rule]:
        return declared
    if (operation is not None and operation.firm) or body.type == "workflow":
        of = "its steps" if body.type == "workflow" else "the connector"
        message = f"{declared} contradicts {of}, where it is {rule}; {rule} counts"
        spec.warn("effect", "contradiction", message, "remove effect here")
        return strongest(declared, rule)
    what = f"a {body.http.method}" if body.http is not None else f"a {body.type} task"
    spec.warn(
        "effect",
        "weak_effect",
        f"{what} is declared {declared}, weaker than the rule, which is {rule}",
        "workflows that use it wait for a person's acceptance all the same",
    )
    return declared
