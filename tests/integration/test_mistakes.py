"""Typical mistakes on the command line, and their answers: what was wrong, and what to type instead."""
import harness
import recordings

NOBODY = "4194304"  # above the highest PID that Linux gives

# name: (words, status, what the cause says, what the hint says)
MISTAKES = {
    "no arguments": ([], 2, "no command was given", "awaitscope record PID"),
    "a PID alone": (["4711"], 2, "'4711' is not a command", "awaitscope record 4711"),
    "a file alone": (["app.ascope"], 2, "'app.ascope' is not a command", "awaitscope report app.ascope"),
    "a program alone": (["app.py"], 2, "'app.py' is not a command", "awaitscope record -- python3 app.py"),
    "a command with a typo": (["recrod", "4711"], 2, "unknown command 'recrod' (did you mean 'record'?)", "--help"),
    "half a command": (["rec", "4711"], 2, "unknown command 'rec' (did you mean 'record'?)", "--help"),
    "another command": (["attach", "4711"], 2, "unknown command 'attach'", "--help lists the commands"),
    "an option with a typo": (["record", NOBODY, "--durration", "1"], 2,
                              "unknown option '--durration' (did you mean '--duration'?)", "awaitscope record --help"),
    "an option with = and a typo": (["record", NOBODY, "--formt=folded"], 2,
                                    "unknown option '--formt' (did you mean '--format'?)", "awaitscope record --help"),
    "a program without --": (["record", "app.py"], 2, "'app.py' is not a PID", "awaitscope record -- app.py"),
    "a name for a PID": (["dump", "gunicorn"], 2, "'gunicorn' is not a PID", "awaitscope dump PID"),
    "a PID twice": (["record", NOBODY, NOBODY], 2, "unexpected argument '%s'" % NOBODY, "awaitscope record --help"),
    "the PID as a function": (["record", "--args", "4711"], 2, "neither a PID nor a command was given",
                              "'4711' is taken for a function: write --args behind the PID"),
    "no PID": (["record", "-d", "1"], 2, "neither a PID nor a command was given", "awaitscope record PID"),
    "no PID to dump": (["dump"], 2, "dump requires a PID", "awaitscope dump PID"),
    "a command to dump": (["dump", "--", "true"], 2, "dump requires a PID", "awaitscope dump PID"),
    "no recording": (["report"], 2, "report requires a recording", "awaitscope report FILE"),
    "no value": (["record", NOBODY, "-d"], 2, "--duration requires a value: SECONDS", "awaitscope record --help"),
    "a format with a typo": (["record", NOBODY, "-f", "flded"], 2, "unknown format 'flded' (did you mean 'folded'?)", "-f with"),
    "a format in capitals": (["report", "x.ascope", "-f", "HOT"], 2, "unknown format 'HOT' (did you mean 'hot'?)", "-f with"),
    "a metric with a typo": (["report", "x.ascope", "--metric", "cpus"], 2,
                             "unknown metric 'cpus' (did you mean 'cpu'?)", "--metric wall"),
    "a state with a typo": (["report", "x.ascope", "-f", "folded", "--state", "bloked"], 2,
                            "unknown state 'bloked' (did you mean 'blocked'?)", "--state running"),
    "an engine with a typo": (["record", NOBODY, "--engine", "premt"], 2,
                              "unknown engine 'premt' (did you mean 'preempt'?)", "--engine auto"),
    "an order with a typo": (["dump", NOBODY, "--order", "inermost"], 2,
                             "unknown order 'inermost' (did you mean 'innermost'?)", "--order innermost"),
    "an ending without a format": (["record", NOBODY, "-o", "x.png"], 2, "no format has the ending '.png'", ".html"),
    "an unknown shell": (["completion", "fishh"], 2, "unknown shell 'fishh' (did you mean 'fish'?)", "bash, zsh or fish"),
    "an option before the command": (["-d", "10", "record", NOBODY], 2, "'-d' stands before the command",
                                     "awaitscope record -d …"),
    "a PID to report": (["report", "4711"], 1, "4711", "awaitscope record 4711"),
    "JSON by the ending": (["report", "x.ascope", "-o", "x.json"], 2, "no format has the ending '.json'", "--json"),
    "a dump as a page": (["dump", NOBODY, "-o", "x.html"], 2, "dump writes text or JSON", "awaitscope record PID"),
    "no such process": (["dump", NOBODY], 4, "process %s" % NOBODY, ""),
    "no such file": (["report", "absent.ascope"], 1, "absent.ascope", ""),
}


class Mistakes(recordings.RecordingTest):

    def test_each_has_its_answer(self):
        for name, (words, status, cause, hint) in MISTAKES.items():
            with self.subTest(name):
                result = harness.run_tool(*words, timeout=20, cwd=self.folder, brief=True)
                self.assert_error(result, status)
                said = result.stderr.splitlines()
                self.assertIn(cause, said[0])
                self.assertIn(hint, said[1])

    def test_help_is_a_command_too(self):
        for words in ([], ["record"], ["tasks"]):
            asked = [harness.run_tool(*order) for order in (["help", *words], [*words, "--help"])]
            self.assertEqual(asked[0].stdout, asked[1].stdout)
            self.assertEqual([result.status for result in asked], [0, 0])

    def test_filters_without_a_match_name_what_there_is(self):
        target = self.target("ticking.py")
        path, _ = self.record_file(target, "-d", "300ms")
        for words, cause in ((("--function", "tik"), "no function matches --function 'tik' (did you mean 'tick'?)"),
                             (("--thread", "Main"), "no thread matches --thread 'Main' (did you mean 'MainThread'?)")):
            result = harness.run_tool("report", path, *words)
            self.assert_error(result, 1)
            self.assertIn(cause, result.stderr)
            self.assertIn("hint: the recording has ", result.stderr)
        result = harness.run_tool("tasks", self.target("task_tree.py").pid, "gatherr")
        self.assert_done(result)
        self.assertIn("no task matches 'gatherr' (did you mean 'gatherer'?); the process has tasks of gatherer, ", result.stderr)

    def test_a_closed_pipe_is_silent(self):
        for words in (["--help"], ["record", "--help"], ["completion", "bash"], ["tasks", self.target("task_tree.py").pid]):
            with self.subTest(words=words):
                process = harness.start_tool(*words)
                process.stdout.close()
                process.stdout = None
                result = harness.finish(process, timeout=20)
                self.assert_done(result)
                self.assertEqual(result.stderr, "")

    def test_a_pid_needs_no_option(self):
        target = self.target("task_tree.py")
        folded = harness.run_tool("record", target.pid, "-d", "200ms", "--idle", "-f", "folded", "-o", "-")
        self.assert_done(folded)
        self.assertIn(b"MainThread", folded.stdout)
        for words in (["dump", target.pid], ["dump", "--json", target.pid], ["tasks", target.pid, "gatherer"],
                      ["tasks", "gatherer", "-p", target.pid], ["tasks", "-p", target.pid, "gatherer"],
                      ["caches", target.pid, "--interval", "0"]):
            with self.subTest(words=words):
                result = harness.run_tool(*words)
                self.assert_done(result)
                self.assertIn(b"%d" % target.pid if words[0] != "caches" else b"", result.stdout)
                if words[0] == "tasks":
                    self.assertIn(b"gatherer", result.stdout)
                    self.assertNotIn(b"hopper", result.stdout)
