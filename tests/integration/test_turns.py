"""Threads that wait most of the time are not asked in each tick: what they do has its share all the same."""
import time

import folded
import harness

SECONDS = 5
RATE = 500


class Turns(harness.InterpreterTest):

    def assert_shares(self, *args):
        target = self.target("turns.py", lifetime=SECONDS * 3)
        before, begun = target.counters(), time.monotonic_ns()
        stacks, result = self.record(target, "-r", RATE, "-d", SECONDS, *args)
        after, ended = target.counters(), time.monotonic_ns()
        python, native = (after[name] - before[name] for name in ("python_ns", "native_ns"))
        self.assertGreater(min(python, native), 0.2e9, "the target hardly ran")
        seen = {name: folded.total([stack for stack in stacks if stack.has(name)])
                for name in ("in_python", "in_native_code")}
        share = seen["in_native_code"] / sum(seen.values())
        # What runs without the GIL is seen in one tick of four, and has the noise of that: 3 to 4 points, on a busy machine more.
        # Counted once instead of four times, or the other way round, the share would be 30 points off.
        self.assertLess(abs(share - native / (python + native)), 0.2,
                        "%s; by the target %.2f of it native\n%s" % (seen, native / (python + native), result.stderr))
        # Of the short waits for a CPU behind each handing over of the GIL a part is not seen, whichever way threads are asked.
        due = harness.ticks(result.stderr) / (ended - begun) * (python + native)
        told = "%s of %d\n%s" % (seen, due, result.stderr)
        self.assertGreater(sum(seen.values()), 0.55 * due, told)
        self.assertLess(sum(seen.values()), 1.2 * due, told)

    def test_shares_of_threads_that_seldom_run(self):
        self.assert_shares()

    def test_shares_without_help_of_the_kernel(self):
        self.assert_shares("--engine", "preempt")
