"""What the site knows of itself: requests served, and CPU time spent in each leaf, by the branch that called it.

Tests compare a recording with these numbers. A key names the chain, outermost first: "gather_view/fetch_orders/…".
Every key is written by one thread only: the event loop's, or Django's one thread for synchronous views.
"""

from __future__ import annotations

from collections import Counter
from time import thread_time_ns

requests: Counter[str] = Counter()
leaf_cpu_ns: Counter[str] = Counter()

now = thread_time_ns


def charge(key: str, started_ns: int) -> None:
    leaf_cpu_ns[key] += thread_time_ns() - started_ns
