"""record --native: functions of machine code stand where the program's own structure has them, in samples."""
import os
import re
import unittest

import bpf_here
import checks
import harness
import test_native


@unittest.skipIf(bpf_here.why_not(), bpf_here.why_not())
class NativeRecordings(checks.Checks, harness.InterpreterTest):

    def setUp(self):
        super().setUp()
        test_native.build_extension(self.interpreter, self.folder)

    def record_native(self, target, *args):
        stacks, result = self.record(target, "--native", *args)
        warning = re.search("native frames are missing in (.*)", result.stderr)
        lost = re.findall(r"(\d+) of \d+: ([^;]*)", warning.group(1)) if warning else []
        # Nothing is known of a thread that waits for a CPU when the recording begins, and not all of one that waits otherwise.
        self.assertLess(sum(int(count) for count, _ in lost), 10, result.stderr)
        self.assertLessEqual({reason for _, reason in lost}, {"not run since", "bad address"}, result.stderr)
        marked = sum(stack.count for stack in stacks if stack.has("[native unreadable]"))
        self.assertTrue(lost or not marked, result.stderr)
        return [stack for stack in stacks if not stack.has("[native unreadable]")], result

    def test_shares(self):
        """Two functions of an extension have the CPU that the program measures of them, below their task."""
        target = self.target("native_shares.py", "--folder", self.folder, lifetime=40)
        before = target.counters()
        stacks, _ = self.record_native(target, "-d", "4", "-r", "500", "--metric", "cpu")
        after = target.counters()
        spent = [after[name] - before[name] for name in ("first", "second")]
        counts = []
        for name in ("first", "second"):
            own = [stack for stack in stacks if stack.names[-1:] == ["spend_" + name]]
            for stack in own:
                self.assertTrue(stack.contains(["work", name, "spend_outer", "spend_" + name]), stack.line)
                self.assertEqual((stack.root, stack.names[0]), ("task serve", "serve"), stack.line)
            counts.append(sum(stack.count for stack in own))
        everything = sum(stack.count for stack in stacks)
        self.assertGreater(sum(counts), 0.9 * everything, "it does nothing else")
        self.assertAlmostEqual(counts[0] / sum(counts), spent[0] / sum(spent), delta=0.05)

    def test_nestings(self):
        """Each sample of a nesting's end has all of it in order, and nothing else of the program's."""
        target = self.target("native_nestings.py", "--folder", self.folder, "--again", lifetime=60)
        stacks, result = self.record_native(target, "-d", "4", "-r", "500")
        nestings, ends = target.truth["nestings"], target.truth["ends"]
        seen = dict.fromkeys(nestings, 0)
        for stack in stacks:
            name = stack.root.partition(" ")[2]
            if name not in nestings or not stack.has("reached"):
                continue
            shown = [("N" if frame.native else "P", frame.name.rpartition(".")[2]) for frame in stack.frames]
            shown = shown[shown.index(("P", nestings[name][0][1])):]
            own = [frame for frame in shown if frame[0] == "P" or frame[1].startswith(("call_", "second_", "pause_", "spin_"))]
            wanted = [frame for frame in map(tuple, nestings[name]) if frame[0] == "P" or frame[1].startswith(("call_", "second_"))]
            self.assertEqual(own[:len(wanted)], wanted, stack.line)
            rest = own[len(wanted):]
            for end in ends:  # it may be on its way into it, or out of it
                if rest[1:2] == [tuple(end[1])]:
                    self.assertEqual(rest, [tuple(frame) for frame in end][:len(rest)], stack.line)
            self.assertIn(rest[:1], [[("P", "reached")]], stack.line)
            named = [frame[1] for frame in map(tuple, nestings[name]) if frame[0] == "N"]
            self.assertTrue(all(any(part in frame[1] for frame in shown) for part in named), stack.line)
            seen[name] += stack.count
        self.assertTrue(all(count > 50 for count in seen.values()), seen)

    def test_functions_of_the_kernel(self):
        """Behind the call that enters it: a thread that sleeps, again and again."""
        target = self.target("native_nestings.py", "--folder", self.folder, "--again", lifetime=60)
        sleeping = 0
        for options in (("--native",), ()):
            stacks, _ = self.record(target, "--kernel", "-d", "2", "-r", "200", *options)
            for stack in stacks:
                kernel = [frame.file == "[kernel]" for frame in stack.frames]
                self.assertEqual(kernel, sorted(kernel), "the last frames: " + stack.line)
                slept = [name for name in stack.names if "nanosleep" in name]
                if len(slept) > 1 and stack.has("pause_outer") == bool(options):
                    sleeping += any(kernel)
                if stack.names[-1:] in (["spin_inner"], ["spend_first"]):
                    self.assertFalse(any(kernel), stack.line)
        self.assertGreater(sleeping, 2)

    def test_a_stack_is_the_same_but_for_its_native_frames(self):
        """Latency and calls are what they are without them."""
        target = self.target("native_shares.py", "--folder", self.folder, lifetime=40)
        path = self.path("native.ascope")
        self.assert_done(harness.run_tool("record", "-p", target.pid, "-d", "2", "--native", "-o", path))
        latency = harness.run_tool("report", "-f", "latency", "--json", path)
        self.assert_done(latency)
        self.assertNotIn(b"native_calls.so", latency.stdout)
        hot = harness.run_tool("report", path)
        self.assert_done(hot)
        self.assertRegex(hot.stdout.decode(), r"spend_first +native_calls\.so")


class NativeRecordingUsage(harness.EndsTest):

    def test_refused_without_bpf(self):
        for args in (("--native", "--engine", "preempt"), ("--native", "--engine", "stop"), ("--interpreter-frames",)):
            self.assert_error(harness.run_tool("record", "-p", os.getpid(), *args), 2)
