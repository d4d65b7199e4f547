"""record --all-tasks: how long calls took and tasks were suspended, compared with the target's own stopwatch and count."""
import json
import math

import folded
import harness
import recordings

LIFETIME = 60
BATCHES = 18  # some 360 requests: what few of them happen to take says nothing of a percentile
TOLERANCE = 0.10  # of a duration
RANKS = 0.01  # of the calls, some of which the recording cuts: by so much a percentile may be another's


def percentile(lengths, part):
    """The least length that this part of them does not exceed."""
    return sorted(lengths)[math.ceil(part * len(lengths)) - 1]


def calls_of(path):
    """{function: [(begin, end, cpu), …]} of the target's log."""
    calls = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            name, *numbers = line.split()
            calls.setdefault(name, []).append(tuple(map(int, numbers)))
    return calls


class AllTasksTest(recordings.RecordingTest):
    timing_sensitive = True

    def near(self, found, true, tolerance, what):
        told = "%s is %.2f ms; the target says %.2f ms" % (what, found / 1e6, true / 1e6)
        self.assertLessEqual(abs(found / true - 1), tolerance, told)

    def check_many(self, count):
        target = self.target("many_tasks.py", "--tasks", str(count), lifetime=30)
        path, result = self.record_file(target, "-r", 100, "-d", 3, "--all-tasks")
        info = self.info(path)
        self.assertGreater(info["task_looks"], 1, result.stderr)
        stacks = self.stacks(path, "--metric", "await", "--since", "1s", "--task-frames")
        true = target.truth["waiting"] * (info["elapsed_ns"] - 1000000000)
        frames = [self.named(name) for name in target.truth["frames"]]
        expected = target.truth["parent"] + ["[task %s]" % frames[0]] + frames
        waiting = [stack for stack in stacks if stack.has(frames[0])]
        self.assertEqual([(stack.root, stack.names) for stack in waiting],
                         [("task " + target.truth["parent"][0], expected)])
        self.near(folded.total(waiting), true, 0.05, "await of the many")
        # The parent is itself suspended, and counts once: in its own frames.
        parent = [stack for stack in stacks if stack.names == target.truth["parent"]]
        self.near(folded.total(parent), true / target.truth["waiting"], 0.05, "await of their parent")
        every = target.truth["tasks"] * (info["elapsed_ns"] - 1000000000)
        self.assertLessEqual(folded.total(stacks), 1.05 * every, result.stderr)
        rows = {row["function"]: row for row in json.loads(self.report(path, "-f", "latency", "--json"))["functions"]}
        self.assertEqual(rows["level_a"]["calls"], target.truth["waiting"])
        self.assertEqual(rows["gathering"]["calls"], 1, "a parent's call is no call of each child")


