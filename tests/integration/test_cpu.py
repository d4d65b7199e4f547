"""CPU time: the sum is the kernel's, the shares are those that the target's own threads measured."""
import os

import folded
import harness
import recordings

SECONDS = 6
TICKS = os.sysconf("SC_CLK_TCK")


def process_cpu(pid):
    """utime + stime of the whole process, in nanoseconds."""
    with open("/proc/%d/stat" % pid, "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICKS


class Cpu(recordings.RecordingTest, harness.InterpreterTest):
    timing_sensitive = True

    def record_cpu(self, *args):
        """-> (path, {counter: its growth}, utime + stime meanwhile)."""
        target = self.target("cpu_split.py", *args, lifetime=SECONDS * 3)
        before, kernel = target.counters(), process_cpu(target.pid)
        path, _ = self.record_file(target, "-r", 1000, "-d", SECONDS)
        spent = process_cpu(target.pid) - kernel
        after = target.counters()
        return path, {name: after[name] - before[name] for name in after}, spent

    def assert_sum(self, path, spent):
        total = folded.total(self.stacks(path, "--metric", "cpu"))
        self.assertLessEqual(abs(total - spent), 0.05 * spent, "%d ns; utime + stime say %d" % (total, spent))
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
            true = 100 * truth[name + "_ns"] / sum(truth[other + "_ns"] for other in names)
            self.assertLessEqual(abs(seen - true), 2.0, "%s: %.2f points, truly %.2f" % (name, seen, true))

    def test_one_thread_that_also_sleeps(self):
        path, truth, spent = self.record_cpu()
        self.assertGreater(truth["slept_ns"], 2e8, "it slept as well")
        info = self.assert_sum(path, spent)
        self.assertLessEqual(info["unsampled_cpu_ns"], 0.02 * info["process_cpu_ns"])
        self.assert_shares(path, truth, ("three", "one"))
        hot = {row["function"]: row for row in self.hot(path, "--metric", "cpu")["functions"]}
        burnt = truth["three_ns"] + truth["one_ns"]
        self.assertLessEqual(abs(hot["burn"]["total"]["cpu_ns"] - burnt), 0.05 * burnt)
        self.assertLess(hot.get("doze", {"total": {"cpu_ns": 0}})["total"]["cpu_ns"], 0.05 * burnt)

    def test_threads_born_and_ended_meanwhile(self):
        path, truth, spent = self.record_cpu("--threads")
        self.assertGreater(truth["born"], 5, "the target hardly ran")
        info = self.assert_sum(path, spent)
        # Also what a thread used after its last sample has its function, but of threads that no tick has met.
        self.assertLessEqual(info["unsampled_cpu_ns"], 0.03 * info["process_cpu_ns"])
        self.assert_shares(path, truth, ("three", "one", "short"))
