"""Counted events: the sum is the kernel's, whoever came and went, and the shares are those that the target measured itself."""
import struct

import folded
import harness
import recordings

MINORS = ("oldest", "3.11", "3.13", "newest")
SECONDS = 3


class Truth:
    """What the target says of itself between two moments, from the log of its steps."""

    def __init__(self, target, since_ns, until_ns):
        columns = target.truth["columns"]
        with open(target.truth["log"], "rb") as file:
            data = file.read()
        row = struct.Struct("%dQ" % len(columns))
        self._rows = list(row.iter_unpack(data[:len(data) // row.size * row.size]))
        first, last = self._at(since_ns), self._at(until_ns)
        self.grown = {name: last[i] - first[i] for i, name in enumerate(columns)}

    def _at(self, moment):
        later = next(i for i, row in enumerate(self._rows) if row[0] > moment)
        before, after = self._rows[later - 1], self._rows[later]
        part = (moment - before[0]) / (after[0] - before[0])
        return [a + (b - a) * part for a, b in zip(before, after)]

    def share(self, name, names, kind):
        return 100 * self.grown[name + kind] / sum(self.grown[other + kind] for other in names)


class EventsTest(recordings.RecordingTest):
    timing_sensitive = True

    def record_event(self, event, *args):
        """-> (path, what `info` says, the target's truth meanwhile)."""
        target = self.target("counted.py", *args, lifetime=SECONDS * 6)
        path, result = self.record_file(target, "-r", 1000, "-d", SECONDS, "--event", event)
        self.assertIn("event %s, by perf_event_open" % event, result.stderr)
        info = self.info(path)
        self.assertEqual((info["recorder"]["event"], info["recorder"]["event_source"]), (event, "perf_event_open"))
        start = info["start_monotonic_ns"]
        self.wait_for("the target hardly runs", lambda: self.has_row_after(target, start + info["elapsed_ns"]))
        return path, info, Truth(target, start, start + info["elapsed_ns"]).grown, target

    def has_row_after(self, target, moment):
        with open(target.truth["log"], "rb") as file:
            data = file.read()
        size = 8 * len(target.truth["columns"])
        last = len(data) // size - 1
        return struct.unpack_from("Q", data, last * size)[0] > moment

    def assert_sum(self, path, info, truly):
        total = folded.total(self.stacks(path, "--metric", "events"))
        self.assertLessEqual(abs(total - truly), 0.05 * truly, "%d events; the target says %d" % (total, truly))
        self.assertEqual(info["events"] + info["unsampled_events"], info["process_events"])
        self.assertEqual(total, info["process_events"])

    def assert_shares(self, path, truth, names, kind, points):
        stacks = self.stacks(path, "--metric", "events")
        counts = {name: sum(stack.count for stack in stacks if stack.has(name)) for name in names}
        for name in names:
            seen = 100 * counts[name] / sum(counts.values())
            true = 100 * truth[name + kind] / sum(truth[other + kind] for other in names)
            self.assertLessEqual(abs(seen - true), points, "%s: %.2f %%, truly %.2f %%" % (name, seen, true))


class Faults(EventsTest, harness.InterpreterTest):
    minors = MINORS

    def test_split_and_sum_with_threads_born_meanwhile(self):
        path, info, truth, _ = self.record_event("page-faults", "--threads")
        self.assertGreater(truth["born"], 10, "the target hardly ran")
        self.assert_sum(path, info, truth["process_faults"])
        self.assertGreater(truth["one_cpu_ns"], 1.5 * truth["three_cpu_ns"], "time is split otherwise")
        self.assert_shares(path, truth, ("three", "one"), "_faults", 3)
        self.assert_shares(path, truth, ("three", "one", "short"), "_faults", 3)


class TaskClock(EventsTest, harness.InterpreterTest):
    minors = MINORS

    def test_clock_of_processes_and_functions(self):
        path, info, truth, _ = self.record_event("task-clock", "--threads")
        self.assert_sum(path, info, truth["process_cpu_ns"])
        self.assert_shares(path, truth, ("three", "one", "short"), "_cpu_ns", 2)


class Switches(EventsTest):

    def test_context_switches(self):
        path, info, truth, _ = self.record_event("context-switches", "--what", "naps")
        self.assert_sum(path, info, truth["process_switches"])
        self.assert_shares(path, truth, ("three", "one"), "_switches", 3)
