"""Threads: names as the program gave them, those that wait for work left out unless asked for, work outside the GIL seen."""
import folded
import harness

SECONDS = 3
RATE = 200
BOOTSTRAP = ("Thread._bootstrap", "Thread._bootstrap_inner")


class Threads(harness.InterpreterTest):

    def counts(self, stacks):
        counts = {}
        for stack in stacks:
            self.assertTrue(stack.root.startswith("thread "), stack.line)
            name = stack.root[len("thread "):]
            counts[name] = counts.get(name, 0) + stack.count
        return counts

    def test_every_thread_but_the_idle_ones(self):
        target = self.target("threads.py", lifetime=30)
        stacks, result = self.record(target, "-r", RATE, "-d", SECONDS)
        truth, counts = target.truth, self.counts(stacks)
        self.assertGreaterEqual(counts.get(truth["busy"], 0), 0.5 * harness.ticks(result.stderr), "%s %s" % (counts, result.stderr))
        # Both are runnable all the time, one of them without the GIL: they have the same wall time.
        ratio = counts.get(truth["digester"], 0) / counts[truth["busy"]]
        self.assertTrue(0.7 < ratio < 1.43, "a thread without the GIL counts like another: %s" % counts)
        for name in truth["blocked"]:  # in a call of the program's own, at each tick
            self.assertGreaterEqual(counts.get(name, 0), 0.9 * harness.ticks(result.stderr), "%s is blocked: %s" % (name, counts))
        for name in truth["idle"]:
            self.assertLess(counts.get(name, 0), 0.1 * harness.ticks(result.stderr), "it only wakes up now and then: %s" % counts)
        leaves = {stack.names[-1] for stack in stacks if stack.root == "thread " + truth["digester"] and stack.frames}
        self.assertIn("digest", leaves)

    def test_idle_shows_every_thread(self):
        target = self.target("threads.py", lifetime=30)
        stacks, result = self.record(target, "-r", RATE, "-d", SECONDS, "--idle")
        counts = self.counts(stacks)
        for _, name in target.truth["threads"]:
            self.assertGreaterEqual(counts.get(name, 0), 0.5 * harness.ticks(result.stderr), "%s: %s" % (name, counts))
        for name, function in (("lock-waiter", "wait_for_lock"), ("schläfer", "sleep_on"), ("MainThread", "main")):
            self.assertTrue(any(s.root == "thread " + name and s.has(function) for s in stacks), name)

    def test_threads_born_and_ended_meanwhile(self):
        target = self.target("threads.py", "--births", lifetime=30)
        before = target.counters()
        stacks, result = self.record(target, "-r", RATE, "-d", SECONDS)
        after = target.counters()
        lives = after["ended"] - before["born"]
        self.assertGreater(lives, 3, "the target hardly ran")
        living = [stack for stack in stacks if stack.has("short_life")]
        roots = {stack.root for stack in living}
        self.assertGreaterEqual(len(roots), 0.6 * lives, "%d of %d short lives seen" % (len(roots), lives))
        known = {"thread born-%d" % number for number in range(before["born"], after["born"] + 1)}
        named = folded.total([stack for stack in living if stack.root in known])
        self.assertGreaterEqual(named, 0.95 * folded.total(living), "names: %s" % sorted(roots - known))
        unreadable = sum(stack.count for stack in stacks if stack.unreadable)
        self.assertLessEqual(unreadable, 0.01 * folded.total(stacks), result.stderr)
        for stack in living:
            self.assertEqual(stack.names[:2], [self.named(name) for name in BOOTSTRAP], stack.line)
        self.assert_progress(target, "born")
