"""Threads that run no Python, and threads whose state names another one: nothing of what they use is lost."""
import os
import shutil
import subprocess
import unittest

import folded
import harness
import recordings


class NativeThreads(recordings.RecordingTest, harness.EndsTest):

    def cpu_of(self, target):
        """{thread's name by the kernel: its CPU time in nanoseconds}"""
        found = {}
        for tid in os.listdir("/proc/%d/task" % target.pid):
            folder = "/proc/%d/task/%s/" % (target.pid, tid)
            with open(folder + "comm", encoding="ascii") as name, open(folder + "schedstat", encoding="ascii") as account:
                found[tid, name.read().strip()] = int(account.read().split()[0])
        return found

    def test_a_thread_that_burns_in_c(self):
        compiler = shutil.which("cc")
        if compiler is None:
            raise unittest.SkipTest("no C compiler")
        library = self.path("native.so")
        source = os.path.join(harness.TARGETS, "native_threads.c")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-lpthread"], check=True)
        target = self.target("native_threads.py", "--library", library, lifetime=30)
        before = self.cpu_of(target)
        path, _ = self.record_file(target, "-d", 4)
        after = self.cpu_of(target)
        used = {key: after[key] - before[key] for key in before}
        native = sum(ns for (_, name), ns in used.items() if name == "burns-in-c")
        stacks = self.stacks(path, "--metric", "cpu")
        whole = folded.total(stacks)
        seen = folded.total([stack for stack in stacks if stack.root == "native thread burns-in-c"])
        self.assertLess(abs(seen / whole - native / sum(used.values())), 0.05, "%s; %s" % (used, [s.line for s in stacks]))
        python = folded.total([stack for stack in stacks if stack.has("burn_in_python")])
        self.assertGreater(python + seen, 0.9 * whole)


class RawFork(recordings.RecordingTest, harness.InterpreterTest):

    def test_first_thread_of_a_child(self):
        target = self.target("raw_fork.py", lifetime=12)
        before = target.counters()
        path, result = self.record_file(target, "-r", 200, "-d", 2)
        after = target.counters()
        stacks = self.stacks(path, "--metric", "cpu")
        whole, spent = folded.total(stacks), sum(after.values()) - sum(before.values())
        for name in ("first", "second"):
            seen = folded.total([stack for stack in stacks if stack.has(name)]) / whole
            true = (after[name + "_ns"] - before[name + "_ns"]) / spent
            self.assertLess(abs(seen - true), 0.1, "%s: %.2f, truly %.2f\n%s" % (name, seen, true, result.stderr))
        dump = harness.run_tool("dump", "-p", target.pid)
        self.assert_done(dump)
        for name in (b"first", b"second"):
            self.assertIn(name, dump.stdout)
