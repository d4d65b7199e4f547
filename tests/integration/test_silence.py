"""What has no effect is refused before the first sample, and a view that shows nothing says why."""
import os

import harness
import recordings


class Refused(harness.ToolTest):

    def refused(self, *args):
        result = harness.run_tool(*args, timeout=20, cwd=self.folder)
        self.assert_error(result, 2)
        return result.stderr

    def test_an_ending_that_no_format_has(self):
        """Before anything else: the process does not even exist."""
        for ending in (".png", ".json", ".docx", ".txt.gz"):
            for command in (["record", "-p", 4194304], ["report", "absent.ascope"]):
                said = self.refused(*command, "-o", "x" + ending)
                self.assertIn("no format has the ending '%s'" % os.path.splitext("x" + ending)[1], said)
                self.assertIn(".speedscope.json", said)
        self.assertEqual(os.listdir(self.folder), [])

    def test_an_option_without_effect(self):
        for form, options in (("recording", ("--lines", "--full-paths", "--loop-frames", "--task-frames", "--source=/")),
                              ("info", ("--idle", "--lines", "--task-names", "--all-tasks")),
                              ("latency", ("--idle", "--lines", "--loop-frames", "--task-frames")),
                              ("folded", ("--request-paths", "--request-id=X-Request-Id")), ("html", ("--request-paths",))):
            for option in options:
                said = self.refused("record", "-p", 4194304, "-f", form, option)
                self.assertIn("%s has no effect on the format '%s'" % (option.partition("=")[0], form), said)
        self.assertIn("takes the name of a header", self.refused("record", "-p", 4194304, "--request-id", "X Request"))
        for words in (("info", "--function", "x"), ("info", "--metric", "cpu"), ("latency", "--thread", "x"),
                      ("latency", "--state", "idle"), ("hot", "--all-tasks"), ("folded", "--all-tasks", "--metric", "cpu"),
                      ("hot", "--lines"), ("hot", "--framework"), ("latency", "--hide-framework"), ("folded", "--limit", "3"),
                      ("info", "--sort", "self"), ("hot", "--json", "--limit", "3"), ("hot", "--sort", "p50"),
                      ("latency", "--sort", "self"), ("hot", "--source", "/"), ("svg", "--source", "/"),
                      ("html", "--source", "/dev/null")):
            self.refused("report", "absent.ascope", "-f", *words)


class Empty(recordings.RecordingTest):

    def test_filters_and_times_that_match_nothing(self):
        path, _ = self.record_file(self.target("ticking.py"), "-d", 1)
        for form in ("folded", "hot", "speedscope"):
            for options, cause in ((("--function", "tik"), "no function matches --function 'tik' (did you mean 'tick'?)"),
                                   (("--thread", "Worker"), "hint: the recording has MainThread"),
                                   (("--process", "tiking.py"), "'tiking.py' (did you mean 'ticking.py'?)"),
                                   (("--task", "x"), "hint: the recording has none"),
                                   (("--function", "tick", "--state", "idle"), "passes the filters"),
                                   (("--since", "20s"), "--since 20")):
                with self.subTest(form=form, options=options):
                    result = harness.run_tool("report", path, "-f", form, *options)
                    self.assert_error(result, 1)
                    self.assertIn(cause, result.stderr)

    def test_a_file_is_not_made_of_nothing(self):
        path, _ = self.record_file(self.target("ticking.py"), "-d", 1)
        empty = self.path("empty.folded")
        self.assert_error(harness.run_tool("report", path, "-o", empty, "--thread", "Worker"), 1)
        self.assertFalse(os.path.exists(empty))

    def test_a_process_that_did_nothing_is_an_answer(self):
        path, _ = self.record_file(self.target("many_tasks.py", "--tasks", "10", "--still"), "-d", 1)
        result = harness.run_tool("report", path, "-f", "folded")
        self.assert_done(result)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(result.stderr.count("awaitscope: warning: "), 1, result.stderr)


class Implied(harness.InterpreterTest):
    minor_matters = False
    minors = ("3.8", "3.11", "3.13", "3.15")

    def test_views_of_suspended_tasks_have_them_recorded(self):
        target = self.target("latency.py")
        for options in (("-f", "latency"), ("-f", "folded", "--metric", "await")):
            result = harness.run_tool("record", "-p", target.pid, "-d", 2, "-o", "-", *options)
            self.assert_done(result)
            self.assertGreater(len(result.stdout.splitlines()), 2, result.stderr)


class Hints(recordings.RecordingTest):

    def test_the_master_of_busy_workers(self):
        target = self.target("idle_parent.py", lifetime=20)
        _, result = self.record_file(target, "-d", "500ms")
        workers = ", ".join(str(pid) for pid in sorted(target.truth["workers"]))
        self.assertIn("process %d is nearly idle, and has 2 child processes: record one of them (%s), or all with --subprocesses"
                      % (target.pid, workers), result.stderr)
        for path, options in (("all", ["--subprocesses", "-p", target.pid]), ("one", ["-p", target.truth["workers"][0]])):
            result = harness.run_tool("record", *options, "-d", "500ms", "-o", self.path(path + ".ascope"))
            self.assert_done(result)
            self.assertNotIn("nearly idle", result.stderr)

    def test_a_process_that_ends_first(self):
        target = self.target("ticking.py", lifetime=2)
        _, result = self.record_file(target, "-d", 20)
        self.assertRegex(result.stderr, r"process %d ended after \d\.\d+ s" % target.pid)
        _, result = self.record_file(self.target("ticking.py"), "-d", "300ms", name="whole.ascope")
        self.assertNotIn("ended after", result.stderr)
