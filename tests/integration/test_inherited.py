"""record -- CMD leaves CMD all that it would have inherited alone; and what awaitscope inherits, it honours."""
import ctypes
import os
import re
import resource
import signal
import subprocess
import sys

import harness
import recordings

PR_SET_TIMERSLACK = 29
FILES = ("status", "limits", "timerslack_ns", "coredump_filter", "oom_score_adj", "personality", "cgroup", "environ")
# Of /proc/PID/status: what is of one process alone, or of one moment.
PASSING = re.compile(r"(FDSize|Tgid|Ngid|Pid|PPid|NStgid|NSpid|Vm\w+|Rss\w+|\w+_ctxt_switches|SigQ|State):")
# Of /proc/PID/stat, counted from the state, which is 3 there: group, session, terminal, priority, nice, rt_priority, policy.
SCHEDULING = (5, 6, 7, 18, 19, 40, 41)
DESCRIPTORS = """
import os
for number in range(1000):
    try:
        print(number, os.readlink("/proc/self/fd/%d" % number))
    except FileNotFoundError:
        pass
"""


def ignore(*numbers):
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def as_nohup():
    ignore(signal.SIGHUP)


def in_the_background():
    ignore(signal.SIGINT, signal.SIGQUIT)


def with_much_else():
    ignore(signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGUSR1, signal.SIGRTMAX)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGALRM})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    resource.setrlimit(resource.RLIMIT_RTTIME, (700_000, 900_000))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 123_456, 0, 0, 0)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(3)
    os.umask(0o027)


def with_closed_streams():
    os.close(0)
    os.close(2)


def at_real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(3))


def may_be_real_time():
    try:
        at_real_time()
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


class Inherited(harness.ToolTest):

    def setUp(self):
        super().setUp()
        self.kept = os.open(os.devnull, os.O_RDONLY)  # for a command to inherit
        self.addCleanup(os.close, self.kept)

    def output_of(self, command, state):
        """What a command prints, begun in a state."""
        path = self.path("printed")
        with open(path, "wb") as printed, open(self.path("said"), "wb") as said:
            process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=said, preexec_fn=state,
                                     restore_signals=False, pass_fds=[self.kept], timeout=30)
        with open(path, "rb") as printed:
            text = printed.read().decode("utf-8", "replace")
        self.assertEqual(process.returncode, 0, command)
        return text

    def state_of(self, before, state):
        """What /proc says of a process that was begun in a state, by a command in front of it or by none."""
        paths = ["/proc/self/" + name for name in FILES if os.path.exists("/proc/self/" + name)]
        lines = self.output_of(before + ["cat"] + paths, state).splitlines()
        stat = self.output_of(before + ["cat", "/proc/self/stat"], state).rpartition(")")[2].split()
        descriptors = self.output_of(before + [sys.executable, "-I", "-S", "-c", DESCRIPTORS], state).splitlines()
        return {"lines": [line for line in lines if not PASSING.match(line)],
                "scheduling": [stat[field - 3] for field in SCHEDULING], "descriptors": descriptors}

    def check(self, state):
        alone = self.state_of([], state)
        recorded = self.state_of([harness.tool(), "record", "-o", self.path("x.ascope"), "--"], state)
        self.assertGreater(len(alone["lines"]), 40)
        for part, value in alone.items():
            self.assertEqual(value, recorded[part])

    def test_plain(self):
        self.check(None)

    def test_as_nohup(self):
        self.check(as_nohup)

    def test_in_the_background(self):
        self.check(in_the_background)

    def test_with_much_else(self):
        self.check(with_much_else)

    def test_with_closed_streams(self):
        self.check(with_closed_streams)

    def test_at_real_time(self):
        if not may_be_real_time():
            self.skipTest("real-time priority is not allowed here")
        self.check(at_real_time)

    def test_a_command_at_real_time_runs_on(self):
        """Longer than the recorder allows itself."""
        if not may_be_real_time():
            self.skipTest("real-time priority is not allowed here")
        code = ("import os, time; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)); end = time.monotonic() + 0.8\n"
                "while time.monotonic() < end: pass")
        result = harness.run_tool("record", "-o", self.path("x.ascope"), "--", self.python, "-c", code)
        self.assert_done(result)

    def test_the_status_where_children_are_ignored(self):
        result = harness.run_tool("record", "-o", self.path("x.ascope"), "--", self.python, "-c",
                                  "import sys, time; time.sleep(0.3); sys.exit(7)", preexec_fn=lambda: ignore(signal.SIGCHLD))
        self.assertEqual(result.status, 7, result.stderr)


class Honoured(recordings.RecordingTest):
    """A signal that was ignored when awaitscope began does not end it."""

    def check(self, number):
        target = self.target("ticking.py")
        path = self.path("out.ascope")
        process = harness.start_tool("record", "-p", target.pid, "-d", 1.5, "-o", path, preexec_fn=lambda: ignore(number))
        self.wait_for("the recorder did not begin", lambda: process.poll() is not None or recordings.samples(process.pid))
        process.send_signal(number)
        process.send_signal(number)
        self.assert_done(harness.finish(process))
        self.assertGreater(self.info(path)["elapsed_ns"], 1.4e9, "it ended before its time")

    def test_nohup(self):
        self.check(signal.SIGHUP)

    def test_background_job(self):
        self.check(signal.SIGINT)


class ClosedStreams(recordings.RecordingTest):

    def without(self, *numbers):
        def close():
            for number in numbers:
                os.close(number)
        return close

    def test_no_message_gets_into_the_data(self):
        target = self.target("ticking.py")
        for numbers in ((2,), (1, 2), (0, 2), (0, 1, 2)):
            with self.subTest(closed=numbers):
                path = self.path("out.ascope")
                result = harness.run_tool("record", "-v", "-p", target.pid, "-d", "300ms", "-o", path,
                                          preexec_fn=self.without(*numbers))
                self.assert_done(result)
                self.assertEqual(self.info(path)["ending"], "whole")
                with open(path, "rb") as file:
                    self.assertNotIn(b"awaitscope: ", file.read())
                result = harness.run_tool("report", path, "-f", "folded", "-o", self.path("x.folded"),
                                          preexec_fn=self.without(*numbers))
                self.assert_done(result)
                with open(self.path("x.folded"), "rb") as file:
                    self.assertNotIn(b"awaitscope: ", file.read())

    def test_data_for_a_closed_stream_is_an_error(self):
        target = self.target("ticking.py")
        result = harness.run_tool("dump", "-p", target.pid, preexec_fn=self.without(0, 1))
        self.assert_error(result, 1)
        self.assertIn("stdout", result.stderr)
