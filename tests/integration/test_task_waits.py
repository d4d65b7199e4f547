"""What each suspended task waits for: `tasks` and `report -f latency` say what the program made it wait for."""
import json

import django_site
import harness
import recordings


def nodes_of(nodes):
    for node in nodes:
        yield node
        yield from nodes_of(node["children"])


class TaskWaits(recordings.RecordingTest, harness.InterpreterTest):

    def check(self, target):
        result = harness.run_tool("tasks", "-p", target.pid, "--json")
        self.assert_done(result)
        kinds = target.truth["kinds"]
        seen = {node["name"]: node["waits_for"] for node in nodes_of(json.loads(result.stdout)["tasks"]) if node["name"] in kinds}
        self.assertEqual(seen, kinds)

    def test_of_asyncio(self):
        self.check(self.target("task_waits.py", lifetime=30))

    def test_of_packages(self):
        python = django_site.environment(self.python, "starlette>=0.40")  # which brings anyio
        self.check(self.target("task_waits.py", "--packages", lifetime=30, python=python))

    def test_in_words(self):
        target = self.target("task_waits.py", lifetime=30)
        result = harness.run_tool("tasks", "-p", target.pid, "--full")
        self.assert_done(result)
        lines = result.stdout.decode("utf-8").splitlines()
        for name in ("takes_the_lock", "gets", "sleeps", "reads_a_socket"):
            line, = [line for line in lines if '"%s"' % name in line]
            self.assertIn("← " + target.truth["kinds"][name], line)

    def test_in_the_table_of_latencies(self):
        target = self.target("task_waits.py", lifetime=30)
        path, _ = self.record_file(target, "-d", 1, "--all-tasks")
        result = harness.run_tool("report", path, "-f", "latency", "--json")
        self.assert_done(result)
        functions = {each["function"].rpartition(".")[2]: each for each in json.loads(result.stdout)["functions"]}
        kinds = target.truth["kinds"]
        for name in ("reads_a_stream", "takes_the_lock", "waits_for_the_event", "gets", "waits_for_a_child"):
            waits = functions[name]["await_on"]
            self.assertEqual({wait["waits_for"] for wait in waits}, {kinds[name]}, name)
            self.assertGreater(sum(wait["ns"] for wait in waits), 0.8e9, name)
