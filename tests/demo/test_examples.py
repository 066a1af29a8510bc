"""The example workflows: documents without a fault that do on the demo what they say."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Settings, open_engine
from engine.app.engine import Engine
from engine.core.definition import parse_documents
from engine.core.model import Effect, Workflow
from engine.core.schema import explain
from engine.core.views import RunView
from engine.shell.load import load_folder
from mcp_server.demo import Demo
from mcp_server.places import find

SECONDS = 20.0
FOLDER = find("resources") / "examples" / "demo"
CATALOGUE = parse_documents(load_folder(FOLDER).documents, {})
WORKFLOWS = {name: workflow for (_, name), workflow in CATALOGUE.workflows.items()}
READING = {name: flow for name, flow in WORKFLOWS.items() if flow.effect is not Effect.MUTATION}
CHANGING = {"place-order", "refund-order", "notify-customer"}
QUICK = {"rest": "10ms", "milliseconds": 10}


@asynccontextmanager
async def shop(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with the example documents and a demo of its own, on any free port."""
    demo = Demo(tmp_path, port=0)
    try:
        address = await demo.ensure()
        settings = Settings(
            database=str(tmp_path / "handrail.db"),
            folders=(FOLDER,),
            allowed_hosts=frozenset({("127.0.0.1", int(address.rpartition(":")[2]))}),
            connectors={"demo": f"http://{address}"},
        )
        async with open_engine(settings) as engine:
            yield engine
    finally:
        await demo.close()


async def finished(engine: Engine, name: str, given: dict[str, Any]) -> RunView:
    run = await engine.start(name, given)
    return await engine.wait(run.id, SECONDS)


# -- as documents ------------------------------------------------------------------------------


def test_the_folder_loads_without_an_error_or_a_warning() -> None:
    assert load_folder(FOLDER).problems == ()
    assert CATALOGUE.problems == ()
    assert len(WORKFLOWS) == 12
    assert {name for name in WORKFLOWS if name not in READING} == CHANGING


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_every_example_says_what_it_is_for(workflow: Workflow) -> None:
    assert len(workflow.description) > 40
    assert workflow.categories
    assert workflow.tags
    assert workflow.examples
    for example in workflow.examples:
        assert explain(workflow.input_schema, dict(example.input)) == ((), ())
    for part in workflow.input_schema["properties"].values():
        assert len(part["description"]) > 10


def test_every_task_says_what_it_does_and_is_used_by_a_workflow() -> None:
    used = {step_task for flow in WORKFLOWS.values() for step_task in _tasks(flow)}
    for (_, name), task in CATALOGUE.tasks.items():
        assert task.description, name
        assert task.category, name
    assert {name for _, name in CATALOGUE.tasks} <= used


def _tasks(workflow: Workflow) -> set[str]:
    found = set()
    for step in workflow.steps:
        found |= {getattr(step.target, "name", "")}
        found |= {case.target.name for case in step.switch.cases} if step.switch else set()
        found |= {step.fallback.target.name} if step.fallback else set()
    return found


# -- at work -----------------------------------------------------------------------------------


async def test_the_profile_of_user_three_is_what_the_dialogue_says(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        run = await finished(engine, "user-profile", {"userId": "3"})
    assert run.status == "completed"
    assert run.output["name"] == "Clementine Bauch"
    assert run.output["email"] == "Nathan@yesenia.net"


async def test_every_reading_example_runs_to_its_end(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        for name, workflow in READING.items():
            for example in workflow.examples:
                given = QUICK if name == "slow-report" else dict(example.input)
                run = await finished(engine, name, given)
                assert (name, run.status, run.failure) == (name, "completed", None)
                assert run.output, name
                expected = example.expected_output or {}
                assert {key: run.output[key] for key in expected} == expected


async def test_what_changes_the_shop_waits_and_can_be_tried_dry(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        pending = {info.name for info in engine.workflows() if info.pending}
        assert pending == CHANGING
        for name in CHANGING:
            for example in WORKFLOWS[name].examples:
                plan = await engine.dry_run(name, dict(example.input))
                assert plan.valid
                assert plan.mutations >= 1


async def test_customers_are_routed_by_tier(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        gold = (await finished(engine, "vip-routing", {"userId": "3"})).output
        silver = (await finished(engine, "vip-routing", {"userId": "2"})).output
        standard = (await finished(engine, "vip-routing", {"userId": "4"})).output
    assert len(gold["routed"]["orders"]) == 3
    assert gold["lookedCloser"] is True
    assert silver["routed"]["memberSince"]
    assert standard["routed"]["channel"]
    assert standard["lookedCloser"] is False


async def test_missing_stock_is_named(tmp_path: Path) -> None:
    items = [{"productId": f"prod-{number}"} for number in range(1, 9)]
    async with shop(tmp_path) as engine:
        output = (await finished(engine, "stock-check-many", {"items": items})).output
    assert output["allAvailable"] is False
    assert [each["productId"] for each in output["missing"]] == ["prod-3"]
    assert [each["productId"] for each in output["stock"]] == [item["productId"] for item in items]


async def test_an_unknown_user_fails_for_good_and_says_so(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        run = await finished(engine, "user-profile", {"userId": "99/../3"})
    assert run.failure is not None
    assert (run.failed_step, run.failure.code) == ("get-profile", "http_404")


async def test_a_slow_report_gives_its_id_before_it_is_done(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        run = await engine.start("slow-report", {"rest": "9m"})
        run = await engine.wait(run.id, 0.2)
        assert run.status == "paused:timer"
        assert run.ended_at is None
        await engine.cancel(run.id, actor="test")


@pytest.mark.requirement("success-rate")
async def test_nineteen_of_twenty_runs_of_a_mixed_load_succeed(tmp_path: Path) -> None:
    jobs = [
        (name, QUICK if name == "slow-report" else dict(example.input))
        for name, workflow in READING.items()
        for example in workflow.examples
    ]
    async with shop(tmp_path) as engine:
        load = [jobs[number % len(jobs)] for number in range(200)]
        runs = await asyncio.gather(*(finished(engine, *job) for job in load))
    outcomes = Counter(run.status for run in runs)
    assert outcomes["completed"] >= 190, outcomes
    quotes = [run.output["source"] for run in runs if run.workflow == "resilient-quote"]
    assert quotes
    assert set(quotes) <= {"live", "list"}
