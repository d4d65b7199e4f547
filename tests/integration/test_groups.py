"""Work stands under the call that has it done: tasks under whoever entered their group, worker threads under their task."""
import django_site
import folded
import harness

ENOUGH = 20  # samples of each leaf


class TaskGroups(harness.InterpreterTest):
    minors = ("3.11", "3.13", "3.14", "3.15")

    def test_children_stand_under_the_call_that_entered_their_group(self):
        target = self.target("groups.py", lifetime=20)
        stacks, result = self.record(target, "-r", 500, "-d", 2)
        for name, chain in target.truth["chains"].items():
            found = [stack for stack in stacks if stack.has(name) and stack.names[-1] == "burn"]
            right = [stack for stack in found if stack.root == "task main" and stack.names == chain]
            self.assertGreater(folded.total(found), ENOUGH, "%s; %s" % (name, result.stderr))
            self.assertEqual([stack.line for stack in found if stack not in right], [], name)

    def test_suspended_children_stand_there_too(self):
        target = self.target("groups.py", lifetime=20)
        stacks, result = self.record(target, "-r", 500, "-d", 2, "--all-tasks")
        for name, chain in target.truth["chains"].items():
            found = [stack for stack in stacks if stack.has(name) and stack.names[-1] == "sleep"]
            self.assertGreater(folded.total(found), 0, "%s; %s" % (name, result.stderr))
            # Where nothing proves who entered the group, the stack says so: it never names another one.
            unproved = [stack for stack in found if stack.unreadable and folded.UNREADABLE not in chain]
            self.assertLess(folded.total(unproved), 0.1 * folded.total(found), name)
            self.assertEqual([stack.line for stack in found if not stack.contains(chain[:-1]) and stack not in unproved], [], name)


class AnyioTest(harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def check(self, loop):
        python = django_site.environment(self.python, "starlette>=0.40")
        target = self.target("anyio_work.py", "--loop", loop, lifetime=20, python=python)
        stacks, result = self.record(target, "-r", 500, "-d", 2)
        for leaf, chain in target.truth["chains"].items():
            found = [stack for stack in stacks if stack.has(leaf)]
            right = [stack for stack in found if stack.root == "task main" and stack.in_order(chain + [leaf])
                     and not any(stack.has(self.named(name)) for name in target.truth["not_in"])]
            total = folded.total(found)
            self.assertGreater(total, ENOUGH, "%s; %s" % (leaf, result.stderr))
            # A thread that is between two calls of its own is a caller that nobody can see.
            self.assertGreaterEqual(folded.total(right), 0.97 * total,
                                    "%s: %s" % (leaf, [stack.line for stack in found if stack not in right]))

    def test_work_stands_under_its_task(self):
        self.check("asyncio")

    def test_work_stands_under_its_task_on_uvloop(self):
        if django_site.lacks_uvloop(self.python):
            self.skipTest("no uvloop for this interpreter")
        self.check("uvloop")
