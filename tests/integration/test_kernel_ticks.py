"""Ticks that the kernel takes while the recorder sleeps: nothing is missing, and all has its share."""
import re
import time
import unittest

import folded
import harness
import recordings

SECONDS = 5


class Ahead(recordings.RecordingTest, harness.InterpreterTest):

    def shares(self, rate, *args):
        """-> (samples of each function as folded, what the target says of it in ticks, the recorder's words)."""
        target = self.target("steady.py", lifetime=SECONDS * 3)
        before, begun = target.counters(), time.monotonic_ns()
        path, result = self.record_file(target, "-r", rate, "-d", SECONDS, "-v", *args)
        stacks = self.stacks(path, "--state", "running,runnable")
        after, ended = target.counters(), time.monotonic_ns()
        self.waited = (after["waited_ns"] - before["waited_ns"]) / (ended - begun)
        # Of the ticks that happened, however many that were, each function is due the part of the time that it had.
        per_ns = harness.ticks(result.stderr) / (ended - begun)
        seen = {name: folded.total([stack for stack in stacks if stack.has(name)])
                for name in ("heavy", "light", "in_native_code")}
        due = {name: per_ns * (after[key] - before[key])
               for name, key in (("heavy", "heavy_ns"), ("light", "light_ns"), ("in_native_code", "native_ns"))}
        return seen, due, result.stderr

    def alone(self, said):
        """How many ticks the kernel took; skips where it takes none."""
        if "copying by bpf" not in said:
            raise unittest.SkipTest("the kernel does not permit BPF here")
        return int(re.search(r"ticks taken by bpf alone: (\d+)", said)[1])

    def assert_alone(self, said):
        """Many of them, if the target did not have to share its CPU: one that is taken from it ends such a series."""
        alone = self.alone(said)
        if self.waited < 0.01:
            self.assertGreater(alone, 0.2 * harness.ticks(said), said)

    def assert_shares(self, seen, due, said):
        told = "%s; by the target %s\n%s" % (seen, due, said)
        self.assertGreater(min(due.values()), 0, told)
        steady, truly = seen["heavy"] + seen["light"], due["heavy"] + due["light"]
        self.assertLess(abs(seen["heavy"] / steady - due["heavy"] / truly), 0.02 + 1.5 / steady ** 0.5, told)
        self.assertGreater(steady, 0.9 * truly, told)
        self.assertLess(steady, 1.1 * truly, told)
        # Read in one tick of nine, and counted for all of them: its noise is that of a ninth of the samples, and it comes in bursts.
        noise = 4 * (9 * due["in_native_code"]) ** 0.5
        self.assertGreater(seen["in_native_code"], max(0, 0.7 * due["in_native_code"] - noise), told)
        self.assertLess(seen["in_native_code"], 1.5 * due["in_native_code"] + noise, told)
        self.assertNotIn("unreadable", said.split("lost:")[1].split(";")[0], told)

    def test_most_ticks_of_a_busy_thread(self):
        seen, due, said = self.shares(1000)
        self.assert_alone(said)
        self.assert_shares(seen, due, said)

    def test_a_counted_event(self):
        seen, due, said = self.shares(1000, "--event", "page-faults")
        self.assert_alone(said)
        self.assert_shares(seen, due, said)

    def test_none_where_every_task_is_looked_at(self):
        seen, due, said = self.shares(200, "--all-tasks")
        self.assertEqual(self.alone(said), 0, said)
        self.assert_shares(seen, due, said)
