"""Ctrl-C and SIGTERM end a recording as its duration would; a second Ctrl-C ends it at once."""
import fcntl
import os
import re
import signal
import time

import folded
import harness

F_SETPIPE_SZ = 1031


class Signals(harness.ToolTest):

    def check(self, number):
        target = self.target("ticking.py")
        output = self.path("out.folded")
        process = harness.start_tool("record", "-p", target.pid, "-r", 500, "-f", "folded", "-o", output)
        time.sleep(2)
        self.assertIsNone(process.poll(), "it ended too early")
        started = time.monotonic()
        process.send_signal(number)
        result = harness.finish(process, timeout=10)
        self.assertLess(time.monotonic() - started, 5)
        self.assert_done(result)
        with open(output, "rb") as file:
            stacks = folded.parse(file.read())
        self.assertGreater(folded.total(stacks), 0.8 * harness.ticks(result.stderr))
        self.assertEqual(self.summary_samples(result), folded.total(stacks), result.stderr)
        self.assert_progress(target, "ticks")

    def test_interrupt(self):
        self.check(signal.SIGINT)

    def test_terminate(self):
        self.check(signal.SIGTERM)

    def test_second_interrupt_ends_at_once(self):
        """The first one leaves it writing to a pipe that nobody reads; the second must not wait for that."""
        target = self.target("planted_graph.py")
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        process = harness.start_tool("record", "-p", target.pid, "-r", 1000, "-f", "folded", "-o", "-", stdout=writer)
        os.close(writer)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        self.assertIsNone(process.poll(), "the pipe took everything: the test shows nothing")
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        result = harness.finish(process, timeout=5)
        self.assertLess(time.monotonic() - started, 3)
        self.assertIn(result.status, (1, 130), result.stderr)
        self.assertFalse(re.search("Traceback|terminate called", result.stderr), result.stderr)
        self.assert_progress(target, "cycles")

    def test_quiet(self):
        target = self.target("ticking.py")
        for flag in ("-q", "--quiet"):
            stacks, result = self.record(target, "-d", "500ms", flag)
            self.assertEqual(result.stderr, "")
            self.assertTrue(stacks)
