"""The pages of the shop. What changes between the two versions is in before.py and after.py."""

from __future__ import annotations

import importlib
import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

version = importlib.import_module("case_shop." + os.environ.get("SHOP_VERSION", "before"))

LACKS: list[str] = []


def catalogue(request: HttpRequest) -> HttpResponse:
    """A list of products, with the brand of each."""
    return render(request, "catalogue.html", {"products": version.listed_products()})


async def order(request: HttpRequest) -> JsonResponse:
    """The state of an order, from three other services."""
    return JsonResponse(await version.order_state())


def quote(request: HttpRequest, zone: int, kilograms: int) -> JsonResponse:
    """What it costs to send something."""
    return JsonResponse({"cents": version.shipping_cents(zone, kilograms)})
