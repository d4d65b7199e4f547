"""Leaf functions that burn a bounded amount of CPU, each named for the view it belongs to.

A leaf calls no other Python function, so that a sample taken in it ends with its name.
"""

from __future__ import annotations


def score_report(rounds: int) -> int:
    """Leaf of async_view."""
    score = 17
    for step in range(rounds):
        score = (score * 31 + step) & 0xFFFFFF
    return score


def rank_products(prices: list[int], rounds: int) -> int:
    """Leaf of sync_view."""
    rank = 0
    count = len(prices)
    for step in range(rounds):
        rank = (rank * 33 + prices[step % count]) & 0xFFFFFF
    return rank


def render_fragment(seed: int, rounds: int) -> int:
    """Leaf that all three branches of gather_view share."""
    digest = seed
    for step in range(rounds):
        digest = (digest * 29 + step) & 0xFFFFFF
    return digest


def price_quote(quantity: int, rounds: int) -> int:
    """Leaf of both branches of taskgroup_view."""
    total = quantity
    for step in range(rounds):
        total = (total * 37 + step) & 0xFFFFFF
    return total


def write_notice(seed: int, rounds: int) -> int:
    """Leaf of mixed_view: async, called by sync, called by async."""
    notice = seed
    for step in range(rounds):
        notice = (notice * 41 + step) & 0xFFFFFF
    return notice
