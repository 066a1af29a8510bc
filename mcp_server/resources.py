"""Resources: workflows and runs by their own addresses, tool schemas, and the files in resources/.

`workflow://{name}` is a workflow of the namespace `default`; `workflow://{namespace}/{name}` is
any. `/schema` after either gives the input schema, so a workflow that is itself called `schema`
inside a namespace is reached only if no workflow has the namespace's name. A name is checked
before anything is looked up: what does not look like a name does not exist, however it is encoded.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resources import FileResource, TextResource
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from engine import Refused
from mcp_server import wire
from mcp_server.arguments import nearest
from mcp_server.calls import Tool
from mcp_server.door import Door
from mcp_server.foreign import dumped
from mcp_server.places import find

JSON = "application/json"
_KINDS = {
    ".md": "text/markdown",
    ".json": JSON,
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_SERVED = ("guides", "schemas", "examples")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_MOST = 100
"""The protocol's limit on completion values."""


def register(server: MCPServer[Any], door: Door, tools: Sequence[Tool]) -> None:
    """Register every resource on the server."""
    _register_workflows(server, door)
    _register_namespaced(server, door)
    _register_runs(server, door)
    _register_impact(server, door)
    _register_schemas(server, tools)
    for resource in files(find("resources")):
        server.add_resource(resource)


def _register_workflows(server: MCPServer[Any], door: Door) -> None:
    @server.resource(
        "workflow://{name}",
        name="workflow",
        title="A workflow",
        description="What a workflow needs, does and returns.",
        mime_type=JSON,
    )
    async def workflow(name: str) -> str:
        return await _details(door, _checked(name))

    @server.resource(
        "workflow://{name}/schema",
        name="workflow-schema",
        title="Input schema of a workflow",
        description="The JSON Schema of a workflow's input.",
        mime_type=JSON,
    )
    async def schema(name: str) -> str:
        try:
            return await _input_schema(door, _checked(name))
        except ResourceNotFoundError:
            return await _details(door, f"{_checked(name)}/schema")


def _register_namespaced(server: MCPServer[Any], door: Door) -> None:
    @server.resource(
        "workflow://{namespace}/{name}",
        name="workflow-in-namespace",
        title="A workflow in a namespace",
        description="What a workflow of another namespace needs, does and returns.",
        mime_type=JSON,
    )
    async def namespaced(namespace: str, name: str) -> str:
        return await _details(door, f"{_checked(namespace)}/{_checked(name)}")

    @server.resource(
        "workflow://{namespace}/{name}/schema",
        name="workflow-schema-in-namespace",
        title="Input schema of a workflow in a namespace",
        description="The JSON Schema of the input of a workflow of another namespace.",
        mime_type=JSON,
    )
    async def namespaced_schema(namespace: str, name: str) -> str:
        return await _input_schema(door, f"{_checked(namespace)}/{_checked(name)}")


def _register_runs(server: MCPServer[Any], door: Door) -> None:
    @server.resource(
        "run://{id}",
        name="run",
        title="A run",
        description="Everything about a run: input, output, every step and every attempt.",
        mime_type=JSON,
    )
    async def run(id: str) -> str:
        try:
            view = await (await door.engine()).run(id)
        except Refused as refused:
            raise _not_found(refused) from None
        return dumped({**wire.run(view, full=True, whole=True)})


def _register_impact(server: MCPServer[Any], door: Door) -> None:
    @server.resource(
        "impact://{kind}/{name}",
        name="blast-radius",
        title="Blast radius",
        description="All that a change of a task, workflow or connector concerns, at any depth.",
        mime_type=JSON,
    )
    async def impact(kind: str, name: str) -> str:
        return await _radius(door, _checked(kind), _checked(name))

    @server.resource(
        "impact://{kind}/{namespace}/{name}",
        name="blast-radius-in-namespace",
        title="Blast radius in a namespace",
        description="All that a change of something in another namespace concerns.",
        mime_type=JSON,
    )
    async def namespaced_impact(kind: str, namespace: str, name: str) -> str:
        return await _radius(door, _checked(kind), f"{_checked(namespace)}/{_checked(name)}")


