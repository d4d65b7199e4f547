"""A leaf that burns at the end of every shape of waiting: each sample stands under its whole logical chain."""
import os

import folded
import harness

SECONDS = 3


class AwaitShapes(harness.InterpreterTest):

    def test_every_shape_keeps_its_chain(self):
        target = self.target("await_shapes.py", "--burn", lifetime=SECONDS * 4)
        before = target.counters()
        stacks, result = self.record(target, "-r", 1000, "-d", SECONDS)
        after = target.counters()
        wrong = []
        a_round = 20 * harness.ticks(result.stderr) / (1000 * SECONDS)  # samples in 20 ms, of the ticks that happened
        for shape, chain in target.truth["chains"].items():
            rounds = after[shape] - before[shape]
            self.assertGreater(rounds, 3, "the target hardly ran")
            burning = [stack for stack in stacks if stack.has(chain[-1])]
            right = [stack for stack in burning if stack.root == "task main" and self.own_names(stack) == chain]
            count = folded.total(burning)
            # A machine that others use makes a round longer by what it waits for a CPU.
            if not 0.5 * rounds * a_round < count < 4 * (rounds + 2) * a_round:
                wrong.append("%s: %d samples in %d rounds" % (shape, count, rounds))
            if folded.total(right) < 0.99 * count:
                others = [" > ".join(stack.names) for stack in burning if stack not in right]
                wrong.append("%s: %d of %d, e.g. %s" % (shape, folded.total(right), count, others[:1]))
        self.assertEqual(wrong, [], result.stderr)

    def own_names(self, stack):
        """The frames of the program itself; those of asyncio and contextlib may stand between, others may not."""
        for frame in stack.frames:
            folder, base = os.path.split(frame.file)
            if base != "await_shapes.py" and not frame.mark and base != "contextlib.py":
                self.assertTrue(folder.split("/")[-1] == "asyncio", frame.text)
        return [frame.name for frame in stack.frames if os.path.basename(frame.file) == "await_shapes.py"]

    def test_suspended_tasks_are_not_wall_time(self):
        target = self.target("await_shapes.py", lifetime=30)
        stacks, _ = self.record(target, "-r", 200, "-d", 1)
        self.assertEqual([stack.line for stack in stacks if stack.has(target.truth["leaf"])], [])
        # A thread that waits for one of them is in a call of the program's own.
        self.assertEqual([stack.line for stack in stacks if stack.has("wait_in_thread") and not stack.names[-1].endswith("wait")], [])
