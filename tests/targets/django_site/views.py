"""Views of each kind that a profiler must keep apart: async, sync, and those that fan out into tasks.

The time of each leaf is charged around its call, in the caller: no frame stands between a branch and its leaf.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import sys
import time

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest, JsonResponse

from . import ledger, work
from .models import Product

LEAF_ROUNDS = int(os.environ.get("DJANGO_SITE_LEAF_ROUNDS", "30000"))  # a few milliseconds of CPU


async def load_report() -> int:
    await asyncio.sleep(0.001)
    started = ledger.now()
    score = work.score_report(LEAF_ROUNDS)
    ledger.charge("async_view/load_report/score_report", started)
    return score


async def async_view(request: HttpRequest) -> JsonResponse:
    ledger.requests["async_view"] += 1
    return JsonResponse({"score": await load_report()})


def query_prices() -> list[int]:
    cheap = Product.objects.filter(category__in=["category 1", "category 3"]).order_by("-price")
    return list(cheap.values_list("price", flat=True)[:50])


def sync_view(request: HttpRequest) -> JsonResponse:
    ledger.requests["sync_view"] += 1
    prices = query_prices()
    started = ledger.now()
    rank = work.rank_products(prices, LEAF_ROUNDS)
    ledger.charge("sync_view/rank_products", started)
    return JsonResponse({"rank": rank})


async def fetch_profile() -> int:
    await asyncio.sleep(0.001)
    started = ledger.now()
    fragment = work.render_fragment(1, LEAF_ROUNDS // 2)
    ledger.charge("gather_view/fetch_profile/render_fragment", started)
    return fragment


async def fetch_orders() -> int:
    await asyncio.sleep(0.002)
    started = ledger.now()
    fragment = work.render_fragment(2, LEAF_ROUNDS)
    ledger.charge("gather_view/fetch_orders/render_fragment", started)
    return fragment


async def fetch_news() -> int:
    await asyncio.sleep(0.003)
    started = ledger.now()
    fragment = work.render_fragment(3, LEAF_ROUNDS // 4)
    ledger.charge("gather_view/fetch_news/render_fragment", started)
    return fragment


async def gather_view(request: HttpRequest) -> JsonResponse:
    ledger.requests["gather_view"] += 1
    fragments = await asyncio.gather(fetch_profile(), fetch_orders(), fetch_news())
    return JsonResponse({"fragments": fragments})


async def quote_item(quantity: int) -> int:
    await asyncio.sleep(0.001)
    started = ledger.now()
    total = work.price_quote(quantity, LEAF_ROUNDS // 2)
    ledger.charge("taskgroup_view/quote_item/price_quote", started)
    return total


async def quote_shipping() -> int:
    started = ledger.now()
    total = work.price_quote(1, LEAF_ROUNDS // 4)
    ledger.charge("taskgroup_view/quote_shipping/price_quote", started)
    await asyncio.sleep(0.001)
    return total


async def taskgroup_view(request: HttpRequest) -> JsonResponse:
    ledger.requests["taskgroup_view"] += 1
    async with asyncio.TaskGroup() as group:
        item = group.create_task(quote_item(3))
        shipping = group.create_task(quote_shipping())
    return JsonResponse({"total": item.result() + shipping.result()})


async def notify(prices: list[int]) -> int:
    await asyncio.sleep(0.001)
    started = ledger.now()
    notice = work.write_notice(len(prices), LEAF_ROUNDS // 2)
    ledger.charge("mixed_view/update_prices/notify/write_notice", started)
    return notice


async def query_warehouse(number: int) -> None:
    await asyncio.sleep(0.120 if number % 10 == 0 else 0.020)


async def slow_view(request: HttpRequest) -> JsonResponse:
    with ledger.timed("slow_view"):
        ledger.requests["slow_view"] += 1
        await query_warehouse(ledger.requests["slow_view"])
        started = ledger.now()
        total = work.price_quote(2, LEAF_ROUNDS // 2)
        ledger.charge("slow_view/price_quote", started)
        return JsonResponse({"total": total})


def update_prices() -> int:
    return async_to_sync(notify)(query_prices())


async def mixed_view(request: HttpRequest) -> JsonResponse:
    ledger.requests["mixed_view"] += 1
    return JsonResponse({"notice": await sync_to_async(update_prices)()})


# Empty, or the view that this asyncio is too old for.
LACKS = [] if hasattr(asyncio, "TaskGroup") else ["taskgroup_view"]


async def stats(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "pid": os.getpid(),
            "python": sys.version.split()[0],
            "loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
            "monotonic": time.monotonic(),
            "process_cpu_ns": time.process_time_ns(),
            "requests": dict(ledger.requests),
            "leaf_runnable_ns": dict(ledger.leaf_runnable_ns),
            "calls": ledger.calls,
        }
    )


async def lru_caches(request: HttpRequest) -> JsonResponse:
    """What each functools.lru_cache of the process says of itself."""
    kind = type(functools.lru_cache(lambda: None))
    return JsonResponse({hex(id(found)): cache_fact(found) for found in gc.get_objects() if isinstance(found, kind)})


def cache_fact(cache: functools._lru_cache_wrapper[object]) -> dict[str, object]:
    wrapped = cache.__wrapped__
    names = {"name": getattr(wrapped, "__qualname__", None), "module": str(getattr(wrapped, "__module__", None))}
    return {**names, **cache.cache_info()._asdict()}
