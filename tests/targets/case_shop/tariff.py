"""What a carrier asks for: a walk over its table of routes, which is pure arithmetic."""

from __future__ import annotations

ROUTES = [(step * 7919 % 1013, step * 104729 % 613) for step in range(90000)]


def cheapest(zone: int, kilograms: int) -> int:
    cents = 1 << 30
    for distance, load in ROUTES:
        price = (distance * zone + load * kilograms) % 9973 + 400
        if price < cents:
            cents = price
    return cents
