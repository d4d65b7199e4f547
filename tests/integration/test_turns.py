"""Threads that wait most of the time are not asked in each tick: what they do has its share all the same."""
import folded
import harness

SECONDS = 6
RATE = 500


class Turns(harness.InterpreterTest):
    timing_sensitive = True

    def assert_shares(self, *args):
        target = self.target("turns.py", lifetime=SECONDS * 3)
        before = target.counters()
        stacks, result = self.record(target, "-r", RATE, "-d", SECONDS, *args)
        after = target.counters()
        python, native = (after[name] - before[name] for name in ("python_ns", "native_ns"))
        self.assertGreater(min(python, native), 0.2e9, "the target hardly ran")
        seen = {name: folded.total([stack for stack in stacks if stack.has(name)])
                for name in ("in_python", "in_native_code")}
        share = seen["in_native_code"] / sum(seen.values())
        # What runs without the GIL is seen in one tick of four, and has the noise of that: 3 to 4 points.
        self.assertLess(abs(share - native / (python + native)), 0.12,
                        "%s; by the target %.2f of it native\n%s" % (seen, native / (python + native), result.stderr))
        due = RATE * (python + native) / 1e9
        self.assertLess(abs(sum(seen.values()) - due), 0.2 * due, "%s of %d\n%s" % (seen, due, result.stderr))

    def test_shares_of_threads_that_seldom_run(self):
        self.assert_shares()

    def test_shares_without_help_of_the_kernel(self):
        self.assert_shares("--engine", "preempt")
