"""Sub-interpreters: each thread state with the number of its interpreter and its stack, each thread with the one it runs in."""
import checks
import folded
import harness
import recordings

ENOUGH_NS = 1.5e9  # of the target's CPU time


class SubInterpreters(checks.Checks, recordings.RecordingTest, harness.InterpreterTest):

    def test_each_stack_is_read(self):
        target = self.target("sub_interpreters.py", lifetime=20)
        self.check_dump(target, self.dump(target))
        stacks, result = self.record(target, "-r", 500, "-d", 1)
        for name, one in target.truth["interpreters"].items():
            of_thread = [stack for stack in stacks if stack.root == "thread " + one["thread"]]
            self.assertGreater(folded.total(of_thread), 20, result.stderr)
            # All that the thread does is in there; the call that entered is in the other thread state.
            wrong = [stack.line for stack in of_thread if stack.names != one["functions"] and not stack.unreadable]
            self.assertEqual(wrong, [])

    def check_dump(self, target, document):
        self.assertEqual({thread["interpreter"] for thread in document["threads"]},
                         {0} | {one["interpreter"] for one in target.truth["interpreters"].values()})
        for one in target.truth["interpreters"].values():
            inside = [thread for thread in document["threads"] if thread["interpreter"] == one["interpreter"]]
            self.assertEqual(len(inside), 1)
            functions = [frame["function"] for frame in inside[0]["frames"]]
            self.assertEqual((inside[0]["tid"], inside[0]["name"], inside[0]["main"], functions),
                             (one["tid"], one["thread"], False, one["functions"]))
            outside = [thread for thread in document["threads"] if thread["tid"] == one["tid"] and thread not in inside]
            self.assertEqual([(thread["interpreter"], thread["name"], thread["frames"][-1]["function"])
                              for thread in outside], [(0, one["thread"], "run")])
        main = [thread for thread in document["threads"] if thread["main"]]
        self.assertEqual([(thread["tid"], thread["interpreter"]) for thread in main], [(target.pid, 0)])

    def test_a_thread_is_where_it_runs_and_is_counted_once(self):
        target = self.target("entering.py", lifetime=120)
        before = target.counters()
        begun = {}  # what it had used when the recorder had begun for certain

        def enough():
            now = target.counters()
            begun.update({} if begun else now)
            return now["inside_ns"] + now["outside_ns"] > before["inside_ns"] + before["outside_ns"] + ENOUGH_NS
        path = self.path("out.ascope")
        result = self.record_until(target, enough, "-r", 1000, "-o", path)
        after = target.counters()
        true = {side: after[side + "_ns"] - before[side + "_ns"] for side in ("inside", "outside")}
        stacks = [stack for stack in self.stacks(path) if stack.root == "thread turner"]
        self.assertFalse([stack.line for stack in stacks if stack.has("inside_main") and stack.has("take_turns")])
        self.check_sides(true, stacks, result)
        cpu = [stack for stack in self.stacks(path, "--metric", "cpu") if stack.root == "thread turner"]
        self.check_sides(true, cpu, result)
        # What it used is in its samples once. The turn under way at either end is in one of both.
        least = sum(after[side + "_ns"] - begun[side + "_ns"] for side in ("inside", "outside"))
        self.assertTrue(0.85 * least - 60e6 < folded.total(cpu) < 1.05 * sum(true.values()) + 60e6,
                        "%d ns, truly %s, and %d of that once the recorder had begun" % (folded.total(cpu), true, least))

    def check_sides(self, true, stacks, result):
        seen = {"inside": folded.total([stack for stack in stacks if stack.names[:2] == ["<module>", "inside_main"]]),
                "outside": folded.total([stack for stack in stacks if stack.has("outside_leaf")])}
        self.assertGreater(sum(seen.values()), 0.9 * folded.total(stacks), "%s; %s" % (seen, result.stderr))
        share, due = (side["inside"] / sum(side.values()) for side in (seen, true))
        self.assertLessEqual(abs(share - due), 0.05, "%s, truly %s" % (seen, true))
