"""Prompts from files: front matter that says what they are, a body with declared placeholders.

A body may contain `{{name}}` only for an argument that its front matter declares; whatever else
stands between double braces is a mistake of the file and stops the server from being built.
Arguments are put in once and never looked at again, so what they contain cannot become a
placeholder. The file format is a small, strict part of YAML, read here without a YAML library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.prompts.base import Message, Prompt, PromptArgument, UserMessage
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from mcp_server.arguments import nearest
from mcp_server.foreign import message
from mcp_server.places import find

LONGEST = 4_000
"""Characters taken of an argument."""
ABSENT = "(not given)"

_FILE = re.compile(r"---\n(?P<head>.*?)\n---\n(?P<body>.*)", re.DOTALL)
_FIELD = re.compile(r"(?P<key>name|title|description): (?P<value>\S.*)")
_ARGUMENT = re.compile(r"  - (?P<name>[A-Za-z]\w*)(?P<required> \(required\))?: (?P<said>\S.*)")
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt as its file describes it."""

    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]
    body: str

    def filled(self, given: Mapping[str, str]) -> str:
        """The body with `given` put in, in one pass."""
        return _PLACEHOLDER.sub(lambda found: _shown(given.get(found[1])), self.body)


def parse(text: str, source: str) -> PromptFile:
    """Read a prompt file. Raises ValueError, naming `source`, for anything out of place."""
    parts = _FILE.fullmatch(text)
    if parts is None:
        raise ValueError(f"{source}: a prompt begins with front matter between two lines of ---")
    fields, arguments = _head(parts["head"], source)
    declared = {argument.name for argument in arguments}
    for placeholder in _PLACEHOLDER.findall(parts["body"]):
        if placeholder not in declared:
            raise ValueError(f"{source}: {{{{{placeholder}}}}} is not a declared argument")
    try:
        return PromptFile(
            fields["name"], fields["title"], fields["description"], arguments, parts["body"].strip()
        )
    except KeyError as missing:
        raise ValueError(f"{source}: the front matter lacks {missing}") from None


def _head(text: str, source: str) -> tuple[dict[str, str], tuple[PromptArgument, ...]]:
    fields: dict[str, str] = {}
    arguments: list[PromptArgument] = []
    listing = False
    for line in text.splitlines():
        found = _ARGUMENT.fullmatch(line) if listing else _FIELD.fullmatch(line)
        if found is None and line == "arguments:" and not listing:
            listing = True
        elif found is None:
            raise ValueError(f"{source}: front matter cannot contain {line!r}")
        elif listing:
            needed = found["required"] is not None
            arguments.append(
                PromptArgument(name=found["name"], description=found["said"], required=needed)
            )
        else:
            fields[found["key"]] = found["value"]
    return fields, tuple(arguments)


def load(folder: Path) -> tuple[PromptFile, ...]:
    """Every prompt of a folder, by file name."""
    paths = sorted(folder.glob("*.md"))
    return tuple(parse(path.read_text("utf-8"), path.name) for path in paths)


def register(server: MCPServer[Any]) -> None:
    """Register every prompt on the server; an unknown one is refused with the nearest."""
    for prompt in load(find("prompts")):
        server.add_prompt(_FilePrompt.of(prompt))
    server.middleware.append(partial(_known, server))


async def _known(server: MCPServer[Any], ctx: Any, call_next: CallNext) -> HandlerResult:
    if ctx.method == "prompts/get":
        asked = str((ctx.params or {}).get("name", ""))
        names = [prompt.name for prompt in await server.list_prompts()]
        if asked not in names:
            near = nearest(asked, names)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
            raise MCPError(INVALID_PARAMS, f"There is no prompt {asked[:60]!r}. {hint}")
    return await call_next(ctx)


class _FilePrompt(Prompt):
    """A prompt of the SDK that is rendered from its file; wrong arguments are said in words."""

    file: PromptFile

    @classmethod
    def of(cls, prompt: PromptFile) -> "_FilePrompt":
        return cls(
            name=prompt.name,
            title=prompt.title,
            description=prompt.description,
            arguments=list(prompt.arguments),
            fn=lambda: prompt.body,
            context_kwarg=None,
            file=prompt,
        )

    async def render(self, arguments: dict[str, Any] | None, context: Any) -> list[Message]:
        given = arguments or {}
        wrong = [f"{name} is missing" for name in self._required() if not given.get(name)]
        known = {argument.name for argument in self.file.arguments}
        wrong += [f"there is no argument {name[:60]!r}" for name in given if name not in known]
        if wrong:
            takes = ", ".join(argument.name for argument in self.file.arguments)
            raise MCPError(INVALID_PARAMS, f"{'; '.join(wrong)}. {self.name} takes: {takes}.")
        return [UserMessage(self.file.filled(given))]

    def _required(self) -> list[str]:
        return [argument.name for argument in self.file.arguments if argument.required]


def _shown(value: str | None) -> str:
    return message(value, LONGEST) if value else ABSENT
