"""Threads that wait for the GIL, and who holds it meanwhile, against the kernel's counts: what a thread that never sleeps is neither
on a CPU nor waiting for one, it waits for the GIL."""
import json
import time

import harness
import recordings

SECONDS = 6
RATE = 500
POINTS = 3
THREADS = ("greedy", "modest")

class Gil(recordings.RecordingTest, harness.InterpreterTest):

    def account(self, target, name):
        """(now, CPU time and waits for a CPU of the thread), in nanoseconds."""
        with open("/proc/%d/task/%d/schedstat" % (target.pid, target.truth["tids"][name]), encoding="ascii") as file:
            return time.monotonic_ns(), sum(int(word) for word in file.read().split()[:2])

    def record_pair(self, *args):
        """-> (path, {thread: part of the time that it waited for the GIL, by the kernel}, what the recorder said)"""
        target = self.target("gil_pair.py", lifetime=SECONDS * 4)
        before = {name: self.account(target, name) for name in THREADS}
        path, result = self.record_file(target, "-r", RATE, "-d", SECONDS, *args)
        after = {name: self.account(target, name) for name in THREADS}
        waited = {name: 1 - (after[name][1] - before[name][1]) / (after[name][0] - before[name][0]) for name in THREADS}
        return path, waited, result.stderr

    def test_who_waits_for_whom(self):
        path, waited, said = self.record_pair()
        found = json.loads(self.report(path, "-f", "gil", "--json"))
        times = {name: sum(wait["ns"] for wait in found["waits"] if wait["waiter"] == name) for name in THREADS}
        for name in THREADS:
            share = 100 * times[name] / sum(times.values())
            true = 100 * waited[name] / sum(waited.values())
            self.assertLess(abs(share - true), POINTS, "%s: %s, truly %s\n%s" % (name, found, waited, said))
        # Each waits for the other one, in what that does.
        for waiter, holder, function in (("modest", "greedy", "add_up"), ("greedy", "modest", "count")):
            waits = [wait for wait in found["waits"] if wait["waiter"] == waiter]
            known = sum(wait["samples"] for wait in waits if wait["holder"] == holder)
            self.assertGreater(known, 0.9 * sum(wait["samples"] for wait in waits), waits)
            held = {entry["function"]: entry["samples"] for wait in waits for entry in wait["held_in"]}
            self.assertGreater(held.get(function, 0), 0.9 * known, waits)

    def test_states_of_threads(self):
        """Its time is in the states in which the kernel had it."""
        path, waited, said = self.record_pair()
        pair = [word for name in THREADS for word in ("--thread", name)]
        samples = {state: self.hot(path, "--state", state, "--metric", "wall", *pair)["sum"]["samples"]
                   for state in ("running", "runnable", "gil")}
        share = 100 * samples["gil"] / sum(samples.values())
        true = 100 * sum(waited.values()) / len(THREADS)
        self.assertLess(abs(share - true), 2 * POINTS, "%.1f %%: %s, truly %.1f %%\n%s" % (share, samples, true, said))

        text = self.report(path, "-f", "gil", "--thread", "modest").decode()
        self.assertIn("held in add_up", text)
        self.assertNotIn("held in count", text)
