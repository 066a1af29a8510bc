"""What the demo's shop does: look up, reckon, and the few acts that change its world.

Acts run inside one transaction of the world; an exception undoes them. Refusals are HTTP errors,
as a real system's would be.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mcp_server.demo.seed import Thing, total
from mcp_server.demo.world import World

_MICROS = 1_000_000
_MOST_ITEMS = 50
_LAST_BORN = 1010
"""The number of the last order that the world is born with."""


def find(world: World, kind: str, key: str) -> Thing:
    """A thing by its id; a 404 when there is none."""
    thing = world.get(kind, key)
    if thing is None:
        raise HTTPException(404, f"no {kind} has the id {key[:80]!r}")
    return thing


def whole(text: str) -> int:
    """A whole number from a query; a 422 when it is none."""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise HTTPException(422, f"{text[:40]!r} is not a whole number")


def rate(text: str | None) -> float:
    """A rate such as 0.2 from a query; absent is 0."""
    try:
        number = float(text or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise HTTPException(422, "a rate is a number from 0 to 1")
    return number


def profile(user: Thing) -> Thing:
    """What a user's profile shows."""
    member = f"2021-0{int(user['id']) % 9 + 1}-15"
    return {
        "userId": user["id"],
        "name": user["name"],
        "email": user["email"],
        "tier": user["tier"],
        "city": user["city"],
        "memberSince": member,
    }


def preferences(user: Thing) -> Thing:
    """How a user wants to be addressed."""
    channels = ("email", "sms", "push")
    return {
        "userId": user["id"],
        "language": user["language"],
        "channel": channels[int(user["id"]) % len(channels)],
        "newsletter": user["tier"] != "standard",
    }


def invoice(order: Thing) -> Thing:
    """The invoice of an order."""
    return {
        "invoiceId": order["id"].replace("ord", "inv"),
        "orderId": order["id"],
        "issuedAt": order["createdAt"],
        "lines": order["items"],
        "total": order["total"],
        "currency": "EUR",
    }


def sum_up(order: Thing, tax_rate: float, shipping_rate: float) -> Thing:
    """An order's total with tax and shipping."""
    net = total(order["items"])
    tax, shipping = round(net * tax_rate, 2), round(net * shipping_rate, 2)
    return {
        "orderId": order["id"],
        "subtotal": net,
        "tax": tax,
        "shipping": shipping,
        "total": round(net + tax + shipping, 2),
    }


def stock(product: Thing, quantity: int) -> Thing:
    """Whether so many of a product are there."""
    return {
        "productId": product["id"],
        "name": product["name"],
        "wanted": quantity,
        "inStock": product["quantity"],
        "available": product["quantity"] >= quantity,
    }


def check(world: World, _: Request, body: Thing, __: int) -> Thing:
    """Which of the products are in stock."""
    wanted = body.get("productIds", [body["productId"]] if "productId" in body else [])
    products = [find(world, "product", str(key)) for key in _items(wanted)]
    return {
        "available": [each for each in products if each["quantity"] > 0],
        "unavailable": [each for each in products if each["quantity"] <= 0],
    }


def bulk_check(world: World, _: Request, body: Thing, __: int) -> Thing:
    """Whether all the items are in stock in the quantities asked for."""
    results = [
        stock(find(world, "product", key), count) for key, count in _lines(body.get("items"))
    ]
    return {"results": results, "allAvailable": all(each["available"] for each in results)}


def place_order(world: World, _: Request, body: Thing, now: int) -> Thing:
    """A new order; its items leave the stock, or a 409 says which are missing."""
    user = find(world, "user", str(body.get("userId", "")))
    items = [_take(world, key, count) for key, count in _lines(body.get("items"))]
    key = f"ord-{_LAST_BORN + world.count('order')}"
    order = {
        "id": key,
        "orderId": key,
        "userId": user["id"],
        "status": "active",
        "createdAt": _moment(now),
        "items": items,
        "productId": items[0]["productId"],
        "total": total(items),
    }
    world.put("order", order)
    return order


def _take(world: World, key: str, count: int) -> Thing:
    product = find(world, "product", key)
    if product["quantity"] < count:
        raise HTTPException(409, f"only {product['quantity']} of {key} are left")
    world.put("product", {**product, "quantity": product["quantity"] - count})
    return {
        "productId": key,
        "name": product["name"],
        "quantity": count,
        "price": product["price"],
    }