class Latency(AllTasksTest, harness.InterpreterTest):
    minor_matters = False

    def test_suspended_tasks_stand_under_those_that_await_them(self):
        self.check_many(2000)

    def record_batches(self):
        """-> (target, recording, Result), of as many calls on a slow machine as on any."""
        target = self.target("latency.py", lifetime=LIFETIME)
        path = self.path("out.ascope")
        before = target.counters()["batches"]
        result = self.record_until(target, lambda: target.counters()["batches"] >= before + BATCHES, "-r", 1000,
                                   "--all-tasks", "-o", path)
        ended = target.counters()["batches"]
        self.wait_for("the calls that the end cuts did not end", lambda: target.counters()["batches"] > ended)
        return target, path, result

    def cpu_within(self, calls, begin, end):
        """What they used inside the recording: of those that it cuts, the part of it that their time inside is of all of it."""
        return sum(cpu * (min(ended, end) - max(begun, begin)) / (ended - begun) for begun, ended, cpu in calls)

    def assert_percentile(self, found, lengths, part, what):
        """Within the tolerance of what the target says, or between that for calls of a neighbouring rank."""
        least = percentile(lengths, part - RANKS) * (1 - TOLERANCE)
        most = percentile(lengths, part + RANKS) * (1 + TOLERANCE)
        self.assertTrue(least <= found <= most, "%s is %.2f ms; the target says %.2f ms of %d calls" % (
            what, found / 1e6, percentile(lengths, part) / 1e6, len(lengths)))

    def assert_pauses(self, row, calls):
        """Each is a call of its own, although nothing but the line of its await tells it from the one before."""
        self.assertGreaterEqual(row["calls"], 0.98 * len(calls) - 2)
        self.assertLessEqual(row["calls"], 1.02 * len(calls) + 2)
        lengths = [ended - begun for begun, ended, _ in calls]
        # Every other one waits for the bursts of a batch as well: p50 would lie between the two kinds, and p95 is one of a few.
        self.near(row["mean_ns"], sum(lengths) / len(lengths), TOLERANCE, "mean of pause")

    def test_calls_against_the_stopwatch(self):
        target, path, result = self.record_batches()
        info = self.info(path)
        begin = info["start_monotonic_ns"]
        end = begin + info["elapsed_ns"]
        document = json.loads(self.report(path, "-f", "latency", "--json"))
        self.assertEqual(document["schema"], 1)
        self.assertGreaterEqual(document["resolution_ns"], 1000000, "the sampling period")
        self.assertLessEqual(document["resolution_ns"], target.truth["short_ns"])
        rows = {row["function"]: row for row in document["functions"] if row["file"].endswith("/latency.py")}
        calls = {name: [call for call in all_calls if call[1] > begin and call[0] < end]
                 for name, all_calls in calls_of(target.truth["log"]).items()}
        for name in ("request", "fetch"):
            row = rows[name]
            whole = [(begun, ended) for begun, ended, _ in calls[name] if begun >= begin and ended <= end]
            # Also those that the recording's end cuts: how long they took it has to estimate.
            lengths = [ended - begun for begun, ended, _ in calls[name] if begun >= begin]
            self.assertGreater(len(whole), 15 * BATCHES, result.stderr)
            for key, part in (("p50_ns", 0.50), ("p95_ns", 0.95)):
                self.assert_percentile(row[key], lengths, part, "%s of %s" % (key, name))
            self.assertGreaterEqual(row["calls"], len(whole) * 0.98, "of %s" % name)
            self.assertLessEqual(row["calls"], len(whole) * 1.02 + 40, "of %s; a batch is cut at each end" % name)
            self.assertGreater(row["await_ns"], 0)
            lasted = sum(min(ended, end) - max(begun, begin) for begun, ended, _ in calls[name])
            self.assertLessEqual(row["await_ns"], lasted * (1 + TOLERANCE), name)
        self.assert_pauses(rows["pause"], calls["pause"])
        self.near(rows["request"]["cpu_ns"], self.cpu_within(calls["request"], begin, end), TOLERANCE, "CPU of request")
        # The bursts between two fetches, nearly all of a request's CPU time, are of none of them.
        fetching = self.cpu_within(calls["fetch"], begin, end)
        self.assertLess(abs(rows["fetch"]["cpu_ns"] - fetching), 0.05 * rows["request"]["cpu_ns"], "CPU of fetch")
        fetches = [call for call in calls["fetch"] if call[0] >= begin and call[1] <= end]
        self.assertGreaterEqual(rows["fetch"]["await_ns"], (1 - TOLERANCE) * target.truth["short_ns"] * len(fetches))
        waits = {wait["function"]: wait["ns"] for wait in rows["request"]["await_on"]}
        self.assertEqual(set(waits), {"sleep"})
        self.assertEqual(waits["sleep"], rows["request"]["await_ns"])

    def test_suspended_tasks_weigh_their_time(self):
        target = self.target("latency.py", "--suspended", "2000", lifetime=30)
        count = target.truth["tasks"]
        self.assertEqual(count, 2001)
        path, result = self.record_file(target, "-r", 100, "-d", 3, "--all-tasks")
        elapsed = self.info(path)["elapsed_ns"]
        stacks = self.stacks(path, "--metric", "await", "--since", "1s")
        true = count * (elapsed - 1000000000)
        self.near(folded.total(stacks), true, 0.05, "await of %d tasks" % count)
        waiting = [stack for stack in stacks if stack.has("suspended")]
        self.near(folded.total(waiting), true * target.truth["suspended"] / count, 0.05, "await of `suspended`")
        self.assertLess(len(stacks), 20, "equal stacks fold")

    def test_suspended_tasks_under_a_thread_and_in_a_circle(self):
        target = self.target("thread_root.py", lifetime=20)
        path, result = self.record_file(target, "-r", 100, "-d", 2, "--all-tasks")
        stacks = self.stacks(path, "--metric", "await", "--since", "1s", "--task-frames")
        true = self.info(path)["elapsed_ns"] - 1000000000
        for leaf, times in (("root", 1), ("child", 2)):
            tail = ["root"] if leaf == "root" else ["root", "[task child]", "child", "sleep"]
            found = [stack for stack in stacks if stack.names[-len(tail):] == tail]
            self.assertEqual([stack.root for stack in found], ["thread " + target.truth["thread"]], result.stderr)
            above = [name.rpartition(".")[2] for name in found[0].names[:-len(tail)]]
            self.assertEqual(above[-2:], target.truth["above"])
            self.near(folded.total(found), times * true, 0.05, "await of %s" % leaf)
        ring = [stack for stack in stacks if stack.has("ring")]
        self.assertEqual([(stack.root, stack.names) for stack in ring], [("task ring", ["ring", "[task ring]", "ring"])])
        self.near(folded.total(ring), 2 * true, 0.05, "await of the circle")

    def test_suspended_tasks_weigh_in_samples(self):
        target = self.target("latency.py", "--suspended", "2000", lifetime=30)
        path, result = self.record_file(target, "-r", 100, "-d", 3, "--all-tasks")
        seconds = self.info(path)["elapsed_ns"] / 1e9 - 1  # by then they have been found, also on a busy machine
        stacks = self.stacks(path, "--all-tasks", "--since", "1s")
        waiting = folded.total([stack for stack in stacks if stack.has("suspended")])
        self.near(waiting * 1e9, target.truth["suspended"] * 100 * seconds * 1e9, 0.05, "samples of `suspended`")
        at_once, _ = self.record(target, "-r", 100, "-d", 1, "--all-tasks")
        self.assertTrue(any(stack.has("suspended") for stack in at_once))


