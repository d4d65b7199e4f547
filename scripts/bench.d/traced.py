"""What `trace` costs a Django server: two of them, one traced from its launch, are loaded in turn, and neighbours compared.

A function of next to no cost is called so often by each request that it makes some 1,000 calls a second. Beside it two servers without tracing,
which shows what the comparison itself is worth. Compared are the requests of a window, and the requests of a second of the
server's own CPU time: a busy machine bends the former, and hardly the latter.
"""
import os
import random
import signal
import tempfile
import time

import django_site
import harness
import measures
import ratios
import workloads

HEAD = ["interpreter", "compared", "calls/s", "requests", "95 % interval", "per CPU second", "95 % interval"]
FUNCTION = "django_site.stamps:stamp"
CALLS = 16  # of each request


def cpu_seconds(pid):
    """Of all threads of a process, by the scheduler's account."""
    used = 0
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as file:
                used += int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return used / 1e9


class TracedSite(harness.Target):
    """The site as a command that `trace` launches."""

    def __init__(self, python, recording, lifetime):
        environment = django_site.environment(python)
        super().__init__([harness.tool(), "trace", "-q", "-m", FUNCTION, "-o", recording, "--", environment],
                         "django_site/serve.py", "--loop", "asyncio", lifetime=lifetime, wait=40)
        self.port = self.truth["port"]

    def url(self, path=""):
        return "http://127.0.0.1:%d%s" % (self.port, path)


class Loaded(workloads.Django):
    """One of two servers: its load stands still while the other's runs."""

    def __init__(self, python, seconds, site):
        self.site = site
        self.cpu = {}
        super().__init__(python, seconds)

    def make_site(self, python, seconds):
        return self.site

    def mark(self):
        moment = super().mark()
        self.cpu[moment] = cpu_seconds(self.pid)
        return moment

    def per_cpu(self, start, end):
        used = self.cpu[end] - self.cpu[start]
        return self.work(start, end) * (end - start) / used if used > 0 else 0.0

    def go(self, on):
        os.kill(self.load.process.pid, signal.SIGCONT if on else signal.SIGSTOP)


def compare(first, second, pairs):
    """Requests of the first over those of the second, in neighbouring windows of random order."""
    windows = []
    with first, second:
        for loaded in (first, second):
            loaded.go(False)
        try:
            for _ in range(pairs):
                pair = {}
                for loaded in random.sample((first, second), 2):
                    loaded.go(True)
                    time.sleep(loaded.guard)
                    start = loaded.mark()
                    time.sleep(loaded.window)
                    pair[loaded] = (start, loaded.mark())
                    loaded.go(False)
                windows.append(pair)
        finally:
            for loaded in (first, second):
                loaded.go(True)
    done = [ratios.paired_ratio([(measure(first)(*pair[first]), measure(second)(*pair[second])) for pair in windows])
            for measure in (lambda loaded: loaded.work, lambda loaded: loaded.per_cpu)]
    requests = sum(first.work(*pair[first]) for pair in windows) / len(windows)
    return done, requests


def row(interpreter, traced, pairs):
    seconds = int(2 * pairs * (workloads.Django.guard + workloads.Django.window + 0.02) + 6)
    os.environ["DJANGO_SITE_STAMPS"] = str(CALLS)  # of both servers
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "site.ascope")
        plain = django_site.Site(interpreter.path, "asyncio", lifetime=seconds + 60)
        try:
            other = TracedSite(interpreter.path, recording, seconds + 60) if traced else \
                django_site.Site(interpreter.path, "asyncio", lifetime=seconds + 60)
        except BaseException:
            plain.__exit__()
            raise
        compared, requests = compare(Loaded(interpreter.path, seconds, other), Loaded(interpreter.path, seconds, plain), pairs)
        rate = "%.0f" % (CALLS * requests) if traced else "0"
    return [str(interpreter).split(":")[0], "traced" if traced else "both without"] + [rate] + measures.ratio_cells(compared[0]) + \
        measures.ratio_cells(compared[1])
