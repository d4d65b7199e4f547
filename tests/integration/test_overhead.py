"""record --max-overhead: what the recorder costs, as the kernel counts it from outside, and what its samples then weigh."""
import os
import re
import subprocess
import time

import folded
import harness
import recordings

PERCENT = 1
HALF = 4  # seconds
WORTH = 1.5  # times the limit: some seconds are a short time, and what else runs makes each tick dearer


def cpu_ns(pid):
    """Of all threads, by the scheduler's account."""
    total = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, tid), "rb") as file:
            total += int(file.read().split()[0])
    return total


class Overhead(recordings.RecordingTest, harness.EndsTest):
    timing_sensitive = True

    def test_the_rate_is_lowered_until_it_costs_little_enough(self):
        target = self.target("latency.py", lifetime=60)
        path = self.path("out.ascope")
        process = harness.start_tool("record", "-p", target.pid, "-r", 1000, "--all-tasks", "--idle", "-d", 2 * HALF,
                                     "--max-overhead", PERCENT, "-o", path)
        self.addCleanup(harness.end_process, process)
        time.sleep(HALF)
        before, since = cpu_ns(process.pid), time.monotonic_ns()
        time.sleep(HALF - 0.5)
        share = (cpu_ns(process.pid) - before) / (time.monotonic_ns() - since)
        result = harness.finish(process)
        self.assert_done(result)
        self.assertLessEqual(share, WORTH * PERCENT / 100, result.stderr)
        notes = [line for line in result.stderr.splitlines() if "would cost more than 1 % of a CPU" in line]
        self.assertEqual(len(notes), 1, result.stderr)
        self.assertRegex(result.stderr, r"1000 Hz asked, lowered to [\d.]+ Hz at times")

        info = self.info(path)
        self.assertLess(info["slowest_rate_hz"], 1000)
        self.assertLess(info["ticks"], 0.7 * 2 * HALF * 1000, "it is dear to look at twenty tasks")
        self.assertGreater(info["ticks"], 2 * HALF, "and yet it was sampled")
        # Each moment weighs what it lasted, whatever the rate was then: the main thread is in every tick.
        for begin in (0, HALF):
            weight = folded.total(self.stacks(path, "--idle", "--since", begin, "--until", begin + HALF))
            due = 1000 * min(HALF, info["elapsed_ns"] / 1e9 - begin)
            lost = sum(info["lost"].values()) * 1000 / info["slowest_rate_hz"]
            self.assertLessEqual(weight, 1.2 * due + 300, result.stderr)
            self.assertGreaterEqual(weight, 0.8 * due - 300 - lost, result.stderr)

    def test_a_rate_that_costs_little_is_kept(self):
        target = self.target("ticking.py")
        path, result = self.record_file(target, "-r", 10, "-d", 2, "--max-overhead", 50)
        self.assertIsNone(self.info(path)["slowest_rate_hz"])
        self.assertNotIn("lowered", result.stderr)

    def test_nonsense_is_refused(self):
        target = self.target("ticking.py")
        for word in ("-1", "101", "much"):
            result = harness.run_tool("record", "-p", target.pid, "--max-overhead=%s" % word, cwd=self.folder)
            self.assert_error(result, 2)
            self.assertTrue(re.search(r"'%s' is not a percentage" % word, result.stderr), result.stderr)


class LateTicks(recordings.RecordingTest):
    timing_sensitive = True

    def test_a_rate_that_the_machine_does_not_hold_is_told_while_it_runs(self):
        """No machine takes 200,000 samples a second: a warning says so while it runs, and another one at the end how many ticks
        were missed, as the summary and the recording do."""
        target = self.target("ticking.py")
        process = harness.start_tool("record", "-p", target.pid, "-r", "200kHz", "--idle", "-d", 30,
                                     "-o", self.path("out.ascope"), stderr=subprocess.PIPE, brief=True)
        self.addCleanup(harness.end_process, process)
        first = process.stderr.readline().decode()
        self.assertIn("cannot keep up with 200000 Hz", first)
        self.assertIsNone(process.poll(), "the warning comes while it runs")
        harness.send(process)
        result = harness.finish(process)
        self.assert_done(result)
        missed, due = [int(number.replace(",", "")) for number in re.search(
            r"cannot keep up with 200000 Hz: ([\d,]+) of ([\d,]+) ticks missed", result.stderr).groups()]
        info = self.info(self.path("out.ascope"))
        self.assertEqual((info["lost"]["late"], info["ticks"], info["ticks_due"]), (missed, due - missed, due))
        self.assertEqual(info["samples"], self.summary_samples(result))
