"""CPU time stands where it was used: in threads that contend for the GIL, that wait for a CPU, and that live for less than a
sampling period. The truth is what the target's threads measured by their own clocks."""
import glob
import time

import folded
import harness
import recordings

SECONDS = 4
RATE = 500


class Shares(recordings.RecordingTest):

    def record_shares(self, script, names, *args, options=(), rate=RATE, of=None):
        """-> (path, {function: points}, {function: true points}, what the recorder said); true ones of the counter `of`, or of their sum"""
        target = self.target(script, *options, lifetime=SECONDS * 4)
        before, self.begun = target.counters(), self.scheduled(target)
        path, result = self.record_file(target, "-r", rate, "-d", SECONDS, *args)
        after, self.ended = target.counters(), self.scheduled(target)
        spent = {name: after[name + "_ns"] - before[name + "_ns"] for name in names}
        stacks = self.stacks(path, "--metric", "cpu")
        whole = folded.total(stacks)
        seen = {name: 100 * folded.total([stack for stack in stacks if stack.has(name)]) / whole for name in names}
        seen[folded.NOT_SAMPLED] = 100 * folded.total([s for s in stacks if s.root == folded.NOT_SAMPLED]) / whole
        used = after[of] - before[of] if of else sum(spent.values())
        return path, seen, {name: 100 * spent[name] / used for name in names}, result.stderr

    def scheduled(self, target):
        """(now, CPU time, waits for a CPU) of all its threads, by the kernel, in nanoseconds."""
        rows = []
        for path in glob.glob("/proc/%d/task/*/schedstat" % target.pid):
            try:
                with open(path, encoding="ascii") as file:
                    rows.append([int(word) for word in file.read().split()[:2]])
            except (FileNotFoundError, ProcessLookupError):
                pass  # a thread that ended since
        return [time.monotonic_ns()] + [sum(column) for column in zip(*rows)]

    def assert_near(self, seen, true, points, said):
        for name in true:
            self.assertLess(abs(seen[name] - true[name]), points, "%s: %s, truly %s\n%s" % (name, seen, true, said))

    def assert_states(self, path, said, part=0.1):
        """As many threads at a tick as the kernel says that there were, on a CPU and waiting for one."""
        info, span = self.info(path), self.ended[0] - self.begun[0]
        for state, column in (("running", 1), ("runnable", 2)):
            found = info["samples_in_state"][state] / info["ticks"]
            due = (self.ended[column] - self.begun[column]) / span
            self.assertLess(abs(found - due), part * due + 0.1, "%s: %.2f a tick, by the kernel %.2f\n%s" % (state, found, due, said))

    def assert_sums(self, path):
        """Every view has the kernel's sum."""
        whole = self.info(path)["process_cpu_ns"]
        hot = self.hot(path, "--metric", "cpu")
        sums = {"folded": folded.total(self.stacks(path, "--metric", "cpu")), "hot": hot["sum"]["cpu_ns"],
                "info": self.info(path)["cpu_ns"] + self.info(path)["unsampled_cpu_ns"]}
        for view, found in sums.items():
            self.assertLess(abs(found - whole), 0.001 * whole + 1e6, "%s: %d of %d" % (view, found, whole))


class Contention(Shares, harness.InterpreterTest):
    minor_matters = False

    def assert_shares(self, threads, *args):
        path, seen, true, said = self.record_shares("contention.py", ("compute", "compress", "store"), *args,
                                                    options=("--threads", str(threads)))
        # The threads' clocks are read in the functions: what is used between two calls is in none of them.
        inside = sum(seen[name] for name in true)
        self.assertGreater(inside, 85, said)
        self.assert_near({name: 100 * seen[name] / inside for name in true}, true, 6, said)
        self.assert_sums(path)
        self.assert_states(path, said)

    def test_more_threads_than_cpus(self):
        self.assert_shares(4)

    def test_without_help_of_the_kernel(self):
        self.assert_shares(4, "--engine", "preempt")


class ShortLives(Shares, harness.InterpreterTest):
    minor_matters = False

    def test_threads_of_less_than_a_period(self):
        self.assert_shares()

    def test_threads_of_less_than_a_period_beside_an_idle_loop(self):
        self.assert_shares("--beside-a-loop")

    def assert_shares(self, *options):
        path, seen, true, said = self.record_shares("short_lives.py", ("three", "one", "between"), options=options, rate=100,
                                                    of="process_ns")
        self.assertLess(seen[folded.NOT_SAMPLED], 3, "%s\n%s" % (seen, said))
        self.assert_near(seen, true, 9, said)  # three standard errors of 400 samples
        self.assert_sums(path)


class Turns(Shares, harness.InterpreterTest):
    """Threads that wait most of the time are not asked in each tick: what they do has its share all the same."""
    minor_matters = False

    def assert_shares(self, *args):
        path, seen, true, said = self.record_shares("turns.py", ("in_python", "in_native_code"), *args)
        # What runs without the GIL is seen in one tick of four, and has the noise of that.
        both = sum(seen[name] for name in true)
        self.assert_near({name: 100 * seen[name] / both for name in true}, true, 20, said)  # four standard errors
        self.assert_sums(path)
        self.assert_states(path, said, part=0.3)

    def test_threads_that_seldom_run(self):
        self.assert_shares()

    def test_without_help_of_the_kernel(self):
        self.assert_shares("--engine", "preempt")
