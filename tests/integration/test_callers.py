"""What a task began in, and what a loop was run in, stay its callers."""
import json

import django_site
import folded
import harness

ENOUGH = 15  # samples of each leaf
GREENLET = "sqlalchemy[asyncio]>=2"  # brings it; one environment for all tests with greenlets


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


class Greenlets(CallersTest):
    minors = ("3.8", "3.11", "3.12", "3.13", "3.15")

    def start(self):
        return self.target("greenlets.py", lifetime=20, python=django_site.environment(self.python, GREENLET))

    def test_work_in_a_greenlet_stands_under_its_task(self):
        self.check(self.start())

    def test_dump_has_the_task_that_is_in_a_greenlet(self):
        target = self.start()
        wanted = {"spawn": ["work"], "through_function": ["[unreadable]", "unknown_work"]}
        seen = set()
        for _ in range(100):
            result = harness.run_tool("dump", "-p", target.pid, "--json")
            self.assert_done(result)
            for task in json.loads(result.stdout.decode("utf-8"))["tasks"]:
                names = [frame["function"] for frame in task["frames"]]
                for switching, below in wanted.items():
                    at = names.index(switching) + 1 if switching in names else len(names)
                    if below[-1] in names[at:]:
                        self.assertEqual((task["state"], names[at:at + len(below)]), ("running", below), names)
                        seen.add(switching)
            if len(seen) == len(wanted):
                return
        self.assertEqual(seen, set(wanted))
