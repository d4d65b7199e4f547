"""A recording, and what report makes of it: the same samples in every view."""
import json
import os
import re
import subprocess
import time

import folded
import harness
import recordings


class SameNumbers(recordings.RecordingTest):
    """The summary and the recording say the same of the same thing."""

    def test_engine_and_losses(self):
        target = self.target("gathered_branches.py", lifetime=30)
        path, result = self.record_file(target, "-r", 500, "-d", 2)
        info = self.info(path)
        engine = info["recorder"]["engine"]
        self.assertIn(" Hz asked, engine %s, " % engine, result.stderr, "that which was in use at the end")
        self.assertIn(engine, self.report(path, "-f", "info").decode())
        self.assertEqual((info["samples"], info["ticks"]), (self.summary_samples(result), harness.ticks(result.stderr)))
        lost = re.search(r"lost: ([^;]+);", result.stderr)[1]
        said = {} if lost == "none" else {name: int(count.replace(",", "")) for count, name in
                                          re.findall(r"([\d,]+) ([^,\d]+)", lost)}
        self.assertEqual({reason: count for reason, count in info["lost"].items() if count}, said)


class Views(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False

    def test_default_name_and_views_agree(self):
        target = self.target("planted_graph.py", lifetime=30)
        result = harness.run_tool("record", "-p", target.pid, "-r", 500, "-d", 2, cwd=self.folder)
        self.assert_done(result)
        names = os.listdir(self.folder)
        self.assertEqual(len(names), 1, names)
        self.assertRegex(names[0], r"\Aawaitscope-%d-\d{8}-\d{6}\.ascope\Z" % target.pid)
        self.assertIn("next: awaitscope report " + names[0], result.stderr)
        path = self.path(names[0])
        stacks = self.stacks(path)
        samples = self.summary_samples(result)
        self.assertEqual(folded.total(stacks), samples)
        info = self.info(path)
        self.assertEqual((info["ending"], info["samples"], info["process"]["pid"]), ("whole", samples, target.pid))
        self.assertEqual(info["bytes"], os.path.getsize(path))
        self.assertEqual(info["process"]["python"], target.truth["python"])
        self.assertIn("planted_graph.py", " ".join(info["process"]["command"]))
        self.assertEqual(info["recorder"]["rate_hz"], 500)
        self.assertAlmostEqual(info["start_realtime_ns"] / 1e9, time.time(), delta=60)
        self.assertLess(abs(info["elapsed_ns"] / 1e9 - 2), 0.2)
        hot = {row["function"]: row for row in self.hot(path)["functions"]}
        for name in ("fork", "hot_28", "cold_28", "work_long"):
            total = sum(stack.count for stack in stacks if stack.has(name))
            own = sum(stack.count for stack in stacks if stack.names[-1] == name)
            self.assertEqual((hot[name]["total"]["samples"], hot[name]["own"]["samples"]), (total, own), name)
        self.assertRegex(self.report(path).decode(), r"(?m)^ *[\d.]+ % .* work_long +planted_calls.py:\d+$")
        self.assertRegex(self.report(path, "-f", "info").decode(), r"(?m)^samples +%s," % format(samples, ","))

    def test_directly_and_through_a_recording_the_lines_are_the_same(self):
        """Threads that wait have one stack each, so that two recordings find the same ones."""
        target = self.target("threads.py", lifetime=30)
        still = [stack.line.rpartition(" ")[0] for stack in self.record(target, "-d", 1, "--idle")[0]
                 if stack.root[len("thread "):] in target.truth["idle"] + target.truth["blocked"]]
        path, _ = self.record_file(target, "-d", 1, "--idle")
        lines = {stack.line.rpartition(" ")[0] for stack in self.stacks(path, "--idle")}
        self.assertGreaterEqual(len(still), len(target.truth["idle"] + target.truth["blocked"]))
        kept = [line for line in still if line in lines]
        self.assertEqual(len(kept), len(still), "%s\n%s" % (still, lines))
        shown = folded.total([stack for stack in self.stacks(path) if stack.root == "thread server-without-work"])
        self.assertLess(shown, 0.1 * self.info(path)["ticks"], "it only wakes up now and then")

    def test_switches(self):
        target = self.target("gathered_branches.py", lifetime=30)
        path, _ = self.record_file(target, "-r", 500, "-d", 2)
        plain = self.stacks(path)
        burning = folded.total([stack for stack in plain if stack.has("shared")])
        self.assertGreater(burning, 300)
        marked = [stack for stack in self.stacks(path, "--task-frames") if stack.has("shared")]
        for branch in ("branch_a", "branch_b"):
            chain = ["main", "handler", "[task %s]" % branch, branch, "inner", "shared"]
            self.assertGreater(folded.total([stack for stack in marked if stack.contains(chain)]), 0.12 * burning)  # a quarter, by a coarse sample
        looped = [stack for stack in self.stacks(path, "--loop-frames") if stack.has("shared")]
        machinery = ["BaseEventLoop._run_once", "Handle._run"]
        if self.interpreter.minor in ("3.8", "3.9", "3.10"):  # code had no qualified names
            machinery = ["_run_once", "_run"]
        kept = [stack for stack in looped if stack.in_order(machinery + ["shared"])]
        self.assertGreaterEqual(folded.total(kept), 0.97 * burning)
        whole = {frame.file for stack in self.stacks(path, "--full-paths") for frame in stack.frames
                 if frame.name == "shared"}
        self.assertEqual(whole, {target.truth["functions"]["shared"][1]})
        first = target.truth["functions"]["shared"][2]
        lines = {frame.line for stack in self.stacks(path, "--lines") for frame in stack.frames
                 if frame.name == "shared"}
        self.assertGreater(max(lines), first)
        self.assertEqual({frame.line for stack in plain for frame in stack.frames if frame.name == "shared"}, {first})

    def test_filters(self):
        target = self.target("gathered_branches.py", lifetime=30)
        path, _ = self.record_file(target, "-r", 500, "-d", 2)
        every = self.stacks(path)
        total = folded.total(every)

        def picked(condition):
            return [stack.line for stack in every if condition(stack)]

        def lines(*args):
            return [stack.line for stack in self.stacks(path, *args)]
        self.assertEqual(lines("--function", "branch_a"), picked(lambda stack: stack.has("branch_a")))
        self.assertEqual(lines("--function", "branch_*"),
                         picked(lambda stack: stack.has("branch_a") or stack.has("branch_b")))
        # The frame of branch_a itself is also there while its caller, in another task, makes the coroutine.
        self.assertEqual([stack.line for stack in self.stacks(path, "--task", "branch_a") if stack.names[-1] != "branch_a"],
                         picked(lambda stack: stack.has("branch_a") and stack.names[-1] != "branch_a"))
        self.assertEqual(lines("--thread", "MainThread"), picked(lambda stack: True))
        self.assert_error(harness.run_tool("report", path, "-f", "folded", "--thread", "nobody"), 1)
        halves = [folded.total(self.stacks(path, *args)) for args in (["--until", "999ms"], ["--since", "1s"])]
        # Both ends belong to a range, and moments are kept to ten microseconds: at most those in one millisecond are in none.
        self.assertTrue(total - 2 <= sum(halves) <= total + 1, "%s of %d" % (halves, total))
        self.assertTrue(0.3 * total < halves[0] < 0.7 * total, "%s of %d" % (halves, total))

    def test_through_a_pipe_and_while_it_grows(self):
        target = self.target("planted_graph.py", lifetime=30)
        process = harness.start_tool("record", "-p", target.pid, "-d", 1, "-f", "recording", "-o", "-")
        shown = subprocess.run([harness.tool(), "report", "-", "-f", "folded"], stdin=process.stdout,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
        process.stdout.close()
        process.stdout = None
        result = harness.finish(process)
        self.assert_done(result)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(folded.total(folded.parse(shown.stdout)), self.summary_samples(result))

        path = self.path("growing.ascope")
        process = harness.start_tool("record", "-p", target.pid, "-r", 500, "-d", 4, "-o", path)
        try:
            time.sleep(2.5)
            seen = time.monotonic()
            info = self.info(path)
            self.assertIn(info["ending"], ("open", "torn"))
            last = (info["start_monotonic_ns"] + info["last_sample_ns"]) / 1e9
            self.assertLess(seen - last, 1.0, "not older than a second")
            grown = harness.run_tool("report", path, "-f", "folded")
            self.assert_done(grown)
            self.assertIn("still growing", grown.stderr)
        finally:
            result = harness.finish(process)
        self.assert_done(result)
        self.assertEqual(self.info(path)["samples"], self.summary_samples(result))


class Refusals(recordings.RecordingTest):

    def refused(self, status, *args, **how):
        result = harness.run_tool("report", *args, timeout=20, **how)
        self.assert_error(result, status)
        self.assertEqual(result.stdout, b"")
        return result.stderr

    def test_what_is_no_recording(self):
        for name, data, told in (("empty", b"", "empty"),
                                 ("text", b"thread MainThread;main (m.py:1) 4\n", "not an awaitscope recording"),
                                 ("zeros", bytes(1000), "not an awaitscope recording")):
            with open(self.path(name), "wb") as file:
                file.write(data)
            self.assertIn(told, self.refused(1, self.path(name)))
        self.assertIn("No such file", self.refused(1, self.path("absent")))
        self.refused(1, self.folder)

    def test_what_a_recording_does_not_hold(self):
        path, _ = self.record_file(self.target("ticking.py"), "-d", 1, "--event", "none")
        self.assertIn("counted no event", self.refused(1, path, "-f", "folded", "--metric", "events"))
        self.assertIn("suspended", self.refused(1, path, "-f", "folded", "--metric", "await"))
        self.refused(2, path, "--metric", "beauty")
        self.refused(2, path, "-f", "papyrus")
        self.refused(2, path, "-f", "recording")
        self.refused(2, path, "-f", "folded", "--json")
        self.refused(2, path, "--since", "2s", "--until", "1s")
        self.refused(2, path, "--since", "yesterday")
        self.refused(1, path, "-o", "/nonexistent/x")
        result = harness.run_tool("report", path, "-f", "folded", "--idle", "--task-names")
        self.assert_done(result)
        self.assertIn("record --idle", result.stderr)
        self.assertIn("record --task-names", result.stderr)

    def test_a_damaged_recording_says_so(self):
        path, _ = self.record_file(self.target("planted_graph.py"), "-r", 500, "-d", 2)
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data[len(data) * 3 // 4] ^= 0x10
        damaged = self.path("damaged.ascope")
        with open(damaged, "wb") as file:
            file.write(data)
        result = harness.run_tool("report", damaged, "-f", "folded")
        self.assert_done(result)
        self.assertIn("is damaged behind byte", result.stderr)
        self.assertLess(folded.total(folded.parse(result.stdout)), self.info(path)["samples"])

    def test_nothing_is_left_behind_where_nothing_was_recorded(self):
        self.assert_error(harness.run_tool("record", "-p", 4194304, cwd=self.folder), 4)
        self.assertEqual(os.listdir(self.folder), [])
        kept = self.path("kept.ascope")
        with open(kept, "w") as file:
            file.write("precious")
        self.assert_error(harness.run_tool("record", "-p", 4194304, "-o", kept), 4)
        with open(kept) as file:
            self.assertEqual(file.read(), "precious")


class Ending(recordings.RecordingTest):

    def test_by_the_ending_of_the_name(self):
        target = self.target("planted_graph.py")
        path, result = self.record_file(target, "-d", 1)
        self.assert_done(harness.run_tool("report", path, "-o", self.path("x.folded")))
        with open(self.path("x.folded"), "rb") as file:
            self.assertEqual(folded.total(folded.parse(file.read())), self.summary_samples(result))
        table = harness.run_tool("record", "-p", target.pid, "-d", 1, "-f", "hot", "-o", "-")
        self.assert_done(table)
        self.assertRegex(table.stdout, rb"work_long +planted_calls.py:")
        self.assertEqual(json.loads(self.report(path, "-f", "hot", "--json"))["schema"], 1)
        self.assertTrue(re.match(rb"planted_graph.py \d+, Python ", self.report(path, "-q")))
