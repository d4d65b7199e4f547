"""What a reader must get right of any target of a kind, however the interpreter was built and wherever it runs."""
import json

import dump_schema
import folded
import harness


class Checks:
    """For a harness.ToolTest."""

    def dump(self, target):
        result = harness.run_tool("dump", "-p", target.pid, "--json")
        self.assert_done(result)
        document = json.loads(result.stdout.decode("utf-8"))
        self.assertEqual(dump_schema.problems_of(document), [])
        return document

    def by_name(self, document):
        """Tasks by name. The targets give each living task a name of its own; done ones may linger."""
        living = [task for task in document["tasks"] if task["state"] != "done"]
        tasks = {task["name"]: task for task in living}
        self.assertEqual(len(tasks), len(living), "a name twice")
        return tasks

    def frames(self, holder):
        return [[frame["function"], frame["file"], frame["line"]] for frame in holder["frames"]]

    def assert_suspended_tasks(self, target, document):
        """Each suspended task of the truth: coroutine, frames with lines, who awaits it, and its thread."""
        tasks = self.by_name(document)
        names = {task["id"]: task["name"] for task in document["tasks"]}
        for name, truth in target.truth["tasks"].items():
            self.assertIn(name, tasks)
            task = tasks[name]
            self.assertEqual(task["coroutine"], truth["coroutine"], name)
            self.assertEqual(self.frames(task), truth["frames"], name)
            self.assertEqual(sorted(names[waiter] for waiter in task["awaited_by"]), sorted(truth["awaited_by"]), name)
            self.assertEqual((task["state"], task["tid"]), ("waiting", target.pid), name)
            self.assertEqual({frame["kind"] for frame in task["frames"]}, {"python"}, name)

    def assert_reads_tasks(self, start):
        """Of a program that start(script, lifetime) starts: every suspended task, and the stacks of two branches."""
        target = start("await_shapes.py", 30)
        self.assert_suspended_tasks(target, self.dump(target))
        target.__exit__()
        target = start("gathered_branches.py", 20)
        stacks, result = self.record(target, "-r", 1000, "-d", "700ms")
        burning = [stack for stack in stacks if stack.has("shared")]
        self.assertGreater(folded.total(burning), 0.6 * folded.total(stacks), result.stderr)
        for branch in ("branch_a", "branch_b"):
            picked = [stack for stack in burning if stack.has(branch)]
            right = [s for s in picked if s.root == "task main" and s.names == ["main", "handler", branch, "inner", "shared"]]
            self.assertGreater(folded.total(right), 20, result.stderr)
            self.assertGreaterEqual(folded.total(right), 0.98 * folded.total(picked), [stack.line for stack in picked])

    def assert_reads_plain(self, start):
        """The same of one that can import nothing: every sample has the one stack that there is."""
        target = start("plain.py", 20)
        stacks, result = self.record(target, "-r", 1000, "-d", "500ms", "--full-paths")
        right = [stack for stack in stacks if [[f.name, f.file, f.line] for f in stack.frames] == target.truth["path"]]
        self.assertGreater(folded.total(right), 50, result.stderr)
        self.assertGreaterEqual(folded.total(right), 0.99 * folded.total(stacks), [stack.line for stack in stacks])
        document = self.dump(target)
        self.assertEqual([[frame["function"], frame["file"]] for frame in document["threads"][0]["frames"]],
                         [where[:2] for where in target.truth["path"]])
        self.assertEqual(document["process"]["python"], target.truth["python"])
        target.__exit__()
        # Thousands of small objects: obmalloc's lists of them look much like an interpreter and its thread.
        target = start("clock_stack.py", 20)
        leaf = self.dump(target)["threads"][0]["frames"][-1]["function"]
        self.assertTrue(leaf in ("<module>", "main") or leaf.startswith("at_"), leaf)  # main: between two of them
