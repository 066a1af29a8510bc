"""The demo connector declares nothing about its shop that the shop does not do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from engine.core.connector import Operation
from engine.core.definition import parse_documents
from engine.core.documents.declarations import COMPARISONS
from engine.core.lookup import asked, found, guarded
from engine.core.model import Effect
from engine.core.request import Request, build
from engine.core.schema import is_valid
from engine.shell.load import load_folder
from mcp_server.demo.service import build as build_service
from mcp_server.demo.world import World
from mcp_server.places import find

NOW = 1_795_255_200_000_000
BASES = {"demo": "http://127.0.0.1:8766"}
CATALOGUE = parse_documents(load_folder(find("resources") / "examples" / "demo").documents, {})
OPERATIONS = CATALOGUE.connectors[("demo", "demo")].operations
CHANGING = {name: each for name, each in OPERATIONS.items() if each.effect is Effect.MUTATION}
INPUTS: dict[str, dict[str, Any]] = {
    "create-order": {"userId": "3", "items": [{"productId": "prod-1", "quantity": 2}]},
    "take-payment": {"userId": "3", "orderId": "ord-1002", "amount": 12.5},
    "refund-payment": {"paymentId": "pay-1", "amount": 2},
    "send-message": {"userId": "3", "message": "hello"},
}
KEPT = {
    "create-order": ("/api/orders", "orders"),
    "take-payment": ("/api/payments", "payments"),
    "refund-payment": ("/api/refunds", "refunds"),
    "send-message": ("/api/notifications", "notifications"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[TestClient]:
    world = World(tmp_path / "world.sqlite3", 8766, "w")
    client = TestClient(
        build_service(world, lambda: NOW), BASES["demo"], raise_server_exceptions=False
    )
    with client:
        client.post("/api/payments/process", json={"userId": "3", "amount": 50})
        yield client
    world.close()


def send(shop: TestClient, request: Request) -> Any:
    answer = shop.request(
        request.method, request.url, headers=dict(request.headers), content=request.body
    )
    return answer.json() if answer.status_code == 200 else answer.status_code


def call(shop: TestClient, operation: Operation, given: Any, key: str = "") -> Any:
    return send(shop, build(operation.http, {"input": given}, BASES, key))


def kept(shop: TestClient, name: str) -> int:
    path, field = KEPT[name]
    return len(shop.get(path).json()[field])


@pytest.mark.requirement("gate-demo-honest")
def test_every_change_of_the_demo_is_declared_and_tried_here() -> None:
    assert CHANGING.keys() == INPUTS.keys()
    for operation in CHANGING.values():
        assert operation.firm
        assert operation.declared.verb
        assert operation.declared.compare_and_set in COMPARISONS


@pytest.mark.parametrize("name", CHANGING)
def test_a_second_send_does_what_is_declared(shop: TestClient, name: str) -> None:
    operation, before = CHANGING[name], kept(shop, name)
    first, again = (call(shop, operation, INPUTS[name], "k1") for _ in range(2))
    assert operation.output_schema is not None
    assert is_valid(operation.output_schema, first)
    honoured = operation.declared.idempotency.kind == "key"
    assert kept(shop, name) - before == (1 if honoured else 2)
    assert (first == again) is honoured


@pytest.mark.parametrize("name", [n for n in CHANGING if OPERATIONS[n].declared.lookup])
def test_a_lookup_finds_this_very_call_and_no_other(shop: TestClient, name: str) -> None:
    operation = CHANGING[name]
    lookup = operation.declared.lookup
    assert lookup is not None

    def look(key: str) -> tuple[str, Any]:
        scope = {"input": INPUTS[name], "key": key}
        answer = send(shop, build(lookup.http, {"input": asked(lookup.read, scope)}, BASES))
        return found(lookup, answer, scope)

    assert look("k1") == ("no", None)
    output = call(shop, operation, INPUTS[name], "k1")
    assert look("k2") == ("no", None)
    verdict, result = look("k1")
    assert verdict == "yes"
    assert operation.output_schema is not None
    assert is_valid(operation.output_schema, result)
    assert {field: result[field] for field in operation.output_schema["properties"]} == {
        field: output[field] for field in operation.output_schema["properties"]
    }


@pytest.mark.parametrize("name", [n for n in CHANGING if OPERATIONS[n].declared.atomic_5xx])
def test_a_5xx_left_nothing_behind(
    shop: TestClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise HTTPException(500, "out of order")

    monkeypatch.setattr(World, "count", breaks)  # numbers are given after other things changed
    before = (shop.get("/api/inventory/products").json(), shop.get("/api/payments").json())
    assert call(shop, CHANGING[name], INPUTS[name], "k1") == 500
    assert before == (shop.get("/api/inventory/products").json(), shop.get("/api/payments").json())
    monkeypatch.undo()
    assert kept(shop, name) == (10 if name == "create-order" else 1 if "take" in name else 0)


def test_what_is_reversible_is_reversed_by_the_operation_it_names(shop: TestClient) -> None:
    undo = CHANGING[CHANGING["take-payment"].declared.undo]
    payment = call(shop, CHANGING["take-payment"], INPUTS["take-payment"], "k1")
    assert call(shop, undo, {"paymentId": payment["id"]})["status"] == "refunded"


def test_a_refund_by_somebody_else_is_seen_before_ours(shop: TestClient) -> None:
    precondition = CHANGING["refund-payment"].declared.precondition
    assert precondition is not None
    scope = {"input": INPUTS["refund-payment"]}

    def look() -> Any:
        answer = send(shop, build(precondition.http, scope, BASES))
        return guarded(precondition, answer, scope)

    before = look()
    assert before == look() == {"refunded": 0, "status": "completed"}
    call(shop, CHANGING["refund-payment"], {"paymentId": "pay-1", "amount": 1})
    assert look() != before


def test_a_key_that_was_used_for_something_else_is_refused(shop: TestClient) -> None:
    call(shop, CHANGING["take-payment"], INPUTS["take-payment"], "k1")
    other = {**INPUTS["take-payment"], "amount": 13}
    assert call(shop, CHANGING["take-payment"], other, "k1") == 422
    call(shop, CHANGING["refund-payment"], INPUTS["refund-payment"], "r1")
    second = {"paymentId": "pay-2", "amount": 2}
    assert call(shop, CHANGING["refund-payment"], second, "r1") == 422
