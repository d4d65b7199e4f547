"""What cannot be done is said in one line of cause and one of remedy, at once, and the target never feels it."""
import os
import shutil
import subprocess
import time
import unittest

import harness
import interpreters

READERS = (["record", "-d", "1", "-f", "folded", "-o", "-"], ["dump"], ["dump", "--json"])


def unused_pid():
    """A pid that is no process: that of a child which ended and was waited for."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


class NoSuchProcess(harness.ToolTest):

    def assert_refused(self, pid, status):
        for command in READERS:
            with self.subTest(command=command):
                result = harness.run_tool(*command, "-p", pid, timeout=20)
                self.assert_error(result, status)
                self.assertEqual(result.stdout, b"")

    def test_no_process(self):
        self.assert_refused(unused_pid(), 4)
        self.assert_refused(4194304, 4)

    def test_no_python(self):
        with subprocess.Popen(["sleep", "30"]) as sleeper:
            try:
                self.assert_refused(sleeper.pid, 4)
                self.assertIsNone(sleeper.poll(), "the process was ended")
                with open("/proc/%d/stat" % sleeper.pid) as file:
                    self.assertEqual(file.read().rpartition(")")[2].split()[0], "S")
            finally:
                sleeper.kill()

    def test_zombie(self):
        zombie = subprocess.Popen([self.python, "-c", ""])
        try:
            end = time.monotonic() + 10
            while self.state(zombie.pid) != "Z":
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)
            self.assert_refused(zombie.pid, 4)
        finally:
            zombie.wait()

    def state(self, pid):
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0]

    def test_kernel_thread(self):
        if not os.path.exists("/proc/2/stat") or os.listdir("/proc/2/fd") or os.path.exists("/proc/2/exe"):
            self.skipTest("pid 2 is no kernel thread here")
        self.assert_refused(2, 4)


class OldPython(harness.ToolTest):
    """Interpreters that are too old are refused by their version, and run on."""

    def check(self, minor):
        found = interpreters.discover((minor,))
        if minor not in found:
            self.skipTest("Python %s is not on this machine" % minor)
        target = self.target("ancient.py", python=found[minor].path)
        for command in READERS:
            result = harness.run_tool(*command, "-p", target.pid, timeout=20)
            self.assert_error(result, 4)
            self.assertIn(minor, result.stderr, "the version is named")
        self.assertFalse(target.ended())
        self.assertFalse({"T", "t"} & set(target.states()))

    def test_python_2_7(self):
        self.check("2.7")

    def test_python_3_6(self):
        self.check("3.6")


class Permission(harness.ToolTest):

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
    def test_another_user(self):
        target = self.target("ticking.py")
        os.chmod(self.folder, 0o755)
        copy = shutil.copy(harness.tool(), self.path("awaitscope"))
        os.chmod(copy, 0o755)
        for command in READERS:
            result = harness.run_tool(*command, "-p", target.pid, tool=copy, cwd="/", timeout=20,
                                      user="nobody", group="nogroup", extra_groups=[])
            self.assert_error(result, 3)
            self.assertRegex(result.stderr, "sudo|root|CAP_SYS_PTRACE", "the remedy is named")
            self.assertEqual(result.stdout, b"")
        self.assert_progress(target, "ticks")


class Output(harness.ToolTest):
    """An output that cannot be written is found before the first sample; data that gets lost is an error."""

    def test_no_such_folder(self):
        target = self.target("ticking.py")
        started = time.monotonic()
        result = harness.run_tool("record", "-p", target.pid, "-d", 8, "-f", "folded", "-o", "/nonexistent/x")
        self.assert_error(result, 1)
        self.assertLess(time.monotonic() - started, 4, "found before the recording")
        self.assertIn("/nonexistent/x", result.stderr)
        self.assert_progress(target, "ticks")

    def test_a_folder(self):
        target = self.target("ticking.py")
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-f", "folded", "-o", self.folder)
        self.assert_error(result, 1)

    def test_full_disk(self):
        target = self.target("ticking.py")
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-f", "folded", "-o", "/dev/full")
        self.assert_quiet_end(result)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertEqual(result.stderr.count("awaitscope: error: "), 1, result.stderr)
        self.assertEqual(result.stderr.count("\nhint: ") + result.stderr.startswith("hint: "), 1, result.stderr)
        self.assert_progress(target, "ticks")

    def test_full_disk_as_stdout(self):
        target = self.target("ticking.py")
        for command in READERS:
            with open("/dev/full", "wb") as full:
                result = harness.run_tool(*command, "-p", target.pid, stdout=full)
            self.assert_quiet_end(result)
            self.assertEqual(result.status, 1, "%s: %s" % (command, result.stderr))
            self.assertEqual(result.stderr.count("awaitscope: error: "), 1, result.stderr)
        self.assert_progress(target, "ticks")

    def test_head_takes_one_line(self):
        target = self.target("planted_graph.py")
        process = harness.start_tool("record", "-p", target.pid, "-d", 1, "-r", 1000, "-f", "folded", "-o", "-")
        head = subprocess.Popen(["head", "-1"], stdin=process.stdout, stdout=subprocess.PIPE)
        process.stdout.close()
        process.stdout = None
        line = head.communicate()[0]
        result = harness.finish(process, timeout=20)
        self.assert_done(result)
        self.assertRegex(line, rb"\Athread MainThread;.* \d+\n\Z")


class TargetEnds(harness.EndsTest):

    def test_while_it_is_recorded(self):
        for number in range(5):
            target = self.target("exiting.py", "--after", "1")
            stacks, result = self.record(target, "-r", 500, "-d", 30, timeout=20)
            self.assertTrue(any(stack.has("burn") for stack in stacks), "run %d: %s" % (number, result.stderr))
            self.assertEqual(target.process.wait(5), 0)

    def test_while_it_is_dumped(self):
        """Dumps until the target is gone: each is whole, or says that there is no such process."""
        target = self.target("exiting.py", "--after", "0.7")
        statuses = []
        while statuses.count(4) < 3:
            result = harness.run_tool("dump", "-p", target.pid, timeout=20)
            statuses.append(result.status)
            if result.status == 0:
                self.assert_done(result)
                self.assertIn(b"MainThread", result.stdout)
            else:
                self.assert_error(result, 4)
        self.assertIn(0, statuses)
        self.assertEqual(statuses, sorted(statuses), "no process comes back")

    def test_killed_while_it_is_recorded(self):
        target = self.target("ticking.py")
        process = harness.start_tool("record", "-p", target.pid, "-r", 500, "-d", 30, "-f", "folded", "-o", "-")
        time.sleep(1)
        target.process.kill()
        result = harness.finish(process, timeout=10)
        self.assert_done(result)
        self.assertIn(b"tick", result.stdout)
        target.process.wait()
