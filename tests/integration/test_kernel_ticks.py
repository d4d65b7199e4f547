"""Ticks that the kernel samples while the recorder sleeps: nothing is missing, and all has its share."""
import re
import time
import unittest

import bpf_here
import folded
import harness
import recordings

SECONDS = 5


@unittest.skipIf(bpf_here.why_not(), bpf_here.why_not())
class KernelTicks(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False

    def shares(self, rate, *args):
        """-> (samples of each function as folded, what the target says of it in ticks, the recorder's words)."""
        target = self.target("steady.py", lifetime=SECONDS * 3)
        before, begun = target.counters(), time.monotonic_ns()
        path, result = self.record_file(target, "-r", rate, "-d", SECONDS, "--engine", "bpf", *args)
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

    def copied(self, said):
        """-> (readings that began with what the kernel had copied, and those of them that it made while the recorder slept)."""
        numbers = re.search(r"copied by bpf: ([\d,]+) readings, ([\d,]+) of them", said).groups()
        return tuple(int(number.replace(",", "")) for number in numbers)

    def assert_copied(self, seen, said):
        """Many samples of the busy thread began with what the kernel had copied; and many were made by it alone if the target did
        not have to share its CPU: a thread that the CPU is taken from ends a series of such ticks."""
        copied, alone = self.copied(said)
        self.assertGreater(copied, 0.1 * (seen["heavy"] + seen["light"]), said)
        if self.waited < 0.01:
            self.assertGreater(alone, 0.2 * harness.ticks(said), said)

    def assert_shares(self, seen, due, said):
        text = "%s; by the target %s\n%s" % (seen, due, said)
        self.assertGreater(min(due.values()), 0, text)
        steady, truly = seen["heavy"] + seen["light"], due["heavy"] + due["light"]
        self.assertLess(abs(seen["heavy"] / steady - due["heavy"] / truly), 0.02 + 1.5 / steady ** 0.5, text)
        self.assertGreater(steady, 0.9 * truly, text)
        self.assertLess(steady, 1.1 * truly, text)
        # Read in one tick of nine, and counted for all of them: its noise is that of a ninth of the samples, and it comes in bursts.
        noise = 4 * (9 * due["in_native_code"]) ** 0.5
        self.assertGreater(seen["in_native_code"], max(0, 0.7 * due["in_native_code"] - noise), text)
        self.assertLess(seen["in_native_code"], 1.5 * due["in_native_code"] + noise, text)
        self.assertNotIn("unreadable", said.split("lost:")[1].split(";")[0], text)

    def test_most_ticks_of_a_busy_thread(self):
        seen, due, said = self.shares(1000)
        self.assert_copied(seen, said)
        self.assert_shares(seen, due, said)

    def test_a_counted_event(self):
        seen, due, said = self.shares(1000, "--event", "page-faults")
        self.assert_copied(seen, said)
        self.assert_shares(seen, due, said)

    def test_none_where_every_task_is_watched(self):
        seen, due, said = self.shares(200, "--all-tasks")
        self.assertEqual(self.copied(said)[1], 0, said)
        self.assert_shares(seen, due, said)
