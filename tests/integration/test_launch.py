"""record -- CMD ARG…: CMD runs as it would alone, and its status is the status."""
import os
import signal

import folded
import harness


class Launch(harness.EndsTest):

    def launch(self, *args, before=(), python=(), **how):
        """record -f folded -o FILE -- PYTHON exiting.py ARGS"""
        self.output = self.path("out.folded")
        ready = self.path("ready.json")
        script = os.path.join(harness.TARGETS, "exiting.py")
        return harness.run_tool("record", "-r", 500, "-f", "folded", "-o", self.output, *before, "--",
                                *(python or [self.python]), script, "--ready", ready, "--lifetime", 20,
                                "--after", 0.6, *args, **how)

    def stacks(self):
        with open(self.output, "rb") as file:
            return folded.parse(file.read())

    def test_success(self):
        result = self.launch()
        self.assert_done(result)
        stacks = self.stacks()
        burning = folded.total([stack for stack in stacks if stack.has("burn")])
        self.assertGreater(burning, 0.5 * 0.6 * harness.ticks_a_second(result.stderr), "it burns for 0.6 s")

    def test_status_is_the_commands(self):
        result = self.launch("--status", 7)
        self.assertEqual(result.status, 7, result.stderr)
        self.assertNotIn("awaitscope: error:", result.stderr)
        self.assertTrue(self.stacks())

    def test_signal_is_128_and_the_signal(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            result = self.launch("--signal", int(number))
            self.assertEqual(result.status, 128 + number, result.stderr)
            self.assertTrue(self.stacks())

    def test_the_commands_own_words_are_its_own(self):
        result = self.launch("--pid", 12345, "--", "-d", "1", "--help", "two words")
        self.assert_done(result)
        self.assertEqual(result.stdout, b"pid=12345 words=-d 1 --help two words\n", "and stdout is the command's alone")

    def test_a_command_that_becomes_python(self):
        """env, wrappers of virtual environments and shells start the interpreter by exec."""
        result = self.launch(python=["env", "SOME=THING", self.python])
        self.assert_done(result)
        self.assertTrue(any(stack.has("burn") for stack in self.stacks()))

    def test_duration_ends_the_recording_not_the_command(self):
        result = self.launch("--status", 5, before=["-d", "100ms"])
        self.assertEqual(result.status, 5, result.stderr)
        self.assertIn(b"pid=", result.stdout)

    def test_standard_input_reaches_the_command(self):
        reader, writer = os.pipe()
        os.write(writer, b"through\n")
        os.close(writer)
        with os.fdopen(reader, "rb") as stdin:
            process = harness.subprocess.Popen(
                [harness.tool(), "record", "-f", "folded", "-o", self.path("out.folded"), "--", self.python, "-c",
                 "import time; time.sleep(0.3); print(input())"],
                stdin=stdin, stdout=harness.subprocess.PIPE, stderr=harness.subprocess.PIPE)
            result = harness.finish(process, timeout=20)
        self.assert_quiet_end(result)
        self.assertEqual(result.stdout, b"through\n", result.stderr)


class LaunchFails(harness.ToolTest):

    def test_command_not_found(self):
        result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", "no-such-command-here")
        self.assertIn(result.status, (1, 127))
        self.assert_error(result, result.status)
        self.assertIn("no-such-command-here", result.stderr)

    def test_command_may_not_run(self):
        path = self.path("plain")
        with open(path, "w") as file:
            file.write("no program\n")
        result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", path)
        self.assertIn(result.status, (1, 126))
        self.assert_error(result, result.status)

    def test_command_is_no_python(self):
        result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", "sleep", "0.5", timeout=20)
        self.assert_error(result, 4)

    def test_output_is_checked_before_the_command_runs(self):
        mark = self.path("ran")
        result = harness.run_tool("record", "-f", "folded", "-o", "/nonexistent/x", "--", self.python, "-c",
                                  "open(%r, 'w')" % mark)
        self.assert_error(result, 1)
        self.assertFalse(os.path.exists(mark), "the command was run")