async def _radius(door: Door, kind: str, name: str) -> str:
    try:
        engine = await door.fresh()
        view = await engine.impact.blast_radius(name, kind, depth=0)
        return dumped(wire.blast_radius(view, "flat"))
    except Refused as refused:
        raise _not_found(refused) from None


def _register_schemas(server: MCPServer[Any], tools: Sequence[Tool]) -> None:
    known = {tool.name: tool for tool in tools}

    @server.resource(
        "schema://tool/{name}",
        name="tool-schema",
        title="Schemas of a tool",
        description="The input schema and the full output schema of a tool.",
        mime_type=JSON,
    )
    async def tool_schema(name: str) -> str:
        tool = known.get(name)
        if tool is None:
            near = nearest(name, known)
            said = f" Did you mean {near[0]}?" if near else ""
            raise ResourceNotFoundError(f"There is no such tool.{said}")
        return dumped({"name": name, "inputSchema": tool.takes, "outputSchema": tool.gives})


async def _details(door: Door, name: str) -> str:
    view = await _view(door, name)
    return dumped(wire.details(view, full=True))


async def _input_schema(door: Door, name: str) -> str:
    view = await _view(door, name)
    return dumped(dict(view.input_schema))


def _checked(part: str) -> str:
    """A variable of a template is one part of a name; an encoded slash does not make it two."""
    if not _NAME.fullmatch(part):
        raise ResourceNotFoundError("This is not the name of a workflow.")
    return part


async def _view(door: Door, name: str) -> Any:
    try:
        return await (await door.fresh()).details(name)
    except Refused as refused:
        raise _not_found(refused) from None


def _not_found(refused: Refused) -> Exception:
    facts = wire.refused(refused)
    return ResourceNotFoundError(f"{facts['message']} {facts.get('hint', '')}".strip())


def files(folder: Path) -> Iterable[FileResource | TextResource]:
    """The files that are served as they are: guides, the documents' schemas, examples."""
    for part in _SERVED:
        for path in sorted((folder / part).rglob("*")):
            kind = _KINDS.get(path.suffix)
            if kind is None or not path.is_file():
                continue
            address = path.relative_to(folder).as_posix()
            uri = address.removesuffix(".md")
            yield FileResource(
                uri=f"handrail://{uri}",
                name=uri,
                title=_title(path, part),
                description=_PURPOSES[part],
                mime_type=kind,
                path=path,
                encoding="utf-8",
            )


_PURPOSES = {
    "guides": "A guide to writing and running workflows.",
    "schemas": "The JSON Schema of a document.",
    "examples": "An example document to start from.",
}


def _title(path: Path, part: str) -> str:
    words = path.name.split(".")[0].replace("-", " ").replace("_", " ")
    return words.capitalize() if part == "guides" else f"{part.removesuffix('s')}: {words}"


def complete(server: MCPServer[Any], door: Door, tools: Sequence[Tool]) -> None:
    """Complete the variables of the templates and the arguments of the prompts."""

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # not typed in the SDK
    async def completion(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        values = await _values(ref, argument.name, context, door, tools)
        near = [value for value in values if argument.value.casefold() in value.casefold()]
        near.sort(key=lambda value: not value.casefold().startswith(argument.value.casefold()))
        return Completion(values=near[:_MOST], total=len(near), has_more=len(near) > _MOST)


async def _values(
    ref: PromptReference | ResourceTemplateReference,
    name: str,
    context: CompletionContext | None,
    door: Door,
    tools: Sequence[Tool],
) -> list[str]:
    template = ref.uri if isinstance(ref, ResourceTemplateReference) else ""
    if template.startswith("schema://"):
        return [tool.name for tool in tools]
    if name in {"id", "runId"}:
        page = await (await door.engine()).runs(limit=_MOST)
        return [row.id for row in page.rows]
    if name not in {"name", "namespace", "workflow"}:
        return []
    known = (await door.fresh()).names()
    if name == "namespace":
        return sorted({namespace for namespace, _ in known})
    if "{namespace}" in template:
        wanted = (context.arguments or {}).get("namespace", "default") if context else "default"
        return [own for namespace, own in known if namespace == wanted]
    if template:
        return [own for namespace, own in known if namespace == "default"]
    return [wire.called(*key) for key in known]
