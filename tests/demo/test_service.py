"""The demo service: a world that keeps its state and misbehaves by rules one can count on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mcp_server.demo.service import build
from mcp_server.demo.world import World

NOW = 1_795_255_200_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "world.sqlite3", 0, "w1")
    yield world
    world.close()


@pytest.fixture
def shop(world: World) -> Iterator[TestClient]:
    with TestClient(build(world, lambda: NOW), base_url="http://127.0.0.1:8766") as client:
        yield client


def got(shop: TestClient, path: str, status: int = 200) -> Any:
    answer = shop.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def sent(shop: TestClient, path: str, body: Any, status: int = 200, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = shop.post(path, json=body, headers=named)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_user_three_is_who_the_dialogue_says(shop: TestClient) -> None:
    profile = got(shop, "/api/users/3/profile")
    assert (profile["name"], profile["email"]) == ("Clementine Bauch", "Nathan@yesenia.net")
    assert set(got(shop, "/api/users/3")) == {"id", "name", "email", "creditLimit", "tier"}


def test_there_are_at_least_ten_users_with_preferences_and_orders(shop: TestClient) -> None:
    users = got(shop, "/api/users")["users"]
    assert [user["id"] for user in users] == [str(number) for number in range(1, 13)]
    for user in users:
        assert got(shop, f"/api/users/{user['id']}/preferences")["userId"] == user["id"]
        assert isinstance(got(shop, f"/api/users/{user['id']}/orders")["orders"], list)
    assert len(got(shop, "/api/users?tier=gold")["users"]) == 4


def test_orders_have_items_totals_statuses_and_invoices(shop: TestClient) -> None:
    orders = got(shop, "/api/orders")["orders"]
    for order in orders:
        items = order["items"]
        assert order["total"] == round(sum(i["price"] * i["quantity"] for i in items), 2)
        assert got(shop, f"/api/orders/{order['id']}/invoice")["total"] == order["total"]
    assert {order["status"] for order in orders} == {"active", "shipped", "express", "cancelled"}
    assert len(got(shop, "/api/orders?status=active&userId=3")["orders"]) == 1


def test_a_total_adds_tax_and_shipping(shop: TestClient) -> None:
    path = "/api/orders/ord-1003/calculate-total"
    assert got(shop, path)["total"] == 89.0
    assert got(shop, f"{path}?taxRate=0.2&shippingRate=0.1")["total"] == 115.7
    assert got(shop, f"{path}?taxRate=nine", 422)["error"]
    assert got(shop, f"{path}?taxRate=7", 422)["error"]


def test_stock_is_checked_one_by_one_and_in_bulk(shop: TestClient) -> None:
    assert got(shop, "/api/inventory/products/prod-2/stock?quantity=13")["available"] is False
    assert got(shop, "/api/inventory/products/prod-2/stock")["available"] is True
    assert len(got(shop, "/api/inventory/products")["products"]) == 8
    body = {"items": [{"productId": "prod-1", "quantity": 2}, {"productId": "prod-3"}]}
    assert sent(shop, "/api/inventory/bulk-check", body)["allAvailable"] is False
    checked = sent(shop, "/api/inventory/check", {"productIds": ["prod-1", "prod-3"]})
    assert [len(checked["available"]), len(checked["unavailable"])] == [1, 1]
    assert sent(shop, "/api/inventory/check", {"productId": "prod-1", "quantity": 1})["available"]


def test_an_order_takes_its_items_from_the_stock(shop: TestClient) -> None:
    body = {"userId": "3", "items": [{"productId": "prod-5", "quantity": 3}]}
    order = sent(shop, "/api/orders", body)
    assert (order["id"], order["total"], order["status"]) == ("ord-1011", 657.0, "active")
    assert order["createdAt"] == "2026-11-21T10:00:00Z"
    assert got(shop, "/api/orders/ord-1011") == order
    assert got(shop, "/api/inventory/products/prod-5/stock")["inStock"] == 1


def test_an_order_beyond_the_stock_changes_nothing(shop: TestClient) -> None:
    items = [{"productId": "prod-1", "quantity": 1}, {"productId": "prod-5", "quantity": 9}]
    sent(shop, "/api/orders", {"userId": "3", "items": items}, 409)
    assert got(shop, "/api/inventory/products/prod-1/stock")["inStock"] == 40
    assert len(got(shop, "/api/orders")["orders"]) == 10


def test_a_payment_under_the_same_key_is_made_once(shop: TestClient) -> None:
    body = {"orderId": "ord-1002", "userId": "3", "amount": 283.0}
    first = sent(shop, "/api/payments/process", body, Idempotency_Key="k1")
    again = sent(shop, "/api/payments/process", body, Idempotency_Key="k1")
    other = sent(shop, "/api/payments/process", body)
    assert first == again
    assert other["transactionId"] != first["transactionId"]
    assert got(shop, "/api/payments?idempotencyKey=k1")["payments"] == [first]
    assert got(shop, "/api/payments?idempotencyKey=k2")["payments"] == []


def test_a_payment_is_refunded_in_parts_and_never_beyond_its_amount(shop: TestClient) -> None:
    payment = sent(shop, "/api/payments/process", {"amount": 100})
    path = f"/api/payments/{payment['id']}/refund"
    assert sent(shop, path, {"amount": 40})["status"] == "partly_refunded"
    sent(shop, path, {"amount": 61}, 409)
    rest = sent(shop, path, {}, Idempotency_Key="r1")
    assert rest["amount"] == 60
    assert sent(shop, path, {}, Idempotency_Key="r1") == rest
    assert got(shop, "/api/refunds?idempotencyKey=r1")["refunds"] == [rest]
    assert got(shop, f"/api/payments/{payment['id']}")["status"] == "refunded"


def test_notifications_are_kept(shop: TestClient) -> None:
    answer = sent(shop, "/api/notifications/send", {"userId": "3", "message": "hello"})
    assert answer["recipient"] == "Nathan@yesenia.net"
    sent(shop, "/api/notifications/push", {"UserId": "3", "Title": "Done", "Body": "all of it"})
    kept = got(shop, "/api/notifications?userId=3")["notifications"]
    assert [each["message"] for each in kept] == ["hello", "Done: all of it"]


@pytest.mark.parametrize(
    "path",
    ["/api/users/99", "/api/orders/x", "/api/inventory/products/x", "/api/payments/x", "/nothing"],
)
def test_what_is_not_there_is_a_404(shop: TestClient, path: str) -> None:
    assert got(shop, path, 404)["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/orders", {}, 404),
        ("/api/orders", {"userId": "3"}, 422),
        ("/api/orders", {"userId": "3", "items": [{"productId": "prod-1", "quantity": 0}]}, 422),
        ("/api/orders", {"userId": "3", "items": ["prod-1"]}, 422),
        ("/api/orders", [], 422),
        ("/api/payments/process", {"amount": -1}, 422),
        ("/api/payments/process", {"amount": True}, 422),
        ("/api/payments/none/refund", {}, 404),
        ("/api/notifications/send", {"userId": "none"}, 404),
    ],
)
def test_wrong_requests_are_refused(shop: TestClient, path: str, body: Any, status: int) -> None:
    assert sent(shop, path, body, status)["error"]


def test_a_body_that_is_not_json_is_refused(shop: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    assert shop.post("/api/orders", content=b"{", headers=headers).status_code == 400
    assert shop.post("/api/orders", content=b"\xff", headers=headers).status_code == 400
    assert shop.post("/api/orders", data={"a": "b"}).status_code == 415


def test_flaky_endpoints_fail_by_rule(shop: TestClient) -> None:
    statuses = [shop.get("/api/flaky/every/3").status_code for _ in range(6)]
    assert statuses == [200, 200, 503, 200, 200, 503]
    assert [shop.get("/api/flaky/once/a").status_code for _ in range(3)] == [503, 200, 200]
    assert shop.get("/api/flaky/once/b").status_code == 503
    body = {"key": "c"}
    assert [sent(shop, "/api/retry/fail-once", body, s)["calls" if s == 200 else "error"]
            for s in (503, 200)]  # fmt: skip


def test_a_live_quote_gets_through_every_third_time(shop: TestClient) -> None:
    statuses = [shop.get("/api/quotes/live/prod-1").status_code for _ in range(6)]
    assert statuses == [503, 503, 200, 503, 503, 200]
    assert got(shop, "/api/quotes/list/prod-1")["source"] == "list"


def test_a_limited_endpoint_says_when_to_come_back(world: World) -> None:
    times = [NOW] * 6 + [NOW + 1_500_000, NOW + 2_000_000]
    with TestClient(build(world, lambda: times.pop(0)), base_url="http://127.0.0.1") as shop:
        answers = [shop.get("/api/limited") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429, 429, 200]
    assert [answer.headers.get("retry-after") for answer in answers[5:]] == ["2", "1", None]


def test_a_slow_endpoint_says_how_long_it_took(shop: TestClient) -> None:
    assert got(shop, "/api/slow?ms=1") == {"tookMs": 1}
    assert got(shop, "/api/slow?ms=soon", 422)["error"]


@pytest.mark.parametrize("host", ["evil.test", "localhost:evil.test", "127.0.0.1.evil.test", ""])
def test_a_browser_that_was_led_here_by_another_name_is_refused(
    shop: TestClient, host: str
) -> None:
    assert shop.get("/api/users/3", headers={"Host": host}).status_code == 403


def test_a_web_page_is_refused(shop: TestClient) -> None:
    answer = shop.get("/api/users/3", headers={"Origin": "http://127.0.0.1:3000"})
    assert answer.status_code == 403


def test_the_world_is_born_once_and_keeps_its_state(tmp_path: Path) -> None:
    file = tmp_path / "world.sqlite3"
    first = World(file, 8766, "w1")
    first.put("user", {"id": "3", "name": "Somebody else"})
    first.close()
    again = World(file, 9999, "w2")
    assert (again.id, again.port) == ("w1", 8766)
    assert again.get("user", "3") == {"id": "3", "name": "Somebody else"}
    again.close()
