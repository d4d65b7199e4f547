"""Nothing that awaitscope does is unbounded in time, whatever the target does or has."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import folded
import harness
import recordings
from test_big_recording import MEASURE

STOPPED = r"awaitscope: the process was stopped for [^\n]* to be read\n"
PIECES = r"awaitscope: warning: the process did not pause [^\n]* tasks were read in [\d,]+ pieces within [^\n]*\n"


class ManyTasks(harness.InterpreterTest):
    """More tasks than can be read before the target runs on."""

    minors = ("3.8", "3.11", "3.13", "3.15")

    def read_all(self, target, command, *args):
        result = harness.run_tool(command, "-p", target.pid, "--json", *args, timeout=90)
        self.assert_done(result)
        self.assertRegex(result.stderr, r"\A(%s)?(%s)?\Z" % (STOPPED, PIECES))
        return json.loads(result.stdout)

    def assert_whole(self, target, document):
        waiting = [task for task in document["tasks"] if task["coroutine"] == "level_a"]
        self.assertEqual(len(waiting), target.truth["waiting"])
        functions = {tuple(frame["function"] for frame in task["frames"]) for task in waiting}
        self.assertEqual(functions, {tuple(self.named(name) for name in target.truth["frames"])})
        parent = {tuple(task["awaited_by"]) for task in waiting}
        self.assertEqual(len(parent), 1, "all stand under one task")

    def test_dump_of_quiet_tasks(self):
        target = self.target("many_tasks.py", "--tasks", "40000", "--still", lifetime=150, wait=60)
        path = self.path("dump.json")
        done = subprocess.run([sys.executable, "-c", MEASURE, harness.tool(), "dump", "-p", str(target.pid), "--json", "-o", path],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(json.loads(done.stdout)[1], 300 << 10, "kilobytes at most")
        with open(path) as file:
            self.assert_whole(target, json.load(file))

    def test_dump_beside_a_task_that_runs_often(self):
        target = self.target("many_tasks.py", "--tasks", "20000", "--period", "0.005", lifetime=240, wait=60)
        for engine in "auto", "preempt":
            self.assert_whole(target, self.read_all(target, "dump", "--engine", engine))
            self.read_all(target, "tasks", "--engine", engine)

    def test_threads_that_hold_a_cpu_are_few_and_brief(self):
        """While all tasks are watched, the recorder has its usual priority nearly always: the reading holds nobody."""
        target = self.target("many_tasks.py", "--tasks", "20000", lifetime=60)
        tool = harness.start_tool("record", "-p", target.pid, "--all-tasks", "-d", "4", "-o", self.path("out.ascope"))
        self.addCleanup(harness.end_process, tool)
        seen = []
        while tool.poll() is None:
            for policy, state in threads_of(tool.pid):
                if state == "R":
                    seen.append(policy)
            time.sleep(0.005)
        self.assert_done(harness.finish(tool))
        self.assertGreater(len(seen), 10, "the recorder works")
        self.assertLess(seen.count(os.SCHED_FIFO), len(seen) / 2, "most of its work is the reading of tasks")


class ManyChainedTasks(harness.EndsTest):

    def test_the_duration_is_kept(self):
        target = self.target("many_tasks.py", "--tasks", "20000", "--chain", "--period", "0.01", lifetime=60, wait=40)
        result = harness.run_tool("record", "-p", target.pid, "--all-tasks", "-d", "2", "-o", self.path("out.ascope"))
        self.assert_done(result)
        self.assertLess(result.seconds, 2 + 5)


def threads_of(pid):
    """[(scheduling policy, state)] of each thread."""
    found = []
    try:
        for tid in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/stat" % (pid, tid), "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            found.append((int(fields[38]), fields[0].decode()))  # proc_pid_stat(5): fields 41 and 3
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


class MemoryThatNeverComes(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False
    minors = ("3.8", "3.11", "3.13", "3.15")

    def never_comes(self, *args):
        target = self.target("never_comes.py", *args, lifetime=40)
        if target.truth["unavailable"]:
            self.skipTest(target.truth["unavailable"])
        return target

    def wait_until_planted(self, target):
        end = time.monotonic() + 20
        while not target.counters()["planted"]:
            self.assertLess(time.monotonic(), end, "the target did not get on")
            time.sleep(0.01)

    def assert_gives_up(self, result):
        self.assert_quiet_end(result)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertRegex(result.stderr, r"awaitscope: error: memory of process \d+ [^\n]*\nhint: \S[^\n]*\n\Z")

    def plant_once_sampled(self, target, tool):
        self.wait_for("the recorder did not begin", lambda: tool.poll() is not None or recordings.samples(tool.pid))
        time.sleep(1)
        target.set_counter("go", 1)
        self.wait_until_planted(target)

    def test_a_recording_keeps_its_duration_and_what_was_sampled(self):
        target = self.never_comes()
        file = self.path("out.ascope")
        tool = harness.start_tool("record", "-p", target.pid, "-d", "4", "-o", file)
        self.addCleanup(harness.end_process, tool)
        started = time.monotonic()
        self.plant_once_sampled(target, tool)
        result = harness.finish(tool, timeout=20, started=started)
        self.assert_gives_up(result)
        self.assertLess(result.seconds, 4 + 5)
        shown = harness.run_tool("report", file, "-f", "folded")
        self.assert_done(shown)
        functions = {stack.names[-1] for stack in folded.parse(shown.stdout)}
        self.assertEqual(functions, {"before"})

    def test_ctrl_c_ends_a_recording(self):
        target = self.never_comes()
        tool = harness.start_tool("record", "-p", target.pid, "-o", self.path("out.ascope"))
        self.addCleanup(harness.end_process, tool)
        self.plant_once_sampled(target, tool)
        time.sleep(0.5)
        harness.send(tool, signal.SIGINT)
        self.assert_gives_up(harness.finish(tool, timeout=10))

    def test_dump_says_so(self):
        target = self.never_comes()
        target.set_counter("go", 1)
        self.wait_until_planted(target)
        self.assert_gives_up(harness.run_tool("dump", "-p", target.pid, timeout=20))


class FileSystemThatDoesNotAnswer(MemoryThatNeverComes):
    """FUSE. Until the file system is gone the kernel keeps a process that waits for it; by then all is said and written."""

    minors = ("3.8", "3.13")

    def never_comes(self, *args):
        folder = self.path("mount")
        os.mkdir(folder)
        return super().never_comes("--fuse", folder, *args)

    def said_by(self, target, *args, number=None):
        """What the tool says until it has given up, which it does before the file system goes."""
        told = self.path("told")
        with open(told, "wb") as file:
            tool = subprocess.Popen([harness.tool()] + [str(arg) for arg in args], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=file)
        self.addCleanup(harness.end_process, tool)
        self.addCleanup(harness.end_process, target.process)  # before the tool, which waits for it
        if not target.counters()["planted"]:
            self.plant_once_sampled(target, tool)
        if number is not None:
            time.sleep(0.5)
            harness.send(tool, number)
        end = time.monotonic() + 20
        said = ""
        while "\nhint: " not in said:
            self.assertLess(time.monotonic(), end, "it does not give up: %s" % said)
            time.sleep(0.05)
            with open(told) as file:
                said = file.read()
        harness.end_process(target.process)
        self.assertEqual(tool.wait(20), 1)
        self.assertRegex(said, r"awaitscope: error: memory of process \d+ [^\n]*\nhint: \S[^\n]*\n\Z")

    def test_a_recording_keeps_its_duration_and_what_was_sampled(self):
        target = self.never_comes()
        file = self.path("out.ascope")
        self.said_by(target, "record", "-p", target.pid, "-d", "4", "-o", file)
        shown = harness.run_tool("report", file, "-f", "folded")
        self.assert_done(shown)
        self.assertIn("before", {stack.names[-1] for stack in folded.parse(shown.stdout)})

    def test_ctrl_c_ends_a_recording(self):
        target = self.never_comes()
        self.said_by(target, "record", "-p", target.pid, "-o", self.path("out.ascope"), number=signal.SIGINT)

    def test_dump_says_so(self):
        target = self.never_comes()
        target.set_counter("go", 1)
        self.wait_until_planted(target)
        self.said_by(target, "dump", "-p", target.pid)


class RealTimeTarget(harness.EndsTest):
    """A target that keeps its CPU from everybody of a lower priority, the sampler included."""

    timing_sensitive = True  # it would take a CPU from the others

    def busy(self):
        target = self.target("real_time.py", lifetime=25)
        if target.truth["unavailable"]:
            self.skipTest(target.truth["unavailable"])
        return target

    def test_the_duration_is_kept(self):
        target = self.busy()
        file = self.path("out.ascope")
        result = harness.run_tool("record", "-p", target.pid, "-d", "2", "-o", file, timeout=20)
        self.assert_done(result)
        self.assertLess(result.seconds, 2 + 5)
        self.assertIn("has a higher real-time priority", result.stderr)
        self.assertGreater(int(re.search(r"([\d,]+) late", result.stderr)[1].replace(",", "")), 0, result.stderr)
        self.assertFalse(target.ended())

    def test_ctrl_c_and_dump_are_answered(self):
        target = self.busy()
        tool = harness.start_tool("record", "-p", target.pid, "-o", self.path("out.ascope"))
        self.addCleanup(harness.end_process, tool)
        time.sleep(1.5)
        harness.send(tool, signal.SIGINT)
        self.assert_done(harness.finish(tool, timeout=6))
        self.assert_done(harness.run_tool("dump", "-p", target.pid, timeout=10))
        self.assertFalse(target.ended())


class Rates(harness.ToolTest):

    def test_a_rate_without_a_tick_is_refused(self):
        target = self.target("ticking.py", lifetime=30)
        for rate in ("1e-12", "1e-6", "1e9"):
            result = harness.run_tool("record", "-p", target.pid, "-d", "1", "-r", rate, "-f", "folded", timeout=10)
            self.assert_error(result, 2)

    def test_any_other_keeps_the_duration(self):
        target = self.target("ticking.py", lifetime=30)
        for rate in ("0.001", "1e6"):
            result = harness.run_tool("record", "-p", target.pid, "-d", "1", "-r", rate, "-f", "folded", timeout=10)
            self.assert_done(result)
            self.assertLess(result.seconds, 1 + 5)
