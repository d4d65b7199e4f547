"""The forms of the folded output: where it goes, its units and its switches."""
import os
import re

import folded
import harness


class Streams(harness.ToolTest):

    def test_data_on_stdout_and_words_on_stderr(self):
        target = self.target("planted_graph.py")
        result = harness.run_tool("record", "-p", target.pid, "-r", 500, "-d", 2, "-f", "folded", "-o", "-")
        self.assert_done(result)
        stacks = folded.parse(result.stdout)
        self.assertEqual(folded.total(stacks), self.summary_samples(result), result.stderr)
        self.assertNotRegex(result.stderr, re.compile(r"^(thread|task) .*;.* \d+$", re.MULTILINE))
        self.assertNotIn("\x1b", result.stderr, "colour only on a terminal")
        self.assertNotIn("\r", result.stderr, "progress only on a terminal")

    def test_format_by_the_ending(self):
        target = self.target("ticking.py")
        for ending in ("folded", "txt"):
            output = self.path("x." + ending)
            self.assert_done(harness.run_tool("record", "-p", target.pid, "-d", 1, "-o", output))
            with open(output, "rb") as file:
                self.assertTrue(folded.parse(file.read()))

    def test_an_unknown_format_is_refused_by_name(self):
        target = self.target("ticking.py")
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-f", "pprof", cwd=self.folder)
        self.assert_error(result, 2)
        self.assertIn("unknown format 'pprof'", result.stderr)
        result = harness.run_tool("record", "-p", target.pid, "-d", 1, "-f", "HOT", cwd=self.folder)
        self.assert_error(result, 2)
        self.assertIn("unknown format 'HOT' (did you mean 'hot'?)", result.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_units(self):
        target = self.target("ticking.py")
        stacks, result = self.record(target, "-r", "1kHz", "-d", "500ms")
        self.assertTrue(350 <= folded.total(stacks) <= 560, result.stderr)
        self.assertLess(result.seconds, 3)
        stacks, result = self.record(target, "--rate", "200Hz", "--duration", "1s")
        self.assertTrue(150 <= folded.total(stacks) <= 220, result.stderr)

    def test_default_rate(self):
        stacks, result = self.record(self.target("ticking.py"), "-d", 2)
        self.assertTrue(160 <= folded.total(stacks) <= 220, result.stderr)


class Switches(harness.EndsTest):

    def record_gathered(self, *args):
        target = self.target("gathered_branches.py", lifetime=20)
        stacks, _ = self.record(target, "-r", 500, "-d", 1, *args)
        picked = [stack for stack in stacks if stack.root.startswith("task ")]
        self.assertGreater(folded.total(picked), 200)
        return target, picked

    def test_lines(self):
        target = self.target("planted_graph.py", lifetime=20)
        stacks, _ = self.record(target, "-r", 500, "-d", 1, "--lines")
        lines = {}
        for stack in stacks:
            for frame in stack.frames:
                lines.setdefault(frame.name, set()).add(frame.line)
        first = {path[-1][0]: path[-1][2] for path in target.truth["paths"]}
        # A function that has only begun is on the line of its `def` (its RESUME), so that line is possible everywhere.
        for name in ("trunk_05", "trunk_26", "hot_28", "cross_34", "cross_39"):
            self.assertLessEqual(lines[name], {first[name], first[name] + 1}, name)
            self.assertIn(first[name] + 1, lines[name], "%s calls from its second line" % name)
        self.assertLessEqual(lines["fork"], {first["fork"] + step for step in range(0, 10)})
        self.assertIn(first["fork"] + 2, lines["fork"], "where it calls hot_28")
        self.assertIn(first["fork"] + 4, lines["fork"], "where it calls cold_28")
        self.assertLessEqual(lines["work_long"], {first["work_long"] + step for step in range(0, 7)})
        self.assertGreaterEqual(len(lines["work_long"]), 2)

    def test_full_paths(self):
        target, stacks = self.record_gathered("--full-paths")
        files = {frame.file for stack in stacks for frame in stack.frames if frame.name == "shared"}
        self.assertEqual(files, {target.truth["functions"]["shared"][1]})

    def test_loop_frames(self):
        machinery = set(map(self.named, ("BaseEventLoop._run_once", "BaseEventLoop.run_forever", "Handle._run", "Runner.run", "run")))
        _, plain = self.record_gathered()
        self.assertFalse([stack.line for stack in plain if machinery & set(stack.names)])
        _, whole = self.record_gathered("--loop-frames")
        burning = [stack for stack in whole if stack.has("shared")]
        chain = [self.named("BaseEventLoop._run_once"), self.named("Handle._run"), "shared"]
        kept = [stack for stack in burning if stack.in_order(chain)]
        self.assertGreaterEqual(folded.total(kept), 0.97 * folded.total(burning))

    def test_task_frames(self):
        _, plain = self.record_gathered()
        self.assertFalse([stack.line for stack in plain if any(frame.mark for frame in stack.frames)])
        _, stacks = self.record_gathered("--task-frames")
        for branch in ("branch_a", "branch_b"):
            burning = [stack for stack in stacks if stack.has(branch) and stack.has("shared")]
            chain = ["main", "handler", "[task %s]" % branch, branch, "inner", "shared"]
            kept = [stack for stack in burning if stack.contains(chain)]
            self.assertGreater(folded.total(kept), 0)
            self.assertGreaterEqual(folded.total(kept), 0.97 * folded.total(burning), branch)

    def test_task_names(self):
        target = self.target("await_shapes.py", "--burn", lifetime=20)
        stacks, _ = self.record(target, "-r", 500, "-d", 1)
        self.assertFalse([stack.line for stack in stacks if stack.root == "task root"])
        self.assertTrue([stack.line for stack in stacks if stack.root == "task main"])
        stacks, _ = self.record(target, "-r", 500, "-d", 1, "--task-names")
        named = [stack for stack in stacks if re.fullmatch(r"task .*\broot\b.*", stack.root)]
        self.assertGreater(folded.total(named), 0.9 * folded.total([s for s in stacks if s.has("main")]))

    def test_files_are_named_as_they_are_imported(self):
        target = self.target("await_shapes.py", "--burn", lifetime=20)
        stacks, _ = self.record(target, "-r", 500, "-d", 2)
        files = {frame.file for stack in stacks for frame in stack.frames}
        self.assertIn("await_shapes.py", files)
        self.assertIn("asyncio/tasks.py", files)
        self.assertFalse([file for file in files if file.startswith("/")])