def pay(world: World, request: Request, body: Thing, now: int) -> Thing:
    """A payment. The same `Idempotency-Key` gives the payment that was made under it."""
    given = request.headers.get("idempotency-key")
    if given is not None and (earlier := world.all("payment", idempotencyKey=given)):
        return _same(earlier[0], body, ("orderId", "userId", "amount"))
    amount = body.get("amount", 0)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount < 0:
        raise HTTPException(422, "the amount must be a number that is not negative")
    key = f"pay-{world.count('payment')}"
    payment = {
        "id": key,
        "transactionId": key,
        "status": "completed",
        "timestamp": _moment(now),
        "amount": amount,
        "orderId": body.get("orderId"),
        "userId": body.get("userId"),
        "method": body.get("method", "card"),
        "idempotencyKey": given,
        "refunded": 0,
    }
    world.put("payment", payment)
    return payment


def _same(earlier: Thing, body: Thing, fields: tuple[str, ...]) -> Thing:
    """What was done under a key; a 422 when something else is asked for under it."""
    if any(body.get(name) not in (None, earlier[name]) for name in fields):
        raise HTTPException(422, "this idempotency key was used for something else")
    return earlier


def refund(world: World, request: Request, body: Thing, now: int) -> Thing:
    """Give a payment back, whole or in part, never more than was paid; once per key."""
    given = request.headers.get("idempotency-key")
    if given is not None and (earlier := world.all("refund", idempotencyKey=given)):
        asked = {**body, "transactionId": request.path_params["id"]}
        return _same(earlier[0], asked, ("transactionId", "amount"))
    payment = find(world, "payment", request.path_params["id"])
    left = round(payment["amount"] - payment["refunded"], 2)
    amount = left if body.get("amount") is None else body["amount"]
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
        raise HTTPException(422, "the amount must be a number above 0")
    if amount > left:
        raise HTTPException(409, f"only {left} can still be refunded")
    refunded = round(payment["refunded"] + amount, 2)
    status = "refunded" if refunded == payment["amount"] else "partly_refunded"
    world.put("payment", {**payment, "refunded": refunded, "status": status})
    key = f"ref-{world.count('refund')}"
    done = {
        "id": key,
        "refundId": key,
        "transactionId": payment["id"],
        "amount": amount,
        "status": status,
        "timestamp": _moment(now),
        "idempotencyKey": given,
    }
    world.put("refund", done)
    return done


def notify(world: World, request: Request, body: Thing, now: int) -> Thing:
    """A message to a user; nothing leaves this machine, it is only written down.

    The `Message-Reference` is kept with it and can be asked for; the same one sends again.
    """
    user = find(world, "user", str(body.get("userId", "")))
    channel = str(body.get("type") or preferences(user)["channel"])
    key = f"msg-{world.count('notification')}"
    sent = {
        "id": key,
        "userId": user["id"],
        "channel": channel,
        "message": str(body.get("message", ""))[:2000],
        "recipient": user["email"],
        "reference": request.headers.get("message-reference"),
        "sentAt": _moment(now),
    }
    world.put("notification", sent)
    return {"notificationId": key, "sent": True, "channel": channel, "recipient": user["email"]}


def push(world: World, request: Request, body: Thing, now: int) -> Thing:
    """A push message: a notification with a title."""
    lower = {name.lower(): value for name, value in body.items()}
    text = f"{lower.get('title', '')}: {lower.get('body', '')}"
    message = {"userId": lower.get("userid", ""), "type": "push", "message": text}
    return notify(world, request, message, now)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value or len(value) > _MOST_ITEMS:
        raise HTTPException(422, f"send a list of 1 to {_MOST_ITEMS} items")
    return value


def _lines(value: Any) -> list[tuple[str, int]]:
    return [_line(item) for item in _items(value)]


def _line(item: Any) -> tuple[str, int]:
    key = item.get("productId") if isinstance(item, dict) else None
    count = item.get("quantity", 1) if isinstance(item, dict) else None
    if not isinstance(key, str) or type(count) is not int or not 1 <= count <= 1000:
        raise HTTPException(422, "an item has a productId and a quantity from 1 to 1000")
    return key, count


def _moment(now: int) -> str:
    return datetime.fromtimestamp(now // _MICROS, UTC).isoformat().replace("+00:00", "Z")
