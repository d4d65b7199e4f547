"""Wrong usage: status 2, one line of cause, one of remedy, nothing else, and no process is touched."""
import harness

WRONG = {
    "no command": [],
    "unknown command": ["recrod"],
    "unknown flag": ["record", "-p", "PID", "--no-such-flag"],
    "no pid": ["record", "-d", "1"],
    "no pid to dump": ["dump"],
    "pid and command": ["record", "-p", "PID", "-d", "1", "--", "true"],
    "pid is no number": ["record", "-p", "me", "-d", "1"],
    "pid is negative": ["record", "-p", "-5", "-d", "1"],
    "pid is zero": ["record", "-p", "0", "-d", "1"],
    "pid is too big": ["record", "-p", "99999999999999999999", "-d", "1"],
    "rate is no number": ["record", "-p", "PID", "-d", "1", "-r", "fast"],
    "rate is zero": ["record", "-p", "PID", "-d", "1", "-r", "0"],
    "rate is negative": ["record", "-p", "PID", "-d", "1", "-r", "-100"],
    "rate is not finite": ["record", "-p", "PID", "-d", "1", "-r", "nan"],
    "rate has an unknown unit": ["record", "-p", "PID", "-d", "1", "-r", "10parsec"],
    "duration is no number": ["record", "-p", "PID", "-d", "soon"],
    "duration is zero": ["record", "-p", "PID", "-d", "0"],
    "duration is negative": ["record", "-p", "PID", "-d", "-1"],
    "duration is not finite": ["record", "-p", "PID", "-d", "inf"],
    "unknown format": ["record", "-p", "PID", "-d", "1", "-f", "papyrus"],
    "unknown engine": ["record", "-p", "PID", "-d", "1", "--engine", "steam"],
    "value is missing": ["record", "-p", "PID", "-o"],
    "command is missing": ["record", "--"],
    "no file to report": ["report"],
    "argument too many": ["dump", "-p", "PID", "another"],
}


class Usage(harness.ToolTest):

    def test_wrong_usage(self):
        target = self.target("ticking.py")
        for name, words in WRONG.items():
            with self.subTest(name):
                words = [str(target.pid) if word == "PID" else word for word in words]
                result = harness.run_tool(*words, timeout=20, cwd=self.folder)
                self.assert_error(result, 2)
                self.assertEqual(result.stdout, b"")
        self.assert_progress(target, "ticks")

    def test_help_and_version(self):
        for words in (["--help"], ["record", "--help"], ["report", "--help"], ["dump", "--help"], ["--version"]):
            with self.subTest(words):
                result = harness.run_tool(*words, timeout=20)
                self.assert_done(result)
                self.assertRegex(result.stdout, rb"awaitscope")
                self.assertEqual(result.stderr, "")
        for flag in (b"--pid", b"--duration", b"--rate", b"--output", b"--format", b"--engine"):
            self.assertIn(flag, harness.run_tool("record", "--help").stdout)
        self.assertRegex(harness.run_tool("--version").stdout, rb"\d+\.\d+")
