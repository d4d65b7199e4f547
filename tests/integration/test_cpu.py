"""CPU time: the sum is the kernel's, the shares are those that the target's own threads measured."""
import time

import folded
import harness
import recordings

ENOUGH_NS = 2e9  # of the target's CPU time, however long a busy machine takes to give it
PHASE_NS = 30e6  # the longest step of the target, which either end of a recording may cut


class Cpu(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False

    def record_cpu(self, *args):
        """-> (path, {counter: its growth}, utime + stime meanwhile)."""
        target = self.target("cpu_split.py", *args, lifetime=90)
        begun, before, kernel = time.monotonic_ns(), target.counters(), recordings.process_cpu(target.pid)
        path = self.path("out.ascope")
        self.record_until(target, lambda: recordings.process_cpu(target.pid) - kernel > ENOUGH_NS, "-r", 1000, "-o", path)
        spent = recordings.process_cpu(target.pid) - kernel
        after = target.counters()
        # What the truth has of the time before and after the recording, at the most: one thread runs at a time.
        self.outside = time.monotonic_ns() - begun - self.info(path)["elapsed_ns"]
        return path, {name: after[name] - before[name] for name in after}, spent

    def assert_within(self, found, truth, told):
        self.assertLessEqual(found, 1.05 * truth, told)
        self.assertGreaterEqual(found, 0.95 * truth - self.outside, told)

    def assert_sum(self, path, spent):
        total = folded.total(self.stacks(path, "--metric", "cpu"))
        self.assert_within(total, spent, "%d ns; utime + stime say %d" % (total, spent))
        info = self.info(path)
        # Of the last moments of threads that ended the clock is another one, which also counts interrupts.
        self.assertLessEqual(abs(info["cpu_ns"] + info["unsampled_cpu_ns"] - info["process_cpu_ns"]),
                             0.005 * info["process_cpu_ns"])
        return info

    def assert_shares(self, path, truth, names):
        stacks = self.stacks(path, "--metric", "cpu")
        cpu = {name: sum(stack.count for stack in stacks if stack.has(name)) for name in names}
        for name in names:
            seen = 100 * cpu[name] / sum(cpu.values())
            spent = sum(truth[other + "_ns"] for other in names)
            true = 100 * truth[name + "_ns"] / spent
            self.assertLessEqual(abs(seen - true), 2.0 + 100 * PHASE_NS / spent, "%s: %.2f points, truly %.2f" % (name, seen, true))

    def test_one_thread_that_also_sleeps(self):
        path, truth, spent = self.record_cpu()
        self.assertGreater(truth["slept_ns"], 2e8, "it slept as well")
        info = self.assert_sum(path, spent)
        self.assertLessEqual(info["unsampled_cpu_ns"], 0.02 * info["process_cpu_ns"])
        self.assert_shares(path, truth, ("three", "one"))
        hot = {row["function"]: row for row in self.hot(path, "--metric", "cpu")["functions"]}
        burnt = truth["three_ns"] + truth["one_ns"]
        self.assert_within(hot["burn"]["total"]["cpu_ns"], burnt, "%s; truly %d" % (hot["burn"], burnt))
        self.assertLess(hot.get("doze", {"total": {"cpu_ns": 0}})["total"]["cpu_ns"], 0.05 * burnt)

    def test_threads_born_and_ended_meanwhile(self):
        path, truth, spent = self.record_cpu("--threads")
        self.assertGreater(truth["born"], 5, "the target hardly ran")
        info = self.assert_sum(path, spent)
        # Also what a thread used after its last sample has its function, but of threads that no tick has met.
        self.assertLessEqual(info["unsampled_cpu_ns"], 0.03 * info["process_cpu_ns"])
        self.assert_shares(path, truth, ("three", "one", "short"))
