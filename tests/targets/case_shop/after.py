"""The shop after the three changes."""

from __future__ import annotations

import asyncio
import functools

from django.db.models import QuerySet

from . import services, tariff
from .models import Product


def listed_products() -> QuerySet[Product]:
    return Product.objects.select_related("brand").order_by("name")[:40]


async def order_state() -> dict[str, object]:
    stock, carrier, points = await asyncio.gather(
        services.fetch_stock(), services.fetch_carrier(), services.fetch_points()
    )
    return {"stock": stock, "carrier": carrier, "points": points}


@functools.lru_cache(maxsize=1024)
def shipping_cents(zone: int, kilograms: int) -> int:
    return tariff.cheapest(zone, kilograms)
