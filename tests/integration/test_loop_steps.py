"""record --all-tasks: how long calls take in idle, busy and bursty loops, compared with the target's own clock."""
import json

import django_site
import harness
import recordings
from test_latency import calls_of, percentile

LIFETIME = 60
ROUNDS = 10
PERIOD = 0.010e9
TOLERANCE = 0.10


class LoopSteps(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False
    minors = ("3.8", "3.11", "3.13", "3.15")

    def latencies(self, *args, **how):
        """-> (target, info, latencies, {function: row}) of some rounds of steps."""
        target = self.target("loop_steps.py", *args, lifetime=LIFETIME, **how)
        path = self.path("out.ascope")
        before = target.counters()["rounds"]
        self.record_until(target, lambda: target.counters()["rounds"] >= before + ROUNDS, "-r", 100, "--all-tasks",
                          "-o", path)
        document = json.loads(self.report(path, "-f", "latency", "--json"))
        rows = {row["function"]: row for row in document["functions"] if row["file"].endswith("/loop_steps.py")}
        return target, self.info(path), document, rows

    def check_steps(self, *args, **how):
        target, info, document, rows = self.latencies(*args, **how)
        begin = info["start_monotonic_ns"]
        end = begin + info["elapsed_ns"]
        # What the readings achieved, which a loaded machine makes longer, but not as long as a step.
        resolution = max(PERIOD, document["resolution_ns"])
        self.assertLess(resolution, 0.050e9)
        for name in ("step", "long_step", "working_step"):
            lengths = [ended - begun for begun, ended in calls_of(target.truth["log"])[name]
                       if begun >= begin and ended <= end]
            self.assertGreaterEqual(len(lengths), ROUNDS - 1, name)
            for key, part in (("p50_ns", 0.50), ("p95_ns", 0.95)):
                true = percentile(lengths, part)
                self.assertLessEqual(abs(rows[name][key] - true), max(TOLERANCE * true, 2 * resolution),
                                     "%s of %s, in ns; truly %d" % (key, name, true))
            self.assertEqual({wait["function"] for wait in rows[name]["await_on"]}, {"sleep"}, name)
        # Its beginning was not seen: it is counted, and in no percentile.
        self.assertEqual([rows["before"][key] for key in ("calls", "cut", "p50_ns", "p95_ns", "p99_ns", "mean_ns")],
                         [1, 1, None, None, None, None])
        return rows

    def test_idle_loop(self):
        self.check_steps()

    def test_busy_loop(self):
        self.check_steps("--beside", "busy")

    def test_bursty_loop(self):
        self.check_steps("--beside", "bursts")

    def test_idle_uvloop(self):
        if django_site.lacks_uvloop(self.python):
            self.skipTest("pip has no uvloop for %s" % self.interpreter)
        self.check_steps("--loop", "uvloop", python=django_site.environment(self.python))

    def test_short_calls_in_succession_are_no_long_one(self):
        rows = self.check_steps("--beside", "shorts")
        # Five to ten times shorter than a period: hardly ever do two readings in succession see the same one.
        self.assertLessEqual(rows["short"]["p50_ns"], 3 * PERIOD)
        self.assertEqual(rows["short"]["p50_is"], "shorter")
        self.assertLessEqual(rows["short"]["p95_ns"], 6 * PERIOD)