class VeryMany(AllTasksTest, harness.EndsTest):
    """Reading them takes ten times as long as the loop waits at a time, beside a CPU that has nothing to do."""

    def test_suspended_tasks_stand_under_those_that_await_them(self):
        self.check_many(10000)


class ShortLoops(AllTasksTest, harness.EndsTest):

    def test_tasks_end_with_the_loops_that_ran_them(self):
        target = self.target("short_loops.py", lifetime=30)
        path, result = self.record_file(target, "-r", 100, "-d", 4, "--all-tasks")
        self.assertGreater(target.counters()["loops"], 10, result.stderr)
        stacks = self.stacks(path, "--metric", "await")
        elapsed = self.info(path)["elapsed_ns"]
        naps = [stack for stack in stacks if stack.has("napping")]
        self.assertGreater(folded.total(naps), 0.3 * 3 * elapsed, result.stderr)
        # What a look saw counts until the next one that does not see it.
        self.assertLess(folded.total(naps), 1.5 * 3 * elapsed, result.stderr)
        self.assertLess(folded.total(stacks), 1.5 * target.truth["suspended"] * elapsed, result.stderr)


class BlockingCalls(recordings.RecordingTest, harness.InterpreterTest):
    minor_matters = False

    def test_a_call_that_blocks_says_so_and_in_what(self):
        target = self.target("blocking_calls.py", lifetime=20)
        before = target.counters()
        path, result = self.record_file(target, "-r", 250, "-d", 3, "--all-tasks")
        after = target.counters()
        blocked, slept = (after[name] - before[name] for name in ("blocked_ns", "slept_ns"))
        rows = {row["function"]: row for row in json.loads(self.report(path, "-f", "latency", "--json"))["functions"]}
        row = rows["serve"]
        said = "%s\n%s" % (row, result.stderr)
        self.assertAlmostEqual(row["blocked_ns"] / (row["blocked_ns"] + row["await_ns"]), blocked / (blocked + slept), delta=0.05,
                               msg=said)
        self.assertEqual(row["blocked_in"][0]["function"], "query", said)
        self.assertEqual(rows["main"]["max_is"], "longer", said)  # it had begun before
        self.assertGreater(row["blocked_in"][0]["ns"], 0.95 * row["blocked_ns"], said)
        text = self.report(path, "-f", "latency").decode("utf-8")
        self.assertRegex(text, r"blocked \d\.\d+ s \(query \d\.\d+ s\), await ")
