"""How long calls of a Django view take, from the recording, against the stopwatch in the view and the load generator's."""
import json
import math
import sys
import time

import django_site
import harness
import recordings

LIFETIME = 60
CALLS = 240  # however slow the machine: what few of them happen to take says nothing of a percentile
CONNECTIONS = 3  # so few that requests hardly wait for each other
TOLERANCE = 0.10


def percentile(lengths, part):
    """The least length that this part of them does not exceed."""
    return sorted(lengths)[math.ceil(part * len(lengths)) - 1]


class DjangoLatency(recordings.RecordingTest, harness.InterpreterTest):
    timing_sensitive = True
    minors = ("3.11", "3.13", "newest")

    def served(self, site):
        time.sleep(0.2)  # it is the same loop that answers
        return site.stats()["requests"].get("slow_view", 0)

    def record_site(self, loop):
        """-> (recording, [(begin, end)] of the view by the site's own clock, the load generator's latencies)."""
        with django_site.Site(self.python, loop, lifetime=2 * LIFETIME) as site:
            self.assertEqual(site.truth["loop"], loop)
            with django_site.Load(sys.executable, site, "/slow", connections=CONNECTIONS, duration=LIFETIME) as load:
                self.wait_for("no request was served", lambda: self.served(site) > 5)
                before = self.served(site)
                path = self.path("out.ascope")
                self.result = self.record_until(site, lambda: self.served(site) >= before + CALLS, "-r", 1000,
                                                "--all-tasks", "-o", path)
                calls = site.stats()["calls"]["slow_view"]
            self.assertEqual(load.report["errors"], 0, load.report["first_errors"])
        return path, calls, load.report["latency_ms"]

    def check_view(self, loop):
        path, calls, generator = self.record_site(loop)
        info = self.info(path)
        begin = info["start_monotonic_ns"]
        end = begin + info["elapsed_ns"]
        lengths = [ended - begun for begun, ended in calls if begun >= begin and ended <= end]
        self.assertGreater(len(lengths), 0.7 * CALLS, self.result.stderr)
        document = json.loads(self.report(path, "-f", "latency", "--json", "--function", "slow_view"))
        self.assertEqual([row["function"] for row in document["functions"]], ["slow_view"])
        row = document["functions"][0]
        for key, part in (("p50_ns", 0.50), ("p95_ns", 0.95)):
            true = percentile(lengths, part)
            difference = "%s is %.2f ms, truly %.2f ms of %d calls; the load: %s" % (
                key, row[key] / 1e6, true / 1e6, len(lengths), generator)
            self.assertLessEqual(abs(row[key] / true - 1), TOLERANCE, difference)
        self.assertLessEqual(row["p50_ns"], generator["p50"] * 1.02e6, "the view is a part of the request")
        # Between two scans that are 20 ms apart, because others have the CPUs, a call can begin and end.
        self.assertGreaterEqual(row["calls"], 0.95 * len(lengths))
        self.assertLessEqual(row["calls"], 1.02 * len(lengths) + 2 * CONNECTIONS)
        waits = {wait["function"]: wait["ns"] for wait in row["await_on"]}
        self.assertGreaterEqual(waits["sleep"], 0.9 * sum(waits.values()), waits)

    def test_asyncio_loop(self):
        self.check_view("asyncio")

    def test_uvloop(self):
        if django_site.lacks_uvloop(self.python):
            self.skipTest("pip has no uvloop for %s" % self.interpreter)
        self.check_view("uvloop")
