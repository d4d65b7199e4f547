"""What a task began in, and what a loop was run in, stay its callers."""
import django_site
import folded
import harness

ENOUGH = 15  # samples of each leaf


class CallersTest(harness.InterpreterTest):
    """For a target whose ready file has `chains`: {leaf: [root, caller, …]}."""

    minors = ()

    def check(self, target):
        stacks, result = self.record(target, "-r", 500, "-d", 2)
        for leaf, (root, *chain) in target.truth["chains"].items():
            found = [stack for stack in stacks if stack.has(leaf)]
            right = [stack for stack in found if stack.root == root
                     and stack.in_order([self.named(name) for name in chain] + [leaf])]
            self.assertGreater(folded.total(found), ENOUGH, "%s; %s" % (leaf, result.stderr))
            self.assertEqual([stack.line for stack in found if stack not in right], [], leaf)


class EagerTasks(CallersTest):
    minors = ("3.12", "3.13", "3.14", "3.15")

    def test_first_step_keeps_its_callers(self):
        self.check(self.target("eager_tasks.py", lifetime=20))

    def test_first_step_of_a_pure_python_task_keeps_its_callers(self):
        self.check(self.target("eager_tasks.py", "--python", lifetime=20))


class NestedLoop(CallersTest):
    minors = ("3.8", "3.11", "3.13")

    def test_loop_in_a_task_keeps_its_callers(self):
        self.check(self.target("nested_loop.py", lifetime=20,
                               python=django_site.environment(self.python, "nest_asyncio==1.6.0")))
