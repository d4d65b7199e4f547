"""record -- CMD ARG…: CMD runs as it would alone, and its status is the status."""
import json
import os
import signal
import time

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


class Wrapped(harness.InterpreterTest):
    """A shell that stays the parent of the Python it starts, as `uv run` and launchers of one-file programs do."""
    minor_matters = False
    minors = ("3.8", "3.11", "3.13", "3.15")

    def wrapped(self, count=1):
        """A shell with `count` Python children -> (its PID, their PIDs); all of them end with the test."""
        ready = [self.path("ready-%d.json" % number) for number in range(count)]
        script = os.path.join(harness.TARGETS, "exiting.py")
        lines = ["%s %s --ready %s --lifetime 20 --after 20 &" % (self.python, script, path) for path in ready]
        process = harness.subprocess.Popen(["sh", "-c", "\n".join(lines) + "\nwait; true"],
                                           stdout=harness.subprocess.DEVNULL)
        self.addCleanup(harness.end_process, process)
        end = time.monotonic() + 20
        while not all(os.path.exists(path) for path in ready):
            self.assertLess(time.monotonic(), end, "the children did not start")
            time.sleep(0.02)
        children = []
        for path in ready:
            with open(path) as file:
                children.append(json.load(file)["pid"])
        for child in children:
            self.addCleanup(os.kill, child, signal.SIGKILL)
        return process.pid, children

    def read(self, *args, status=0):
        output = self.path("out.folded")
        result = harness.run_tool("record", "-r", 200, "-f", "folded", "-o", output, *args)
        self.assert_quiet_end(result)
        self.assertEqual(result.status, status, result.stderr)
        with open(output, "rb") as file:
            return folded.parse(file.read()), result

    def test_the_only_python_of_a_process(self):
        shell, (child,) = self.wrapped()
        stacks, result = self.read("-p", shell, "-d", "500ms")
        self.assertTrue(any(stack.has("burn") for stack in stacks))
        self.assertEqual({stack.process for stack in stacks}, {None}, "it is one process")
        self.assertIn("process %d is not Python: reading %d (exiting.py)" % (shell, child), result.stderr)
        dump = harness.run_tool("dump", "--json", "-p", shell)
        self.assert_done(dump)
        self.assertEqual(json.loads(dump.stdout.decode())["process"]["pid"], child)

    def test_several_are_named_unless_all_are_recorded(self):
        shell, children = self.wrapped(2)
        result = harness.run_tool("record", "-p", shell, "-d", 1, "-f", "folded")
        self.assert_error(result, 4)
        self.assertIn("--subprocesses", result.stderr)
        for child in children:
            self.assertIn("%d (exiting.py)" % child, result.stderr)
        stacks, _ = self.read("-p", shell, "-d", 1, "--subprocesses")
        self.assertEqual({stack.pid for stack in stacks if stack.has("burn")}, set(children))

    def test_a_command(self):
        script = os.path.join(harness.TARGETS, "exiting.py")
        run = "%s %s --ready %s --after 0.6 --status %%d" % (self.python, script, self.path("ready.json"))
        command = "%s; sleep 0.2; %s; exit 9" % (run % 0, run % 1)
        stacks, result = self.read("--", "sh", "-c", command, status=9)
        burning = folded.total([stack for stack in stacks if stack.has("burn")])
        # Each of the two works for 0.3 s at least; the next one is searched for ten times a second.
        self.assertGreater(burning, 0.2 * harness.ticks_a_second(result.stderr), result.stderr)
        self.assertEqual({stack.process for stack in stacks}, {None})
        stacks, result = self.read("--subprocesses", "--", "sh", "-c", command, status=9)
        self.assertTrue({stack.process for stack in stacks if stack.has("burn")} <= {"exiting.py"}, result.stderr)


class LaunchFails(harness.ToolTest):

    def test_command_not_found(self):
        result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", "no-such-command-here")
        self.assert_error(result, 127)
        self.assertIn("no-such-command-here", result.stderr)

    def test_command_may_not_run(self):
        path = self.path("plain")
        with open(path, "w") as file:
            file.write("no program\n")
        result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", path)
        self.assert_error(result, 126)

    def test_a_command_without_python_has_its_own_status(self):
        for status, command in ((0, ("true",)), (1, ("false",)), (0, ("sleep", "0.5")), (7, ("sh", "-c", "exit 7"))):
            result = harness.run_tool("record", "-f", "folded", "-o", self.path("x.folded"), "--", *command, timeout=20)
            self.assert_error(result, status)
            self.assertIn("'%s' has ended, and no Python was found in it" % command[0], result.stderr)
            self.assertFalse(os.path.exists(self.path("x.folded")))

    def test_output_is_checked_before_the_command_runs(self):
        mark = self.path("ran")
        result = harness.run_tool("record", "-f", "folded", "-o", "/nonexistent/x", "--", self.python, "-c",
                                  "open(%r, 'w')" % mark)
        self.assert_error(result, 1)
        self.assertFalse(os.path.exists(mark), "the command was run")
