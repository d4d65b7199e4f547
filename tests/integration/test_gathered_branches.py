"""Two gathered branches with the same physical stack: the await chain must tell them apart, at their true weights."""
import folded
import harness

SECONDS = 3


class GatheredBranches(harness.InterpreterTest):
    free_threaded = True

    def test_each_branch_has_its_samples(self):
        target = self.target("gathered_branches.py", lifetime=SECONDS * 3)
        before = target.counters()
        stacks, result = self.record(target, "-r", 1000, "-d", SECONDS)
        after = target.counters()
        in_shared = [stack for stack in stacks if stack.has("shared")]
        total = folded.total(in_shared)
        self.assertGreater(total, 0.7 * harness.ticks(result.stderr), result.stderr)
        self.assertGreater(total, 100 * SECONDS, result.stderr)
        counts = {}
        for branch in ("branch_a", "branch_b"):
            chain = ["main", "handler", branch, "inner", "shared"]
            counts[branch] = sum(s.count for s in in_shared if s.root == "task main" and s.names == chain)
        right = sum(counts.values())
        self.assertGreaterEqual(right, 0.99 * total, "%s of %d" % (counts, total))
        a, b = (after[name] - before[name] for name in ("a_ns", "b_ns"))
        self.assertLessEqual(abs(counts["branch_a"] / right - a / (a + b)) * 100, 2.0,
                             "%s; the target says %.2f %%" % (counts, 100 * a / (a + b)))
        self.assertLessEqual(len(stacks), 60, "stacks do not fold: %s" % [stack.line for stack in stacks[:70]])
        unreadable = sum(stack.count for stack in stacks if stack.unreadable)
        self.assertLessEqual(unreadable, 0.005 * folded.total(stacks), result.stderr)

    def test_frames_name_their_definitions(self):
        target = self.target("gathered_branches.py")
        stacks, _ = self.record(target, "-r", 500, "-d", 1)
        where = {frame.name: frame for stack in stacks if stack.root == "task main" for frame in stack.frames}
        for name, (qualname, _, line) in target.truth["functions"].items():
            self.assertIn(name, where)
            self.assertEqual((where[name].name, where[name].file, where[name].line),
                             (qualname, "gathered_branches.py", line))
