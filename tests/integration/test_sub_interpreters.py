"""Sub-interpreters: each thread state with the number of its interpreter, its thread and its own stack."""
import checks
import folded
import harness


class SubInterpreters(checks.Checks, harness.InterpreterTest):
    timing_sensitive = True

    def test_dump_tells_them_apart(self):
        target = self.target("sub_interpreters.py", lifetime=20)
        document = self.dump(target)
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

    def test_each_stack_is_recorded(self):
        target = self.target("sub_interpreters.py", lifetime=20)
        stacks, result = self.record(target, "-r", 500, "-d", 2)
        for name, one in target.truth["interpreters"].items():
            leaf = [stack for stack in stacks if stack.has("sub_leaf_" + name)]
            right = [stack for stack in leaf if stack.root == "thread " + one["thread"] and stack.names == one["functions"]]
            self.assertGreater(folded.total(right), 100, result.stderr)
            self.assertEqual(folded.total(right), folded.total(leaf), [stack.line for stack in leaf])
