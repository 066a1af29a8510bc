"""The platform's own documents, unchanged: the reading ones run, the others are dry-run.

They call http://localhost:5100, so a stand-in for that service listens there while a test runs.
The documents carry no licence and are not part of this project: where their folder is missing
these tests say so and are skipped.
"""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine import Engine, Gated, Settings, open_engine
from tests.platform.test_platform_documents import PLATFORM
from tests.platform.till import ROUTES

pytestmark = pytest.mark.skipif(
    not PLATFORM.is_dir(), reason=f"the platform's documents are not at {PLATFORM}"
)

PORT = 5100
PATIENCE = 60
"""Seconds that the port is waited for."""
ORDERS = {
    "orders": [
        {"orderId": "o-1", "total": 150.0, "status": "active", "items": []},
        {"orderId": "o-2", "total": 20.0, "status": "closed", "items": []},
    ]
}
TIERS = {"1": "gold", "2": "bronze"}


def user(request: Request) -> Response:
    number = request.path_params["id"]
    if number == "404":
        return JSONResponse({"error": "no such user"}, 404)
    return JSONResponse(
        {
            "id": number,
            "name": f"User {number}",
            "email": f"u{number}@example.com",
            "creditLimit": 100.5,
            "tier": TIERS.get(number, "none"),
        }
    )


def answer(value: Any) -> Any:
    async def endpoint(request: Request) -> Response:
        return JSONResponse({**value, "id": request.path_params["id"]})

    return endpoint


APP = Starlette(
    routes=[
        Route("/api/users/{id}", user),
        Route("/api/users/{id}/orders", answer(ORDERS)),
        Route("/api/users/{id}/profile", answer({"bio": "hello"})),
        Route("/api/users/{id}/preferences", answer({"theme": "dark"})),
        Route("/api/orders/{id}", answer({"total": 150.0, "status": "express"})),
        Route("/api/orders/{id}/invoice", answer({"invoice": "i-1"})),
        Route("/api/orders/{id}/calculate-total", answer({"total": 162.5})),
        *ROUTES,
    ]
)


def listening() -> socket.socket:
    """A socket at that address, as soon as the other module that serves there has done with it."""
    end = time.monotonic() + PATIENCE
    while True:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
            listener.listen()  # until then another might bind to it, too
        except OSError:
            listener.close()
        else:
            return listener
        if time.monotonic() > end:
            pytest.skip(f"port {PORT}, which the documents name, is taken on this machine")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def stand_in() -> Generator[None]:
    """The service at the address that the documents name."""
    listener = listening()
    server = uvicorn.Server(uvicorn.Config(APP, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield
    server.should_exit = True
    thread.join(10)
    listener.close()


@asynccontextmanager
async def platform(tmp_path: Path) -> Any:
    settings = Settings(
        str(tmp_path / "h.db"), (PLATFORM,), allowed_hosts=frozenset({("localhost", PORT)})
    )
    async with open_engine(settings) as engine:
        yield engine


async def run(engine: Engine, name: str, given: Any) -> Any:
    ended = await engine.wait((await engine.start(name, given)).id, 20)
    assert ended.status == "completed", ended.failure
    return ended


async def test_every_document_loads_without_an_error(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        assert [p for p in engine.problems() if p.severity == "error"] == []
        names = {info.name for info in engine.workflows()}
        assert {"data-chaining", "diamond-pattern", "switch-demo", "transform-demo"} <= names


@pytest.mark.usefixtures("stand_in")
async def test_data_goes_from_task_to_task(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        ended = await run(engine, "data-chaining", {"userId": "1"})
        assert ended.output["userName"] == "User 1"
        assert ended.output["orders"]["orders"] == ORDERS["orders"]
        assert ended.output["profile"] == {"bio": "hello", "id": "1"}
        assert [step.status for step in ended.steps] == ["done"] * 4


@pytest.mark.usefixtures("stand_in")
async def test_an_order_is_looked_up_on_two_branches(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        ended = await run(engine, "order-lookup", {"orderId": "7"})
        assert ended.output["calculatedTotal"] == 162.5
        assert ended.output["invoice"]["invoice"] == "i-1"


@pytest.mark.usefixtures("stand_in")
async def test_transforms_work_on_what_was_fetched(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        ended = await run(engine, "transform-demo", {"userId": "1"})
        assert ended.output["originalOrders"]["orders"] == ORDERS["orders"]
        assert {step.status for step in ended.steps} == {"done"}


@pytest.mark.usefixtures("stand_in")
async def test_a_user_who_is_not_there_ends_the_run_with_the_step_and_the_code(
    tmp_path: Path,
) -> None:
    async with platform(tmp_path) as engine:
        started = await engine.start("data-chaining", {"userId": "404"})
        ended = await engine.wait(started.id, 20)
        assert ended.failure is not None
        assert (ended.failed_step, ended.failure.code) == ("fetch-user", "http_404")


MUTATING = {
    "diamond-pattern": {"userId": "1"},
    "conditional-demo": {"orderId": "1", "skipPayment": True, "notifyUser": False},
    "foreach-parallel-demo": {"userIds": ["1", "2"]},
    "switch-demo": {"userId": "1", "paymentMethod": "invoice", "notificationType": "sms"},
    "retry-fail-once": {},
}


@pytest.mark.parametrize("name", MUTATING)
async def test_what_changes_systems_is_dry_run_and_never_run(tmp_path: Path, name: str) -> None:
    async with platform(tmp_path) as engine:
        with pytest.raises(Gated) as gated:
            await engine.start(name, MUTATING[name])
        assert gated.value.approval.kind == "version.accept"
        plan = await engine.dry_run(name, MUTATING[name])
        assert plan.valid
        assert plan.mutations >= 1


async def test_a_dry_run_takes_the_branches_that_the_input_decides(tmp_path: Path) -> None:
    async with platform(tmp_path) as engine:
        switch = await engine.dry_run("switch-demo", MUTATING["switch-demo"])
        steps = {step.id: step for step in switch.steps}
        assert steps["payment-router"].target.endswith("createorder")
        assert steps["notification-router"].target.endswith("sendpush")
        assert "depends" in steps["tier-router"].reason
        conditional = await engine.dry_run("conditional-demo", MUTATING["conditional-demo"])
        would = {step.id: step.would for step in conditional.steps}
        assert would["process-payment"] == "skip"
        assert would["send-notification"] == "skip"
        assert would["high-value-approval"] == "depends"
        diamond = await engine.dry_run("diamond-pattern", MUTATING["diamond-pattern"])
        assert diamond.groups[1] == ("check-inventory", "get-orders")


async def test_the_same_folder_is_served_twice_without_a_new_version(tmp_path: Path) -> None:
    for _ in range(2):
        async with platform(tmp_path) as engine:
            versions = [info.version for info in engine.workflows()]
            assert set(versions) == {"1.0.0"}
