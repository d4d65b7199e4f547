"""The shop as it was."""

from __future__ import annotations

from django.db.models import QuerySet

from . import services, tariff
from .models import Product


def listed_products() -> QuerySet[Product]:
    return Product.objects.order_by("name")[:40]


async def order_state() -> dict[str, object]:
    stock = await services.fetch_stock()
    carrier = await services.fetch_carrier()
    points = await services.fetch_points()
    return {"stock": stock, "carrier": carrier, "points": points}


def shipping_cents(zone: int, kilograms: int) -> int:
    return tariff.cheapest(zone, kilograms)
