"""A chat on channels with its in-memory layer: many websockets that wait, and a few that talk, recorded with all their tasks."""
import json

import chat_site
import harness
import recordings

IDLE = 20
CALLS = 800  # however slow the machine
LIFETIME = 60
SLACK_NS = 2e6
READINGS = 10  # apart, at most, that a dispatch which is hardly ever seen twice is said to be shorter than


class Chat(recordings.RecordingTest, harness.InterpreterTest):
    timing_sensitive = True
    minors = ("3.13", "newest")

    def setUp(self):
        super().setUp()
        self.chat = chat_site.Chat(self.python, "uvicorn", IDLE, LIFETIME)
        self.addCleanup(self.chat.__exit__)

    def test_dispatches(self):
        before = len(self.chat.dispatches())
        path = self.path("out.ascope")
        result = self.record_until(self.chat, lambda: len(self.chat.dispatches()) >= before + CALLS, "-r", 100, "--all-tasks",
                                   "-o", path)
        info = self.info(path)
        begin = info["start_monotonic_ns"]
        lengths = chat_site.lengths_in(self.chat.dispatches(), (begin, begin + info["elapsed_ns"]))
        self.assertGreater(len(lengths), 0.5 * CALLS, result.stderr)
        median, longest = lengths[len(lengths) // 2], lengths[-1]
        rows = json.loads(self.report(path, "-f", "latency", "--json", "--function", "Chat.dispatch"))["functions"]
        self.assertEqual([row["function"] for row in rows], ["Chat.dispatch"], result.stderr)
        apart = info["elapsed_ns"] / harness.ticks(result.stderr)
        said = "%s; truly %.2f ms, at most %.2f, of %d; ticks %.1f ms apart" % (
            rows[0], median / 1e6, longest / 1e6, len(lengths), apart / 1e6)
        self.assertGreaterEqual(rows[0]["p50_ns"] + SLACK_NS, median, said)
        self.assertLessEqual(rows[0]["p50_ns"], longest + READINGS * apart, said)

    def test_those_that_wait(self):
        """None of their calls has ended, nor has any begun; nor those of the talkers, which await in a loop."""
        before = len(self.chat.dispatches())
        path = self.path("out.ascope")
        result = self.record_until(self.chat, lambda: len(self.chat.dispatches()) >= before + CALLS, "-r", 100, "--all-tasks",
                                   "-o", path)
        rows = {row["function"]: row for row in json.loads(self.report(path, "-f", "latency", "--json"))["functions"]}
        for name in ("await_many_dispatch", self.named("AsyncConsumer.__call__")):
            self.assertGreaterEqual(rows[name]["calls"] - rows[name]["begun"], IDLE, "%s\n%s" % (rows[name], result.stderr))
            self.assertEqual(rows[name]["begun"], 0, "%s\n%s" % (rows[name], result.stderr))
        self.assert_done(harness.run_tool("tasks", "-p", self.chat.pid))
        dump = harness.run_tool("dump", "--json", "-p", self.chat.pid)
        self.assert_done(dump)
        waiting = [task for task in json.loads(dump.stdout)["tasks"] if "await_many_dispatch" in str(task["frames"])]
        self.assertGreaterEqual(len(waiting), IDLE, dump.stderr)
