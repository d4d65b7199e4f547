"""What the site knows of itself: requests served, the time that each leaf ran or waited for a CPU, by the branch that called it,
and of some views when each call began and ended.

Tests compare a recording with these numbers. A key names the chain, outermost first: "gather_view/fetch_orders/…".
Every key is written by one thread only: the event loop's, or Django's one thread for synchronous views.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic_ns, thread_time_ns

requests: Counter[str] = Counter()
leaf_runnable_ns: Counter[str] = Counter()


calls: dict[str, list[tuple[int, int]]] = {}


class timed:
    """The calls of a view, by CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, view: str) -> None:
        self.calls = calls.setdefault(view, [])

    def __enter__(self) -> None:
        self.begun = monotonic_ns()

    def __exit__(self, *_: object) -> None:
        self.calls.append((self.begun, monotonic_ns()))


def now() -> int:
    """How long this thread has run or waited for a CPU: what samples on the wall clock count of a thread that is not idle."""
    with open("/proc/thread-self/schedstat", "rb", buffering=0) as file:
        waited = int(file.read().split()[1])  # proc(5) of a running thread: this is exact, the time that it ran is not
    return thread_time_ns() + waited


def charge(key: str, started_ns: int) -> None:
    leaf_runnable_ns[key] += now() - started_ns
