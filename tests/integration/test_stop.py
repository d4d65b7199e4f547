"""--engine stop: threads stopped by ptrace(2), what they do afterwards, and that nothing ever stays stopped."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import checks
import harness
import recordings
import test_kill
import test_planted_graph

PRICE = "engine stop: each sample stops a thread; shares are bent near system calls"


class Planted(test_planted_graph.PlantedGraph):
    """Without system calls nothing is bent."""

    free_threaded = False

    def test_every_stack_is_possible_and_shares_are_true(self):
        self.assert_true_and_whole("stop")
        self.assertIn(", engine stop, ", self.result.stderr)
        self.assertEqual(self.result.stderr.count(PRICE), 1, self.result.stderr)

    test_the_same_without_help_of_the_kernel = None
    test_shares_are_true_beside_system_calls = None


class Recordings(recordings.RecordingTest, harness.InterpreterTest):

    def test_the_recording_names_it(self):
        path, result = self.record_file(self.target("steady.py", lifetime=30), "-r", 500, "-d", 2, "--engine", "stop")
        self.assertIn(PRICE, result.stderr)
        self.assertEqual(self.info(path)["recorder"]["engine"], "stop")
        self.assertRegex(result.stderr, r"target stopped [^;]+ per sample")

    def test_threads_that_come_and_go(self):
        target = self.target("threads.py", "--births", lifetime=30)
        before = target.counters()
        stacks, result = self.record(target, "-r", 200, "-d", 3, "--engine", "stop")
        lives = target.counters()["ended"] - before["born"]
        seen = {stack.root for stack in stacks if stack.has("short_life")}
        self.assertGreater(lives, 3, "the target hardly ran")
        self.assertGreaterEqual(len(seen), 0.4 * lives, result.stderr)
        self.assert_progress(target, "born")

    def test_subprocesses(self):
        target = self.target("family.py", "--method", "fork", "--youth", "0.5", lifetime=40)
        path, result = self.record_file(target, "--subprocesses", "-r", 200, "-d", 2, "--engine", "stop")
        seen = {stack.pid for stack in self.stacks(path)}
        counters = target.counters()
        self.assertLessEqual({target.pid, counters["elder_0_pid"], counters["elder_1_pid"]}, seen, result.stderr)
        self.assert_progress(target, "parent_ns")

    def test_a_command(self):
        """Whose end is the recorder's to report, as its parent, while one of its threads traces it."""
        result = harness.run_tool("record", "--engine", "stop", "-r", 500, "-f", "folded", "-o", self.path("out.folded"), "--",
                                  self.python, "-c", "import sys\nfor i in range(6000000): pass\nsys.exit(7)")
        self.assert_done(result, 7)
        with open(self.path("out.folded")) as file:
            self.assertIn("<module>", file.read())


class Calls(harness.EndsTest):
    """System calls that a stop interrupts."""

    def test_python_does_not_see_it(self):
        target = self.target("interrupted.py", lifetime=60)
        self.record(target, "-r", 1000, "-d", 2, "--engine", "stop")
        for _ in range(30):
            self.assert_done(harness.run_tool("dump", "-p", target.pid, "--engine", "stop", "-o", self.path("dump.txt")))
        self.assert_progress(target, "rounds")
        counters = target.counters()
        self.assertEqual({name: counters[name] for name in ("failed", "short")}, {"failed": 0, "short": 0}, target.truth)


