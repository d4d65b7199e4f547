"""Counted events: the sum is the kernel's, whoever came and went, and the shares are those that the target measured itself."""
import errno
import os
import shutil
import struct
import subprocess
import time
import unittest

import folded
import harness
import recordings
import syscall_filter

MINORS = ("oldest", "3.11", "3.13", "newest")
SECONDS = 2


def stolen_ns():
    """How long this machine's CPUs wanted to run and another machine had them (proc_stat(5))."""
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Truth:
    """What the target says of itself between two moments, from the log of its steps."""

    def __init__(self, target, since_ns, until_ns, log=None):
        columns = target.truth["columns"]
        with open(log or target.truth["log"], "rb") as file:
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


def last_row(target, log):
    """When the log's last whole row was written."""
    size = 8 * len(target.truth["columns"])
    with open(log, "rb") as file:
        data = file.read()
    return struct.unpack_from("Q", data, (len(data) // size - 1) * size)[0]


class EventsTest(recordings.RecordingTest):

    def record_event(self, event, *args, enough_ns=1e9):
        """Until the target has used `enough_ns` of CPU time -> (path, what `info` says, the target's truth meanwhile)."""
        target = self.target("counted.py", *args, lifetime=90)
        path = self.path("out.ascope")
        used = recordings.process_cpu(target.pid)
        end = time.monotonic() + SECONDS

        def enough():
            return time.monotonic() > end and recordings.process_cpu(target.pid) - used > enough_ns
        result = self.record_until(target, enough, "-r", 1000, "--event", event, "-o", path)
        self.assertIn("event %s, by perf_event_open" % event, result.stderr)
        info = self.info(path)
        self.assertEqual((info["recorder"]["event"], info["recorder"]["event_source"]), (event, "perf_event_open"))
        start = info["start_monotonic_ns"]
        self.wait_for("the target hardly runs", lambda: last_row(target, target.truth["log"]) > start + info["elapsed_ns"])
        return path, info, Truth(target, start, start + info["elapsed_ns"]).grown

    def assert_sum(self, path, info, truly, unsure=0):
        """The target says `truly`, or up to `unsure` more."""
        total = folded.total(self.stacks(path, "--metric", "events"))
        told = "%d events; the target says %d, up to %d more" % (total, truly, unsure)
        self.assertGreaterEqual(total, 0.95 * truly, told)
        self.assertLessEqual(total, 1.05 * truly + unsure, told)
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
    minor_matters = False
    minors = MINORS

    def test_split_and_sum_with_threads_born_meanwhile(self):
        path, info, truth = self.record_event("page-faults", "--threads")
        self.assertGreater(truth["born"], 5, "the target hardly ran")
        self.assert_sum(path, info, truth["process_faults"])
        self.assertGreater(truth["one_cpu_ns"], 1.5 * truth["three_cpu_ns"], "time is split otherwise")
        self.assert_shares(path, truth, ("three", "one"), "_faults", 3)
        self.assert_shares(path, truth, ("three", "one", "short"), "_faults", 3)


class TaskClock(EventsTest, harness.InterpreterTest):
    minor_matters = False
    minors = MINORS

    def test_clock_of_processes_and_functions(self):
        before = stolen_ns()
        path, info, truth = self.record_event("task-clock", "--threads")
        # kernel/events/core.c counts by its clock while a thread has a CPU; kernel/sched/core.c, update_rq_clock_task(), takes
        # what the hypervisor has stolen off the time that a process is told to have used.
        self.assert_sum(path, info, truth["process_cpu_ns"], unsure=stolen_ns() - before)
        self.assert_shares(path, truth, ("three", "one", "short"), "_cpu_ns", 2)


class Switches(EventsTest):

    def test_context_switches(self):
        path, info, truth = self.record_event("context-switches", "--what", "naps", enough_ns=0)
        self.assert_sum(path, info, truth["process_switches"])
        self.assert_shares(path, truth, ("three", "one"), "_switches", 3)


class Processes(EventsTest):

    def test_each_process_is_counted(self):
        """What a process did for its CPU time is as it says itself, whenever it was found."""
        target = self.target("counted.py", "--fork", "--phase", "5", lifetime=SECONDS * 6)
        child = target.truth["child"]
        path, _ = self.record_file(target, "-r", 1000, "-d", SECONDS, "--event", "page-faults", "--subprocesses")
        info = self.info(path)
        self.assertLessEqual(info["unsampled_events"], 0.05 * info["process_events"])
        start = info["start_monotonic_ns"]
        for pid, log in ((target.pid, target.truth["log"]), (child, target.truth["child_log"])):
            self.wait_for("the process hardly runs", lambda: last_row(target, log) > start + info["elapsed_ns"])
            truth = Truth(target, start, start + info["elapsed_ns"], log).grown
            counts = {metric: sum(stack.count for stack in self.stacks(path, "--metric", metric) if stack.pid == pid)
                      for metric in ("events", "cpu")}
            self.assertGreater(counts["events"], 100)
            seen = counts["events"] / counts["cpu"]
            true = truth["process_faults"] / truth["process_cpu_ns"]
            self.assertLessEqual(abs(seen / true - 1), 0.05, "%g faults a second; truly %g" % (seen * 1e9, true * 1e9))


class Views(recordings.RecordingTest):
    """What counts is told by its name."""

    def test_of_a_counted_event(self):
        target = self.target("counted.py")
        path, result = self.record_file(target, "-r", 200, "-d", 1, "--event", "minor-faults")
        self.assertRegex(result.stderr, "event minor-faults, by perf_event_open: [1-9]")
        table = self.report(path, "-f", "hot", "--metric", "events").decode()
        self.assertIn("\nminor-faults, by self: ", table)
        self.assertEqual(self.hot(path)["event"], "minor-faults")
        self.assertRegex(self.report(path, "-f", "info").decode(), "(?m)^event +minor-faults, by perf_event_open of each")
        named = harness.run_tool("report", path, "-f", "folded", "--metric", "events")
        self.assertIn("unit minor-faults", named.stderr)
        self.assertIn(b'"unit":"none"', self.report(path, "-f", "speedscope", "--metric", "events"))

    def test_of_a_folded_file_at_once(self):
        target = self.target("counted.py")
        stacks, result = self.record(target, "-d", 1, "--event", "page-faults", "--metric", "events")
        self.assertIn("unit page-faults", result.stderr)
        self.assertGreater(sum(stack.count for stack in stacks if stack.has("three")), 20)

    def test_without_a_name_and_without_counters(self):
        """Instructions, where they are counted; else the task-clock is what the CPU times are."""
        target = self.target("counted.py")
        path, result = self.record_file(target, "-r", 200, "-d", 1,
                                        preexec_fn=syscall_filter.refuse(syscall_filter.PERF_EVENT_OPEN, errno.ENOENT))
        self.assertIn("event task-clock, by schedstat", result.stderr)
        info = self.info(path)
        self.assertEqual((info["recorder"]["event"], info["recorder"]["event_source"]), ("task-clock", "schedstat"))
        self.assertEqual((info["events"], info["process_events"]), (info["cpu_ns"], info["process_cpu_ns"]))
        self.assertEqual(self.report(path, "-f", "folded", "--metric", "events"),
                         self.report(path, "-f", "folded", "--metric", "cpu"))
        events = self.report(path, "-f", "hot", "--metric", "events").decode()
        self.assertIn("\ntask-clock, by self: ", events)
        self.assertEqual(events.replace("task-clock", "CPU time"), self.report(path, "-f", "hot").decode())

    def test_none(self):
        target = self.target("counted.py")
        path, _ = self.record_file(target, "-d", "0.3", "--event", "none")
        self.assertIsNone(self.info(path)["recorder"]["event"])
        self.assert_error(harness.run_tool("report", path, "--metric", "events"), 1)


class Refused(harness.ToolTest):
    """What cannot be counted is said before anything is recorded, or started."""

    def refused(self, event, status, remedy, *command, **how):
        output = self.path("never")
        target = command or ("-p", self.target("ticking.py").pid)
        result = harness.run_tool("record", "-d", 5, "-o", output, "--event", event, *target, timeout=20, **how)
        self.assert_error(result, status)
        self.assertRegex(result.stderr, remedy)
        self.assertFalse(os.path.exists(output))

    def filtered(self, error):
        return {"preexec_fn": syscall_filter.refuse(syscall_filter.PERF_EVENT_OPEN, error)}

    def test_the_machine_lacks_a_counter(self):
        self.refused("instructions", 1, "virtual machine.*page-faults", **self.filtered(errno.ENOENT))
        self.refused("cache-misses", 1, "virtual machine.*page-faults", **self.filtered(errno.EOPNOTSUPP))

    def test_a_container_forbids_it(self):
        self.refused("page-faults", 3, "CAP_PERFMON", **self.filtered(errno.EPERM))
        self.refused("page-faults", 3, "seccomp|CAP_PERFMON|PERFMON", **self.filtered(errno.ENOSYS))

    def test_before_the_command_runs(self):
        mark = self.path("ran")
        self.refused("page-faults", 3, "CAP_PERFMON", "--", "touch", mark, **self.filtered(errno.EPERM))
        self.refused("no-such-event", 2, "--event", "--", "touch", mark)
        self.assertFalse(os.path.exists(mark))

    def test_unknown(self):
        target = self.target("ticking.py")
        for event in ("no-such-event", "page-faults,cycles", "context-switches:u", "task-clock:k", ""):
            self.refused(event, 2, "--event", "-p", target.pid)


def paranoid():
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
        return int(file.read())


@unittest.skipUnless(os.geteuid() == 0, "needs root, to do without its rights")
class Unprivileged(recordings.RecordingTest):

    def test_another_user(self):
        if paranoid() < 2:
            self.skipTest("kernel.perf_event_paranoid lets everyone count everything")
        os.chmod(self.folder, 0o755)
        copy = shutil.copy(harness.tool(), self.path("awaitscope"))
        os.chmod(copy, 0o755)
        target = self.target("ticking.py")
        result = harness.run_tool("record", "-p", target.pid, "--event", "context-switches", "-o", "/dev/null", tool=copy,
                                  cwd="/", timeout=20, user="nobody", group="nogroup", extra_groups=[])
        self.assert_error(result, 3)
        self.assertRegex(result.stderr, "(?s)context-switches.*CAP_PERFMON.*perf_event_paranoid=1")

    def test_user_mode_only(self):
        """What may be counted is, by its right name."""
        if paranoid() != 2:
            self.skipTest("kernel.perf_event_paranoid is not 2")
        if shutil.which("setpriv") is None:
            self.skipTest("there is no setpriv")
        target = self.target("counted.py")
        path = self.path("user.ascope")
        command = ["setpriv", "--bounding-set=-perfmon,-sys_admin", harness.tool()]
        command += ["record", "-v", "-p", str(target.pid), "-d", "1", "-o", path, "--event", "page-faults"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"event page-faults:u, by perf_event_open", done.stderr)
        self.assertEqual(self.info(path)["recorder"]["event"], "page-faults:u")
        self.assertGreater(self.info(path)["events"], 100)
