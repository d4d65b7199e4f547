"""Ticks that the kernel takes while the recorder sleeps: nothing is missing, and all has its share."""
import re
import unittest

import folded
import harness

SECONDS = 8


class Ahead(harness.InterpreterTest):
    timing_sensitive = True

    def shares(self, rate, *args):
        """-> (samples of each function as folded, what the target says of it in ticks, the recorder's words)."""
        target = self.target("steady.py", lifetime=SECONDS * 3)
        before, self.stolen = target.counters(), harness.stolen_ns()
        stacks, result = self.record(target, "-r", rate, "-d", SECONDS, "-v", *args)
        after = target.counters()
        self.stolen = rate * (harness.stolen_ns() - self.stolen) / 1e9  # ticks of either CPU
        seen = {name: folded.total([stack for stack in stacks if stack.has(name)])
                for name in ("heavy", "light", "in_native_code")}
        due = {name: rate * (after[key] - before[key]) / 1e9
               for name, key in (("heavy", "heavy_ns"), ("light", "light_ns"), ("in_native_code", "native_ns"))}
        return seen, due, result.stderr

    def alone(self, said):
        """How many ticks the kernel took; skips where it takes none."""
        if "copying by bpf" not in said:
            raise unittest.SkipTest("the kernel does not permit BPF here")
        return int(re.search(r"of the ticks, (\d+) were taken by bpf alone", said)[1])

    def assert_shares(self, seen, due, said):
        told = "%s; by the target %s\n%s" % (seen, due, said)
        self.assertGreater(min(due.values()), 0, told)
        steady, truly = seen["heavy"] + seen["light"], due["heavy"] + due["light"]
        self.assertLess(abs(seen["heavy"] / steady - due["heavy"] / truly), 0.02 + 1.5 / steady ** 0.5, told)
        late = re.search(r"lost: (?:.*, )?([\d,]+) late", said)
        self.assertGreater(steady + (int(late[1].replace(",", "")) if late else 0), 0.93 * truly, told)
        self.assertLess(steady, 1.07 * truly + self.stolen, told)
        # Looked at in one tick of nine, and counted for all of them: its noise is that of a ninth of the samples.
        self.assertGreater(seen["in_native_code"], 0.4 * due["in_native_code"], told)
        self.assertLess(seen["in_native_code"], 1.8 * due["in_native_code"] + self.stolen, told)
        self.assertNotIn("unreadable", said.split("lost:")[1].split(";")[0], told)

    def test_most_ticks_of_a_busy_thread(self):
        seen, due, said = self.shares(1000)
        self.assertGreater(self.alone(said), 0.2 * harness.ticks(said), said)
        self.assert_shares(seen, due, said)

    def test_a_counted_event(self):
        seen, due, said = self.shares(1000, "--event", "page-faults")
        self.assertGreater(self.alone(said), 0.2 * harness.ticks(said), said)
        self.assert_shares(seen, due, said)

    def test_none_where_every_task_is_looked_at(self):
        seen, due, said = self.shares(200, "--all-tasks")
        self.assertEqual(self.alone(said), 0, said)
        self.assert_shares(seen, due, said)
