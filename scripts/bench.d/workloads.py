"""What is recorded: a busy call graph, and Django under load. Each counts its own work.

`work(start, end)` is the work done between two moments of CLOCK_MONOTONIC, per second; it may only be asked after
the workload is left, because the load generator reports at its end.
"""
import bisect
import time

import django_site
import harness


class Planted:
    """planted_graph.py; its work is its cycles, read from the counters that it maps."""

    name = "planted graph"
    guard, window = 0.12, 0.25

    def __init__(self, python, seconds):
        self.target = harness.Target(python, "planted_graph.py", lifetime=seconds + 60)
        self.pid = self.target.pid
        self.marks = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.target.__exit__()

    def mark(self):
        """A moment at which the work so far is known."""
        moment = time.monotonic()
        counters = self.target.counters()
        self.marks[moment] = (counters["cycles"], counters["now_ns"])
        return moment

    def work(self, start, end):
        (done, since), (more, until) = self.marks[start], self.marks[end]
        return (more - done) * 1e9 / (until - since) if until > since else 0.0


class Django:
    """The site under load; its work is its requests, by the load generator's fine windows."""

    name = "Django, gathering view"
    guard, window = 0.15, 0.5
    connections = 16
    fine = 0.02  # seconds

    def __init__(self, python, seconds):
        self.site = self.make_site(python, seconds)
        self.pid = self.site.pid
        windows = min(10000, int(seconds / self.fine))
        try:
            self.load = django_site.Load(django_site.environment(python), self.site, "/gather=1,/async=1",
                                         connections=self.connections, duration=seconds, windows=windows)
        except BaseException:
            self.site.__exit__()
            raise
        time.sleep(2)  # the first requests import, connect and fill caches

    def make_site(self, python, seconds):
        return django_site.Site(python, "asyncio", lifetime=seconds + 60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.load.finish()
        finally:
            self.site.__exit__()
        self.windows = self.load.report["windows"]
        self.starts = [window["start"] for window in self.windows]

    def mark(self):
        return time.monotonic()

    def work(self, start, end):
        first = bisect.bisect_left(self.starts, start)
        inside = [window for window in self.windows[first:] if window["end"] <= end]
        seconds = sum(window["end"] - window["start"] for window in inside)
        return sum(window["requests"] for window in inside) / seconds if seconds else 0.0
