"""What waits for work is idle, and not in wall time; what waits in a call of the program's own is blocked, and is."""
import folded
import harness
import recordings


class Waits(recordings.RecordingTest, harness.InterpreterTest):

    def test_idle_and_blocked(self):
        target = self.target("waits.py", lifetime=20)
        path, result = self.record_file(target, "-d", 1)
        ticks = harness.ticks(result.stderr)
        stacks = self.stacks(path)
        for name, function in target.truth["blocked"].items():
            seen = folded.total([stack for stack in stacks if stack.root == "thread " + name and stack.has(function)])
            self.assertGreaterEqual(seen, 0.9 * ticks, "%s is blocked\n%s" % (name, result.stderr))
        blocked_loop = folded.total([stack for stack in stacks if stack.root == "task block_the_loop"])
        self.assertGreaterEqual(blocked_loop, 0.9 * ticks, "a coroutine that blocks its loop")
        idle = [stack.line for stack in stacks if any(stack.root.startswith("thread " + name) for name in target.truth["idle"])]
        self.assertEqual(idle, [])
        pools = [stack.line for stack in stacks if stack.has(self.named("worker")) or stack.has(self.named("Pool._handle_tasks"))]
        self.assertEqual(pools, [])
        states = self.info(path)["samples_in_state"]
        self.assertLess(states["running"] + states["runnable"], 0.1 * ticks, states)
        self.assertEqual(folded.total(self.stacks(path, "--state", "blocked")), states["blocked"])

    def test_idle_on_request(self):
        target = self.target("waits.py", lifetime=20)
        path, result = self.record_file(target, "-d", 1, "--idle")
        stacks = self.stacks(path, "--state", "idle")
        for name in target.truth["idle"]:
            seen = folded.total([stack for stack in stacks if stack.root.startswith("thread " + name)])
            self.assertGreaterEqual(seen, 0.9 * harness.ticks(result.stderr), name)
