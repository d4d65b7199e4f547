"""report -f latency: calls of plain functions, against the stopwatch in each of them."""
import http.client
import json
import random
import threading

import django_site
import harness
import recordings
from test_latency import percentile

RATE = 100
PERIOD_NS = 1e9 / RATE
TOLERANCE = 0.10  # of a duration; or two periods
RANKS = 0.06  # of the calls: by so much a percentile of a hundred calls may be another's


class PlainCallsTest(recordings.RecordingTest):
    timing_sensitive = True

    def true_calls(self, target, path):
        """{function: [(begin, end), …]} of the calls that lie inside the recording."""
        info = self.info(path)
        first = info["start_monotonic_ns"]
        last = first + info["elapsed_ns"]
        calls = {}
        with open(target.truth["log"], encoding="ascii") as file:
            for line in file:
                name, begun, ended = line.split()
                if int(begun) >= first and int(ended) <= last:
                    calls.setdefault(name, []).append((int(begun), int(ended)))
        return calls

    def rows(self, path):
        document = json.loads(self.report(path, "-f", "latency", "--json"))
        self.assertGreaterEqual(document["resolution_ns"], PERIOD_NS)
        return {row["function"]: row for row in document["functions"]}

    def check(self, row, calls, spare):
        lengths = [ended - begun for begun, ended in calls]
        said = "%s; truly %d calls, p50 %d, p95 %d" % (row, len(lengths), percentile(lengths, 0.50),
                                                      percentile(lengths, 0.95))
        self.assertGreaterEqual(row["calls"], 0.95 * len(lengths) - 1, said)
        self.assertLessEqual(row["calls"], 1.05 * len(lengths) + spare, said)
        for key, part in (("p50_ns", 0.50), ("p95_ns", 0.95)):
            least, most = percentile(lengths, part - RANKS), percentile(lengths, min(1, part + RANKS))
            spread = 2 * PERIOD_NS
            self.assertTrue(min(least * (1 - TOLERANCE), least - spread) <= row[key] <=
                            max(most * (1 + TOLERANCE), most + spread), "%s: %s" % (key, said))


class PlainCalls(PlainCallsTest, harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def record_calls(self, count, *args):
        target = self.target("plain_calls.py", *args, lifetime=60, python=django_site.environment(self.python))
        path = self.path("out.ascope")
        first = target.counters()["calls"]
        self.result = self.record_until(target, lambda: target.counters()["calls"] >= first + count, "-r", RATE, "-o",
                                        path)
        return target, path

    def test_threads_pools_and_tasks_hops(self):
        target, path = self.record_calls(400)
        calls = self.true_calls(target, path)
        rows = self.rows(path)
        for name in ("pooled", "threaded", "hopped", "adapted"):
            self.check(rows[name], calls[name], spare=4)
        # Coroutines have their rows from changes of tasks, which this recording has not.
        self.assertNotIn("hop", rows)
        self.assertNotIn("adapt", rows)

    def test_calls_that_are_made_again(self):
        """Nothing but their own variables tells them apart: they are, or else the row says that it is not known."""
        target, path = self.record_calls(60, "--repeat")
        row = self.rows(path)["repeated"]
        calls = self.true_calls(target, path)["repeated"]
        if row["p50_ns"] is None or row["p50_is"] is not None:
            return
        self.check(row, calls, spare=4)


class WsgiViews(PlainCallsTest, harness.InterpreterTest):
    minor_matters = False
    minors = ("3.8", "3.11", "3.13", "3.15")

    def request(self, port, count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(count):
            connection.request("GET", "/view/%d" % random.choice((30, 45, 60, 90, 120)))
            connection.getresponse().read()
        connection.close()

    def check_worker(self, worker, clients):
        target = self.target("wsgi_views.py", "--worker", worker, lifetime=60, wait=40,
                             python=django_site.environment(self.python))
        self.request(target.truth["port"], 2)
        path = self.path("out.ascope")
        load = [threading.Thread(target=self.request, args=(target.truth["port"], 150 // clients))
                for _ in range(clients)]
        for each in load:
            each.start()
        self.record_until(target, lambda: not any(each.is_alive() for each in load), "-r", RATE, "-o", path)
        self.check(self.rows(path)["view"], self.true_calls(target, path)["view"], spare=clients)

    def test_sync(self):
        self.check_worker("sync", 1)

    def test_gthread(self):
        self.check_worker("gthread", 3)
