"""--engine: which one is at work, that recordings name it, and what is said where it cannot be."""
import errno
import os
import re
import unittest

import bpf_here
import harness
import recordings
import refused_calls


class Engines(recordings.RecordingTest):

    def engine_of(self, path, result):
        """The one that the summary and the recording name."""
        engine = re.search(r" Hz asked.*?, engine (\w+), ", result.stderr)[1]
        self.assertEqual(self.info(path)["recorder"]["engine"], engine)
        self.assertIn("engine %s: " % engine, self.report(path, "-f", "info").decode())
        return engine

    def copied(self, result):
        return int(re.search(r"copied by bpf: ([\d,]+) readings", result.stderr)[1].replace(",", ""))

    def record_steady(self, *args, **how):
        return self.record_file(self.target("steady.py", lifetime=30), "-r", 500, "-d", 2, *args, **how)

    @unittest.skipIf(bpf_here.why_not(), bpf_here.why_not())
    def test_bpf_copies(self):
        for name in "bpf", "auto":
            with self.subTest(name):
                path, result = self.record_steady("--engine", name)
                self.assertEqual(self.engine_of(path, result), "bpf")
                # The sampler often replaces the one busy thread on its CPU, also on a busy machine: as often the programs must copy.
                self.assertGreater(self.copied(result), 0.05 * self.info(path)["samples"], result.stderr)

    def test_preempt_does_without(self):
        path, result = self.record_steady("--engine", "preempt")
        self.assertEqual(self.engine_of(path, result), "preempt")
        self.assertEqual(self.copied(result), 0)

    @unittest.skipUnless(refused_calls.can_refuse(), "system calls of this machine are not known")
    def test_auto_does_without_where_bpf_is_refused(self):
        path, result = self.record_steady("--engine", "auto", preexec_fn=refused_calls.refusing("bpf", errno.EPERM))
        self.assertEqual(self.engine_of(path, result), "preempt")

    @unittest.skipUnless(refused_calls.can_refuse(), "system calls of this machine are not known")
    @unittest.skipIf(bpf_here.why_not(), bpf_here.why_not())
    def test_bpf_that_is_refused_is_an_error_before_anything_begins(self):
        started = self.path("started")
        for error, status, cause in (errno.EPERM, 3, "does not permit"), (errno.ENOSYS, 1, "Function not implemented"):
            result = harness.run_tool("record", "--engine", "bpf", "-o", self.path("out.ascope"), "--", "touch", started,
                                      preexec_fn=refused_calls.refusing("bpf", error))
            self.assert_error(result, status)
            self.assertIn("--engine bpf does not work here: ", result.stderr)
            self.assertIn(cause, result.stderr)
            self.assertIn("--engine preempt", result.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_is_read_once_is_read_without(self):
        for command in "dump", "tasks":
            result = harness.run_tool(command, "--engine", "bpf", str(os.getpid()), timeout=20)
            self.assert_error(result, 2)
            self.assertIn("--engine bpf is for recording", result.stderr)
            self.assertIn("--engine stop", result.stderr)
