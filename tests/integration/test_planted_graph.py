"""A busy thread whose every possible stack is known: no impossible stack, no missing part, no bent share."""
import collections
import json
import math
import os

import folded
import harness

SECONDS = 8  # some 7,000 samples: two points are four standard deviations of a share of 73 %
CLOSE, DEVIATIONS = 0.02, 4  # of fewer samples, on a busy machine, a share is less certain


class PlantedGraph(harness.InterpreterTest):
    free_threaded = True

    def record_planted(self, *args, engine="auto"):
        """-> (target, stacks, the target's own hot share of the branches over the window of the recording)."""
        target = self.target("planted_graph.py", *args, lifetime=SECONDS * 3)
        before = target.counters()
        stacks, self.result = self.record(target, "-r", 1000, "-d", SECONDS, "--engine", engine)
        after = target.counters()
        hot, cold = (after[name] - before[name] for name in ("hot_ns", "cold_ns"))
        self.assertGreater(after["cycles"] - before["cycles"], 20 * SECONDS, "the target hardly ran")
        return target, stacks, hot / (hot + cold)

    def assert_only_possible(self, target, stacks):
        """Every readable stack is one that the target itself saw, from `<module>` on."""
        possible = set()
        for path in target.truth["paths"]:
            where = tuple((name, os.path.basename(file), line) for name, file, line in path)
            possible.update(where[:length] for length in range(1, len(where) + 1))
        edges = {(json.dumps(caller), json.dumps(callee)) for caller, callee in target.truth["edges"]}
        impossible = collections.Counter()
        torn_edges = collections.Counter()
        names = {(json.loads(caller)[0], json.loads(callee)[0]) for caller, callee in edges}
        for stack in stacks:
            if stack.unreadable:
                continue
            if stack.root != "thread MainThread" or tuple(frame.where() for frame in stack.frames) not in possible:
                impossible[stack.line] += stack.count
                bad = [pair for pair in zip(stack.names, stack.names[1:]) if pair not in names]
                torn_edges.update(bad)
        told = "%d impossible samples; edges %s; e.g. %s" % (
            sum(impossible.values()), torn_edges.most_common(5), [line for line, _ in impossible.most_common(3)])
        self.assertFalse(impossible, told)

    def assert_share(self, stacks, truth):
        hot = sum(stack.count for stack in stacks if stack.has("hot_28"))
        cold = sum(stack.count for stack in stacks if stack.has("cold_28"))
        self.assertGreater(cold, 0, "no sample in the cold branch")
        close = max(CLOSE, DEVIATIONS * math.sqrt(truth * (1 - truth) / (hot + cold)))
        self.assertLessEqual(abs(hot / (hot + cold) - truth), close,
                             "%d hot, %d cold samples; the target says %.2f %%" % (hot, cold, 100 * truth))
        return hot + cold

    def test_every_stack_is_possible_and_shares_are_true(self):
        self.assert_true_and_whole("auto")

    def test_the_same_without_help_of_the_kernel(self):
        self.assert_true_and_whole("preempt")
        self.assertIn(", engine preempt, ", self.result.stderr)

    def assert_true_and_whole(self, engine):
        target, stacks, truth = self.record_planted(engine=engine)
        samples = folded.total(stacks)
        self.assertGreater(samples, 100 * SECONDS, self.result.stderr)
        self.assertGreaterEqual(samples, 0.9 * harness.ticks(self.result.stderr), self.result.stderr)
        self.assertLessEqual(samples, min(1050 * SECONDS, harness.ticks(self.result.stderr)), self.result.stderr)
        self.assertEqual(samples, self.summary_samples(self.result), self.result.stderr)
        self.assert_only_possible(target, stacks)
        unreadable = sum(stack.count for stack in stacks if stack.unreadable)
        self.assertLessEqual(unreadable, 0.005 * samples, self.result.stderr)
        deepest = max(len(stack.frames) for stack in stacks if not stack.unreadable)
        self.assertEqual(deepest, target.truth["depth"], "the whole depth of the graph")
        branches = self.assert_share(stacks, truth)
        self.assertGreater(branches, 0.8 * samples, "the branches take nearly all of the time")

    def test_shares_are_true_beside_system_calls(self):
        """A short cycle with one system call outside both branches: where stopping the target bends shares."""
        target, stacks, truth = self.record_planted("--syscall", "--hot", "6", "--cold", "2")
        self.assert_only_possible(target, stacks)
        self.assert_share(stacks, truth)
        inside = sum(stack.count for stack in stacks if stack.has("hot_28") or stack.has("cold_28"))
        self.assertGreater(inside, 0.7 * folded.total(stacks), "the branches take most of the time")
