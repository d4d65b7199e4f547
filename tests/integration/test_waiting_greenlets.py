"""A task whose work waits in a greenlet stands in the calls of that: SQLAlchemy's asyncio."""
import json

import django_site
import folded
import harness
from test_callers import GREENLET

ENOUGH = 15  # samples


class WaitingGreenlets(harness.InterpreterTest):
    minors = ("3.8", "3.11", "3.13", "3.15")

    def start(self):
        python = django_site.environment(self.python, GREENLET)
        return self.target("waiting_greenlets.py", lifetime=20, python=python)

    def above(self, calls):
        return ["view", "greenlet_spawn"] + calls

    def test_dump_has_the_calls_of_greenlets_that_wait(self):
        target = self.start()
        result = harness.run_tool("dump", "-p", target.pid, "--json")
        self.assert_done(result)
        stacks = [[frame["function"] for frame in task["frames"]]
                  for task in json.loads(result.stdout.decode("utf-8"))["tasks"] if task["coroutine"] == "view"]
        awaited = {"for_task": [], "for_coroutine": ["work"]}
        wanted = [self.above(calls) + awaited.get(name, [self.named("Event.wait")])
                  for name, calls in target.truth["waits"].items()]
        self.assertEqual(sorted(stack[:stack.index("work") + 1] if "work" in stack else stack for stack in stacks),
                         sorted(wanted))

    def test_recording_has_the_calls_of_greenlets_that_wait(self):
        target = self.start()
        stacks, result = self.record(target, "-r", 200, "-d", 2, "--all-tasks")
        for name, calls in target.truth["waits"].items():
            there = [stack for stack in stacks if stack.contains(self.above(calls))]
            self.assertGreater(folded.total(there), ENOUGH, "%s; %s" % (name, result.stderr))
        self.assertEqual([stack.line for stack in stacks if stack.unreadable and stack.has("greenlet_spawn")], [])

    def test_what_a_greenlet_waits_for_stands_under_its_calls(self):
        target = self.start()
        stacks, result = self.record(target, "-r", 500, "-d", 1)
        for leaf, chain in target.truth["chains"].items():
            burning = [stack for stack in stacks if stack.has(leaf)]
            self.assertGreater(folded.total(burning), ENOUGH, result.stderr)
            self.assertEqual([stack.line for stack in burning if not stack.contains(self.above(chain))], [])
