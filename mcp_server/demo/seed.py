"""What the demo world is born with: people, products and orders, the same on every machine."""

from collections.abc import Iterator
from typing import Any

Thing = dict[str, Any]

_USERS = (
    ("1", "Ingrid Solberg", "ingrid@example.com", "gold", 5000.0, "Bergen", "nb"),
    ("2", "Marcus Feld", "marcus@example.com", "silver", 2500.0, "Kassel", "de"),
    ("3", "Clementine Bauch", "Nathan@yesenia.net", "gold", 7500.0, "Port Amity", "en"),
    ("4", "Noor Haddad", "noor@example.com", "standard", 800.0, "Amman", "ar"),
    ("5", "Amara Okafor", "amara@example.com", "standard", 1200.0, "Enugu", "en"),
    ("6", "Jonas Lindqvist", "jonas@example.com", "silver", 3000.0, "Uppsala", "sv"),
    ("7", "Mei Tanaka", "mei@example.com", "gold", 9000.0, "Sendai", "ja"),
    ("8", "Rosa Delgado", "rosa@example.com", "standard", 600.0, "Valdivia", "es"),
    ("9", "Tomasz Nowak", "tomasz@example.com", "silver", 2000.0, "Gdynia", "pl"),
    ("10", "Farah Siddiqui", "farah@example.com", "standard", 1000.0, "Lahore", "ur"),
    ("11", "Elin Haugen", "elin@example.com", "gold", 6500.0, "Tromsø", "nb"),
    ("12", "Samuel Mensah", "samuel@example.com", "standard", 400.0, "Kumasi", "en"),
)

_PRODUCTS = (
    ("prod-1", "Brass compass", 49.5, 40),
    ("prod-2", "Canvas rucksack", 89.0, 12),
    ("prod-3", "Storm lantern", 35.25, 0),
    ("prod-4", "Wool blanket", 64.0, 25),
    ("prod-5", "Field telescope", 219.0, 4),
    ("prod-6", "Tin mug", 8.75, 300),
    ("prod-7", "Rope, 20 m", 22.4, 60),
    ("prod-8", "Paper atlas", 31.0, 1),
)

_ORDERS = (
    ("ord-1001", "1", "active", "2026-09-02T08:15:00Z", (("prod-1", 2), ("prod-6", 4))),
    ("ord-1002", "3", "active", "2026-09-05T17:40:00Z", (("prod-5", 1), ("prod-4", 1))),
    ("ord-1003", "3", "shipped", "2026-09-11T11:05:00Z", (("prod-2", 1),)),
    ("ord-1004", "3", "express", "2026-10-01T06:30:00Z", (("prod-7", 3), ("prod-6", 2))),
    ("ord-1005", "2", "shipped", "2026-10-03T09:00:00Z", (("prod-4", 2),)),
    ("ord-1006", "7", "active", "2026-10-09T21:12:00Z", (("prod-5", 2),)),
    ("ord-1007", "5", "cancelled", "2026-10-12T14:00:00Z", (("prod-3", 1),)),
    ("ord-1008", "1", "shipped", "2026-10-20T10:45:00Z", (("prod-8", 1), ("prod-6", 6))),
    ("ord-1009", "9", "active", "2026-11-02T07:20:00Z", (("prod-6", 1),)),
    ("ord-1010", "11", "express", "2026-11-08T12:00:00Z", (("prod-2", 2), ("prod-7", 1))),
)


def documents() -> Iterator[tuple[str, Thing]]:
    """Everything there is at the beginning, as pairs of kind and document."""
    yield from (("user", _user(*row)) for row in _USERS)
    yield from (("product", _product(*row)) for row in _PRODUCTS)
    yield from (("order", _order(*row)) for row in _ORDERS)


def total(items: list[Thing]) -> float:
    """What the items of an order cost together.

    >>> total([{"price": 0.1, "quantity": 3}])
    0.3
    """
    costs: list[float] = [item["price"] * item["quantity"] for item in items]
    return round(sum(costs), 2)


def _user(
    key: str, name: str, email: str, tier: str, credit: float, city: str, language: str
) -> Thing:
    return {
        "id": key,
        "name": name,
        "email": email,
        "tier": tier,
        "creditLimit": credit,
        "city": city,
        "language": language,
    }


def _product(key: str, name: str, price: float, quantity: int) -> Thing:
    return {"id": key, "name": name, "price": price, "quantity": quantity}


def _order(
    key: str, user: str, status: str, created: str, lines: tuple[tuple[str, int], ...]
) -> Thing:
    names = {row[0]: row for row in _PRODUCTS}
    items = [
        {"productId": each, "name": names[each][1], "quantity": count, "price": names[each][2]}
        for each, count in lines
    ]
    return {
        "id": key,
        "orderId": key,
        "userId": user,
        "status": status,
        "createdAt": created,
        "items": items,
        "productId": items[0]["productId"],
        "total": total(items),
    }
