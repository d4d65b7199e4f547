"""tasks: the tree of who awaits whom, compared with what the target built and calls its tasks."""
import json
import re
import time

import dump_schema
import harness


def walk(nodes, parents=()):
    """(node, its parent's ids or None) of every node."""
    for node in nodes:
        yield node, parents
        yield from walk(node["children"], ids(node))


def ids(node):
    return [node["id"]] + node["also"]


class Tasks(harness.InterpreterTest):

    def setUp(self):
        super().setUp()
        self.program = self.target("task_tree.py", lifetime=60)
        self.truth = self.program.truth["tasks"]
        self.id_of = {fact["name"]: task for task, fact in self.truth.items()}

    def printed(self, *args):
        result = harness.run_tool("tasks", "-p", self.program.pid, *args)
        self.assert_done(result)
        return result.stdout.decode("utf-8")

    def tree(self, *args):
        """The parsed tree. Every node's own facts are right, and no task is in it twice."""
        document = json.loads(self.printed("--json", *args))
        self.assertEqual(document["schema"], 1)
        self.assertEqual((document["process"]["pid"], document["process"]["python"]),
                         (self.program.pid, self.program.truth["python"]))
        states = {"running": 0, "ready": 0, "waiting": len(self.truth), "done": 0}
        self.assertEqual(document["states"], states)
        every = [task for node, _ in walk(document["tasks"]) for task in ids(node)]
        self.assertEqual(len(set(every)), len(every), "a task twice")
        for node, _ in walk(document["tasks"]):
            fact = self.truth[node["id"]]
            problems = []
            dump_schema._types(problems, fact["name"], node, dump_schema.TASK)
            self.assertEqual(problems, [])
            self.assertEqual((node["name"], node["coroutine"], node["state"], node["tid"], node["count"]),
                             (fact["name"], fact["coroutine"], "waiting", self.program.truth["main_tid"], len(ids(node))))
            self.assertEqual(sorted(node["awaited_by"]), fact["awaited_by"], fact["name"])
            self.assertEqual(node["frames"][0]["function"], fact["coroutine"])
            self.assertEqual({self.truth[task]["coroutine"] for task in ids(node)}, {fact["coroutine"]})
            self.assertEqual(node["children_left_out"], 0)
        return document["tasks"]

    def names(self, nodes):
        return sorted(self.truth[task]["name"] for node, _ in walk(nodes) for task in ids(node))

    def assert_edges(self, nodes):
        """That each task awaits another is there once: as a child, or named as one that stands elsewhere."""
        found = []
        for node, parents in walk(nodes):
            for task in ids(node):
                if parents:
                    waiting = [waiter for waiter in self.truth[task]["awaited_by"] if waiter in parents]
                    self.assertEqual(len(waiting), 1, self.truth[task])
                    found.append((waiting[0], task))
                elif self.truth[task]["awaited_by"]:
                    self.assertTrue(node["closes_circle"], self.truth[task])
            if node["awaits_elsewhere"]:
                self.assertEqual(node["count"], 1)
            found += [(node["id"], task) for task in node["awaits_elsewhere"]]
        true = [(waiter, task) for task, fact in self.truth.items() for waiter in fact["awaited_by"]]
        self.assertEqual(sorted(found), sorted(true))

    def test_folded(self):
        tree = self.tree()
        self.assertEqual(self.names(tree), sorted(self.id_of))
        self.assert_edges(tree)
        node_of = {task: node for node, _ in walk(tree) for task in ids(node)}
        facts = self.program.truth
        self.assertEqual(node_of[self.id_of["worker-0"]]["count"], facts["workers"])
        self.assertEqual(node_of[self.id_of["parent-0"]]["count"], facts["pairs"])
        self.assertEqual(node_of[self.id_of["child-0"]]["count"], facts["pairs"])
        sharing = sorted(len(node_of[self.id_of[name]]["children"]) for name in facts["sharers"])
        self.assertEqual(sharing, [0, 1])
        low, high = sorted((int(self.id_of[name], 16) for name in facts["circle"]))
        self.assertEqual([node["id"] for node, _ in walk(tree) if node["closes_circle"]], [hex(low)])
        self.assertEqual([child["id"] for child in node_of[hex(low)]["children"]], [hex(high)])
        self.assertEqual(node_of[hex(high)]["awaits_elsewhere"], [hex(low)])
        hops = {node["name"]: node["thread_hop"]["tid"] for node, _ in walk(tree) if node["thread_hop"]}
        self.assertEqual(hops, {facts["hop"]: facts["hop_tid"]})

    def test_seconds_suspended(self):
        before = time.monotonic()
        nodes = [node for node, _ in walk(self.tree("--full"))]
        after = time.monotonic()
        known = {node["name"]: node["suspended_s"] for node in nodes if node["suspended_s"] is not None}
        self.assertEqual(list(known), ["main"], "of no other can the target tell")
        self.assertGreaterEqual(known["main"], before - self.program.truth["slept_at"])
        self.assertLessEqual(known["main"], after - self.program.truth["slept_at"])
        self.assertRegex(self.printed("--full"), r'(?m)^main "main"  waiting for \d+\.\d s: task_tree\.py:\d+  ← timer$')

    def test_full(self):
        tree = self.tree("--full")
        self.assertEqual(self.names(tree), sorted(self.id_of))
        self.assertEqual({node["count"] for node, _ in walk(tree)}, {1})
        self.assert_edges(tree)
        text = self.printed("--full")
        self.assertNotIn("×", text)
        for name in self.id_of:
            self.assertIn('"%s"' % name, text)
        self.assertEqual(len(text.splitlines()), 1 + len(self.truth))

    def test_text(self):
        text = self.printed()
        facts = self.program.truth
        self.assertIn("Python %s, %d tasks: %d waiting\n" % (facts["python"], len(self.truth), len(self.truth)), text)
        self.assertRegex(text, r'(?m)^gatherer "gatherer"  waiting: task_tree\.py:\d+.*  ← %d tasks below\n'
                               r'└─ worker × %d  waiting: task_tree\.py:\d+  ← event or condition$'
                         % (facts["workers"], facts["workers"]))
        self.assertRegex(text, r"(?m)^pair_parent × %d  .*\n└─ pair_child × %d  " % (facts["pairs"], facts["pairs"]))
        self.assertRegex(text, r'(?m)^hopper "hopper"  .*  ← thread %d$' % facts["hop_tid"])
        self.assertEqual(len(re.findall(r'(?m)  ← shared "shared"$', text)), 1)
        self.assertEqual(len(re.findall(r"(?m)  ← a task below it: a circle$", text)), 1)
        self.assertLess(len(text.splitlines()), 20)
        self.assertNotIn("\x1b", text, "colour only on a terminal")

    def test_filter(self):
        workers = ["worker-%d" % i for i in range(self.program.truth["workers"])]
        # A name of one task: it and those above it. That of a coroutine: what stands below it too.
        self.assertEqual(self.names(self.tree("worker-77")), ["gatherer"] + [n for n in sorted(workers) if "worker-77" in n])
        self.assertEqual(self.names(self.tree("gatherer")), ["gatherer"] + sorted(workers))
        self.assertEqual(self.names(self.tree("circle-a")), ["circle-a", "circle-b"])
        self.assertEqual(self.names(self.tree("limited", "--full")), ["limited", "limiter"])
        self.assertEqual(self.tree("no-such-task"), [])
        self.assertEqual(self.names(self.tree("task_tree.py")), sorted(self.id_of))


class GroupOwners(harness.InterpreterTest):
    minors = ("3.11", "3.13", "3.14", "3.15")

    def test_an_owner_waits_for_its_group_only_where_it_leaves_it(self):
        target = self.target("group_owners.py", lifetime=60)
        result = harness.run_tool("tasks", "-p", target.pid)
        self.assert_done(result)
        text = result.stdout.decode("utf-8")
        for name, awaited in target.truth["owners"].items():
            self.assertRegex(text, r'(?m)^\W*%s "[^"]+"  waiting.*  ← %s$' % (name, re.escape(awaited)))
