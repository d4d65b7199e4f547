"""Other services that the shop asks. Each answers after a while, as a service on another machine does."""

from __future__ import annotations

import asyncio


async def fetch_stock() -> int:
    await asyncio.sleep(0.020)
    return 3


async def fetch_carrier() -> str:
    await asyncio.sleep(0.030)
    return "on its way"


async def fetch_points() -> int:
    await asyncio.sleep(0.025)
    return 120