class Dump(checks.Checks, harness.InterpreterTest):

    def read(self, target, *args, command="dump", timeout=60):
        result = harness.run_tool(command, "-p", target.pid, "--json", *args, timeout=timeout)
        self.assert_done(result)
        return json.loads(result.stdout), result

    def test_beside_a_ticker(self):
        """10,000 tasks are one answer of one instant, and what it took is said."""
        target = self.target("many_tasks.py", "--tasks", "10000", "--period", "0.01", lifetime=60, wait=40)
        for command in "dump", "tasks":
            document, result = self.read(target, command=command)
            self.assertNotIn("pieces", result.stderr)
            self.assertRegex(result.stderr, r"\A(awaitscope: the process was stopped for [\d.]+ \w+ to be read\n)?\Z")
        document, _ = self.read(target)
        waiting = [task for task in document["tasks"] if task["coroutine"] == "level_a"]
        self.assertEqual((len(waiting), document["one_instant"]), (target.truth["waiting"], True))
        functions = {tuple(frame["function"] for frame in task["frames"]) for task in waiting}
        self.assertEqual(functions, {tuple(self.named(name) for name in target.truth["frames"])})
        self.assertFalse({"T", "t"} & set(target.states()), target.states())

    def test_at_once(self):
        target = self.target("await_shapes.py", "--burn", lifetime=60)
        for _ in range(10):
            document, result = self.read(target, "--engine", "stop")
            self.assertRegex(result.stderr, r"\Aawaitscope: the process was stopped for [\d.]+ \w+ to be read\n\Z")
            self.assert_suspended_tasks(target, document)
        self.assert_progress(target, "gather")

    def test_preempt_never_stops(self):
        target = self.target("many_tasks.py", "--tasks", "10000", "--period", "0.005", lifetime=60, wait=40)
        _, result = self.read(target, "--engine", "preempt")
        self.assertNotIn("was stopped", result.stderr)

    def test_what_was_stopped_before_stays_so(self):
        target = self.target("ticking.py", lifetime=30)
        os.kill(target.pid, signal.SIGSTOP)
        for args in (("dump", "--engine", "stop"), ("tasks", "--engine", "stop"),
                     ("record", "--engine", "stop", "-d", "1", "-f", "folded", "-o", self.path("out.folded"))):
            result = harness.run_tool(*args, "-p", target.pid)
            self.assert_done(result)
            self.assertEqual(set(target.states()), {"T"}, args)
        os.kill(target.pid, signal.SIGCONT)
        self.assert_progress(target, "ticks")


class Traced(harness.EndsTest):
    """A process that somebody else traces already."""

    def trace(self, *command):
        if shutil.which(command[0]) is None:
            self.skipTest("no %s here" % command[0])
        target = self.target("ticking.py", lifetime=60)
        tracer = subprocess.Popen([str(target.pid) if word == "PID" else word for word in command], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(harness.end_process, tracer)
        end = time.monotonic() + 20
        while self.tracer_of(target) != tracer.pid:
            self.assertLess(time.monotonic(), end, "%s does not trace it" % command[0])
            self.assertIsNone(tracer.poll())
            time.sleep(0.01)
        return target, tracer

    def tracer_of(self, target):
        with open("/proc/%d/status" % target.pid) as file:
            return int(next(line for line in file if line.startswith("TracerPid:")).split()[1])

    def assert_refused(self, target, tracer, name):
        out = self.path("out.folded")
        for args in (("dump",), ("tasks",), ("record", "-d", "1", "-f", "folded", "-o", out)):
            result = harness.run_tool(*args, "--engine", "stop", "-p", target.pid, brief=True)
            self.assert_error(result, 1)
            self.assertIn("cannot be stopped: %s (PID %d) is tracing it" % (name, tracer.pid), result.stderr)
        self.assertEqual(self.tracer_of(target), tracer.pid)

    def test_by_strace(self):
        target, tracer = self.trace("strace", "-qq", "-e", "trace=none", "-p", "PID")
        self.assert_refused(target, tracer, "strace")
        self.assert_done(harness.run_tool("dump", "-p", target.pid))  # needs no stop
        self.assert_progress_while_traced(target)

    def assert_progress_while_traced(self, target):
        before = target.counters()["ticks"]
        end = time.monotonic() + 15
        while target.counters()["ticks"] == before:
            self.assertLess(time.monotonic(), end, "the target does not move")

    def test_by_gdb(self):
        target, tracer = self.trace("gdb", "-q", "-nx", "-iex", "set debuginfod enabled off", "-p", "PID")
        self.assert_refused(target, tracer, "gdb")


class Kill(test_kill.Kill):

    test_default_engine = None
    test_a_recording_never_holds_the_target = None

    def test_recording(self):
        self.kill_often("stop", test_kill.KILLS)

    def test_dump(self):
        target = self.target("many_tasks.py", "--tasks", "3000", "--period", "0.001", lifetime=120, wait=40)
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        for number in range(test_kill.KILLS):
            told = "kill %d of seed %d" % (number, seed)
            process = harness.start_tool("dump", "--engine", "stop", "-p", target.pid)
            time.sleep(moments.uniform(0.0, 0.15))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            end = time.monotonic() + test_kill.GRACE
            while test_kill.STOPPED & set(target.states()) and time.monotonic() < end:
                time.sleep(0.001)
            self.assertFalse(test_kill.STOPPED & set(target.states()), told)


if __name__ == "__main__":
    unittest.main()
