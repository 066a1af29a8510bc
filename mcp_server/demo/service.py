"""The demo's HTTP surface: JSON in, JSON out, over one `World`.

What it answers is plain CRUD; what makes it useful is how it misbehaves on request: slow, flaky
by a rule that a test can count on, limited in rate. It listens on loopback only and answers only
to that name, so that a web page cannot talk to it through a browser. Mutations keep their state.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from json import JSONDecodeError
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.demo import shop
from mcp_server.demo.world import World

Now = Callable[[], int]
"""Microseconds since the epoch."""

LONGEST_SLOW_MS = 60_000
LIMITED_CALLS = 5
LIMITED_WINDOW = 2
"""A limited endpoint answers so many calls in so many seconds."""
_SECOND = 1_000_000

Answer = Any
Read = Callable[[World, Request], Answer]
Act = Callable[[World, Request, dict[str, Any], int], Answer]


def build(world: World, now: Now) -> ASGIApp:
    """The application that serves `world`."""
    routes = [
        Route("/health", _reading(world, _health)),
        *(Route(path, _reading(world, read)) for path, read in _READS),
        *(Route(path, _acting(world, now, act), methods=["POST"]) for path, act in _ACTS),
        Route("/api/slow", _slow),
        Route("/api/limited", partial(_limited, world, now)),
    ]
    handlers: dict[Any, Any] = {HTTPException: _refused}
    return _OnlyLocal(Starlette(routes=routes, exception_handlers=handlers))


def _health(world: World, _: Request) -> Answer:
    return {"world": world.id}


def _user(world: World, request: Request) -> Answer:
    user = shop.find(world, "user", request.path_params["id"])
    return {name: user[name] for name in ("id", "name", "email", "creditLimit", "tier")}


def _orders_of(world: World, request: Request) -> Answer:
    user = shop.find(world, "user", request.path_params["id"])
    return {"orders": world.all("order", userId=user["id"])}


def _thing(kind: str, world: World, request: Request) -> Answer:
    return shop.find(world, kind, request.path_params["id"])


def _list(kind: str, name: str, fields: tuple[str, ...], world: World, request: Request) -> Answer:
    wanted = {field: request.query_params.get(field) for field in fields}
    return {name: world.all(kind, **wanted)}


def _profile(world: World, request: Request) -> Answer:
    return shop.profile(shop.find(world, "user", request.path_params["id"]))


def _preferences(world: World, request: Request) -> Answer:
    return shop.preferences(shop.find(world, "user", request.path_params["id"]))


def _invoice(world: World, request: Request) -> Answer:
    return shop.invoice(shop.find(world, "order", request.path_params["id"]))


def _sum(world: World, request: Request) -> Answer:
    order = shop.find(world, "order", request.path_params["id"])
    rates = (request.query_params.get(name) for name in ("taxRate", "shippingRate"))
    return shop.sum_up(order, *(shop.rate(text) for text in rates))


def _stock(world: World, request: Request) -> Answer:
    quantity = request.query_params.get("quantity", "1")
    product = shop.find(world, "product", request.path_params["id"])
    return shop.stock(product, shop.whole(quantity))


def _quote(world: World, request: Request) -> Answer:
    product = shop.find(world, "product", request.path_params["id"])
    if world.count(f"quote/{product['id']}") % 3:
        raise HTTPException(503, "the price feed is down; every third call gets through")
    return {"productId": product["id"], "price": product["price"], "source": "live"}


def _list_price(world: World, request: Request) -> Answer:
    product = shop.find(world, "product", request.path_params["id"])
    return {"productId": product["id"], "price": product["price"], "source": "list"}


def _every(world: World, request: Request) -> Answer:
    """Fails on every n-th call."""
    period = max(1, shop.whole(request.path_params["n"]))
    calls = world.count(f"every/{period}/{request.query_params.get('key', '')}")
    if calls % period == 0:
        raise HTTPException(503, f"call {calls} fails, as every {period}th does")
    return {"calls": calls}


def _once(world: World, request: Request) -> Answer:
    return _fail_once(world, request.path_params["key"])


def _fail_once(world: World, key: str) -> Answer:
    calls = world.count(f"once/{key}")
    if calls == 1:
        raise HTTPException(503, "the first call with this key fails")
    return {"message": "succeeded after a failure", "key": key, "calls": calls}


def _retry(world: World, _: Request, body: dict[str, Any], __: int) -> Answer:
    return _fail_once(world, str(body.get("key", "")))


async def _slow(request: Request) -> Response:
    asked = shop.whole(request.query_params.get("ms", "1000"))
    took = max(0, min(asked, LONGEST_SLOW_MS))
    await asyncio.sleep(took / 1000)
    return JSONResponse({"tookMs": took})


async def _limited(world: World, now: Now, request: Request) -> Response:
    window, passed = divmod(now(), LIMITED_WINDOW * _SECOND)
    calls = world.count(f"limited/{request.query_params.get('key', '')}/{window}")
    if calls > LIMITED_CALLS:
        wait = LIMITED_WINDOW - passed // _SECOND
        headers = {"Retry-After": str(wait)}
        return JSONResponse({"error": "too many calls"}, 429, headers)
    return JSONResponse({"calls": calls, "left": LIMITED_CALLS - calls})


_READS: tuple[tuple[str, Read], ...] = (
    ("/api/users", partial(_list, "user", "users", ("tier",))),
    ("/api/users/{id}", _user),
    ("/api/users/{id}/profile", _profile),
    ("/api/users/{id}/preferences", _preferences),
    ("/api/users/{id}/orders", _orders_of),
    ("/api/orders", partial(_list, "order", "orders", ("status", "userId"))),
    ("/api/orders/{id}", partial(_thing, "order")),
    ("/api/orders/{id}/invoice", _invoice),
    ("/api/orders/{id}/calculate-total", _sum),
    ("/api/inventory/products", partial(_list, "product", "products", ())),
    ("/api/inventory/products/{id}", partial(_thing, "product")),
    ("/api/inventory/products/{id}/stock", _stock),
    ("/api/payments", partial(_list, "payment", "payments", ("idempotencyKey", "orderId"))),
    ("/api/payments/{id}", partial(_thing, "payment")),
    ("/api/refunds", partial(_list, "refund", "refunds", ("idempotencyKey",))),
    (
        "/api/notifications",
        partial(_list, "notification", "notifications", ("userId", "reference")),
    ),
    ("/api/quotes/live/{id}", _quote),
    ("/api/quotes/list/{id}", _list_price),
    ("/api/flaky/every/{n}", _every),
    ("/api/flaky/once/{key}", _once),
)
_ACTS: tuple[tuple[str, Act], ...] = (
    ("/api/orders", shop.place_order),
    ("/api/inventory/check", shop.check),
    ("/api/inventory/bulk-check", shop.bulk_check),
    ("/api/payments/process", shop.pay),
    ("/api/payments/{id}/refund", shop.refund),
    ("/api/notifications/send", shop.notify),
    ("/api/notifications/push", shop.push),
    ("/api/retry/fail-once", _retry),
)


def _reading(world: World, read: Read) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return JSONResponse(read(world, request))

    return endpoint


def _acting(world: World, now: Now, act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await _object(request)
        if act is _retry:  # its count is the point, so a failure must not undo it
            return JSONResponse(act(world, request, body, now()))
        with world.change():
            return JSONResponse(act(world, request, body, now()))

    return endpoint


async def _object(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise HTTPException(415, "send application/json")
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(422, "the body must be an object")
    return body


async def _refused(_: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


class _OnlyLocal:
    """Answers only requests that were meant for loopback (DNS rebinding otherwise)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        name, _, port = headers.get(b"host", b"").partition(b":")
        local = name in {b"127.0.0.1", b"localhost"} and (not port or port.isdigit())
        if local and b"origin" not in headers:
            await self._app(scope, receive, send)
        else:
            await JSONResponse({"error": "not for you"}, 403)(scope, receive, send)
