"""Tools that find out which workflows there are and how one is run. They change nothing."""

from typing import TYPE_CHECKING, Any

from mcp_server import prose, prose_match, wire
from mcp_server.calls import READS, Call, Tool, argument, tool
from mcp_server.narrowing import FILTERS, SEARCHED, TASK_FILTERS, filter_of, searched
from mcp_server.paging import behind, onward
from mcp_server.shapes import DETAILS, MATCHES, PROBLEM, TASK, WORKFLOW, listing
from mcp_server.shapes import page as page_of

if TYPE_CHECKING:
    from engine.app.engine import Engine

_NOTHING = "No workflow matches. Without filters, list_workflows shows all of them."
_NO_FOLDER = "There are no workflows: the server was started without a folder of documents."
_CURSOR = argument("string", "", default="", maxLength=1000)
_MOST_PROBLEMS = 20


def limit(default: int, most: int) -> dict[str, Any]:
    """The argument that says how many."""
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


@tool(
    title="List workflows",
    hints=READS,
    takes={
        "cursor": _CURSOR,
        "limit": limit(20, 100),
        **FILTERS,
        "includeStats": argument("boolean", "Add how their newest runs went.", default=False),
    },
    gives=(page_of("workflows", WORKFLOW, problems=listing(PROBLEM)),),
)
async def list_workflows(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to see which workflows can be run, with their inputs, and which documents have
    problems. With a goal in mind, search_workflows is shorter.
    """
    given = call.arguments
    wanted, most = filter_of(given), given["limit"]
    about = ("list_workflows", wanted.key)
    found, total = engine.workflow_page(wanted, behind(given["cursor"], about), most + 1)
    cursor = onward(found, most, about)
    shown = [wire.workflow(info) for info in found[:most]]
    if given["includeStats"]:
        for each, info in zip(shown, found, strict=False):
            each["stats"] = wire.statistics(await engine.statistics.of(info.namespace, info.name))
    facts: wire.Json = {"status": "ok", "workflows": shown}
    facts |= {"total": total, **({"nextCursor": cursor} if cursor else {})}
    problems = engine.problems(_MOST_PROBLEMS)
    if problems and not given["cursor"]:
        facts["problems"] = [wire.problem(each) for each in problems]
    nothing = _NO_FOLDER if wanted.empty and not total else _NOTHING
    return wire.Answer(facts, prose.workflows(facts, nothing=nothing))


@tool(
    title="Search workflows",
    hints=READS,
    takes={
        "query": argument("string", "What the user wants, in words.", minLength=1, maxLength=500),
        "context": argument("object", 'What is known, such as {"userId": "3"}.', default={}),
        "autoExecute": argument("boolean", "May it run unasked?", default=False),
        "filters": SEARCHED,
        "limit": limit(5, 20),
    },
    needs=("query",),
    gives=(MATCHES,),
)
async def search_workflows(engine: "Engine", call: Call) -> wire.Answer:
    """Use this first when the user wants something done: finds workflows by words. bestMatch says
    which inputs are known, what is missing and the next call. It runs nothing.
    """
    given = call.arguments
    match = await engine.matching.match(
        given["query"], context=given["context"], auto=given["autoExecute"],
        wanted=searched(given["filters"]), limit=given["limit"],
    )  # fmt: skip
    shown = [{**wire.workflow(hit.info), "score": round(hit.score, 3), "why": hit.why}
             for hit in match.found.hits]  # fmt: skip
    facts: wire.Json = {"status": "ok", "workflows": shown, "total": len(shown)}
    best = (
        {"noGoodMatch": True} if match.best is None else {"bestMatch": wire.best_match(match.best)}
    )
    facts |= {**best, "nextStep": wire.next_step(match.best)}
    return wire.Answer(facts, prose_match.matches(facts, nothing=_NOTHING))


@tool(
    title="Get workflow details",
    hints=READS,
    takes={
        "workflow": argument("string", "", minLength=1, maxLength=300),
        "version": argument("string", "", default="", maxLength=64),
        "detail": argument(
            "string",
            "full adds the input schema, the versions and the document.",
            enum=["concise", "full"],
            default="concise",
        ),
    },
    needs=("workflow",),
    gives=(DETAILS,),
)
async def get_workflow_details(engine: "Engine", call: Call) -> wire.Answer:
    """Use this before running a workflow for the first time: what it needs, what it does step by
    step, what it changes outside, examples.
    """
    view = await engine.details(call.arguments["workflow"], call.arguments["version"])
    full = call.arguments["detail"] == "full"
    facts = {"status": "ok", **wire.details(view, full=full)}
    return wire.Answer(facts, prose.details(facts))


@tool(
    title="List tasks",
    hints=READS,
    takes={
        "cursor": _CURSOR,
        "limit": limit(30, 100),
        **TASK_FILTERS,
    },
    gives=(page_of("tasks", TASK),),
)
async def list_tasks(engine: "Engine", call: Call) -> wire.Answer:
    """Use this to see the building blocks of workflows: tasks, what they do and who uses them.
    A task is run through a workflow, never alone.
    """
    given = call.arguments
    wanted, most = filter_of(given), given["limit"]
    about = ("list_tasks", wanted.key)
    found, total = engine.task_page(wanted, behind(given["cursor"], about), most + 1)
    cursor = onward(found, most, about)
    facts: wire.Json = {"status": "ok", "tasks": [wire.task(each) for each in found[:most]]}
    facts |= {"total": total, **({"nextCursor": cursor} if cursor else {})}
    return wire.Answer(facts, prose.tasks(facts))


TOOLS: tuple[Tool, ...] = (list_workflows, search_workflows, get_workflow_details, list_tasks)
