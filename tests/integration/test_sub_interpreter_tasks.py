"""Tasks of sub-interpreters: each imports an asyncio of its own, with classes and registries of its own."""
import checks
import folded
import harness

RATE_HZ = 200
SECONDS = 2


class SubInterpreterTasks(checks.Checks, harness.InterpreterTest):

    def test_dump_has_the_tasks_of_each(self):
        target = self.target("sub_interpreter_tasks.py", lifetime=20)
        document = self.dump(target)
        found = {task["id"]: task for task in document["tasks"] if task["state"] != "done"}
        expected = {target.truth["own"]: "main"}
        for one in target.truth["interpreters"].values():
            expected.update(one["tasks"])
        self.assertEqual({task: self.named(found[task]["coroutine"]) for task in found},
                         {task: self.named(name) for task, name in expected.items()})
        for name, one in target.truth["interpreters"].items():
            gathering = [task for task, coroutine in one["tasks"].items() if coroutine == "gather_" + name]
            for task, coroutine in one["tasks"].items():
                self.assertEqual(found[task]["tid"], one["tid"], coroutine)
                if coroutine == "outer_" + name:
                    self.assertEqual(found[task]["awaited_by"], gathering)
                    self.assertEqual([frame["function"] for frame in found[task]["frames"]],
                                     ["outer_" + name, "inner_" + name, "sleep"])

    def test_a_recording_has_their_stacks(self):
        target = self.target("sub_interpreter_tasks.py", lifetime=20)
        stacks, result = self.record(target, "-r", RATE_HZ, "-d", SECONDS, "--all-tasks", "--task-frames")
        for name in target.truth["interpreters"]:
            busy = [stack for stack in stacks if stack.names == ["busy_" + name]]
            self.assertGreater(folded.total(busy), 10, result.stderr)
            self.assertEqual({stack.root for stack in busy}, {"task busy_" + name})
            outer = [stack for stack in stacks if stack.has("outer_" + name)]
            self.assertEqual([(stack.root, stack.names) for stack in outer],
                             [("task gather_" + name, ["gather_" + name, "[task outer_%s]" % name, "outer_" + name,
                                                       "inner_" + name, "sleep"])])
            # Waits go by the clock: they lose nothing where ticks are late.
            self.assertLessEqual(folded.total(outer), 2 * RATE_HZ * SECONDS * 1.02, result.stderr)
            self.assertGreaterEqual(folded.total(outer), 2 * RATE_HZ * SECONDS * 0.5, result.stderr)
