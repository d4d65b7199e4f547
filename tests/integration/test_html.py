"""The HTML page and the SVG: what the folded output and the table of functions say, what the page's own script makes of its data,
and that nothing in it can run or load anything else."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree
import zlib

import folded
import harness
import recordings
from test_speedscope import plain

GOLDEN = os.path.join(harness.ROOT, "tests", "golden", "shop.ascope")
SITE = os.path.join(harness.ROOT, "tests", "golden", "site.ascope")
SCRIPTS = os.path.join(harness.ROOT, "src", "export", "html")
THREAD, TASK, FRAME = 2, 3, 4  # levels of labels
BORDER, UNREADABLE = 2, 3  # kinds of frames

# What the page computes, by its own functions: of all the time, of each half, with each switch.
COMPUTE = """
const fs = require('fs');
const vm = require('vm');
const context = vm.createContext({});
const run = name => new vm.Script(fs.readFileSync(process.argv[1] + '/' + name, 'utf8')).runInContext(context);
run('model.js');
context.data = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
console.log(vm.runInContext(`
  const model = openModel(data);
  JSON.stringify(data.metrics.map(metric => {
    const bins = metric.bins.length;
    const tree = (first, end, view) => shownTree(model, selfCosts(model, metric, first, end), view, 0);
    const all = tree(0, bins, {});
    const middle = Math.floor(bins / 2);
    const functions = functionCosts(all);
    const first = functions.sort((a, b) => b.total - a.total)[0];
    return {
      name: metric.name,
      total: all.total,
      halves: tree(0, middle, {}).total + tree(middle, bins, {}).total,
      collapsed: tree(0, bins, {collapse: true}).total,
      threads: tree(0, bins, {threads: true}).total,
      functions: functions.map(each => [each.label.name, each.label.line, each.self, each.total]),
      searched: first ? searchTree(all, first.label.name).total : 0,
      callers: first ? relationsOf(all, first.label.key).callers.reduce((sum, each) => sum + each.total, 0) : 0,
      first: first ? [first.label.name, first.total] : null,
    };
  }));
`, context));
"""

# The rows of calls, from the single ones: of all the time, and how many there are in its halves.
CALLS = """
const fs = require('fs');
const vm = require('vm');
const context = vm.createContext({});
for (const name of ['model.js', 'latency.js']) {
  new vm.Script(fs.readFileSync(process.argv[1] + '/' + name, 'utf8')).runInContext(context);
}
context.calls = JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).calls;
console.log(vm.runInContext(`
  const count = rows => rows.reduce((sum, row) => sum + row.calls, 0);
  const middle = 500e6;
  JSON.stringify({all: rowsOfCalls(calls, 0, Infinity), calls: count(rowsOfCalls(calls, 0, Infinity)),
                  halves: count(rowsOfCalls(calls, 0, middle)) + count(rowsOfCalls(calls, middle, Infinity))});
`, context));
"""


class Html(recordings.RecordingTest):

    def page(self, path, *args):
        """-> (the page's text, its data)."""
        file = self.path("x.html")
        self.assert_done(harness.run_tool("report", path, "-o", file, *args))
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        data = re.search(r'<script type="text/plain" id="data">(.*?)</script>', text, re.DOTALL).group(1)
        return text, json.loads(zlib.decompress(base64.b64decode(data)))

    def recorded(self, *scripts):
        scripts = scripts or ("threads.py", "gathered_branches.py", "names.py")
        return self.record_scripts(scripts, "-r", 500, "-d", 1, "--all-tasks") + [GOLDEN]

    def lines(self, data, metric):
        """{folded stack: value}, from the page's data."""
        nodes = data["nodes"]
        parents = [at - nodes[2 * at] for at in range(len(nodes) // 2)]
        labels = [data["labels"][number] for number in nodes[1::2]]

        def line(at):
            path = []
            while at != 0:
                label = labels[at]
                below = path[0] if path else None
                if label["level"] == FRAME and label["kind"] not in (BORDER, UNREADABLE):
                    path.insert(0, "%s (%s:%d)" % (label["name"], label["file"], label["line"]))
                elif label["level"] == FRAME and label["kind"] == UNREADABLE:
                    path.insert(0, label["name"])
                elif label["level"] != FRAME and not (label["level"] == THREAD and below and below.startswith("task ")):
                    path.insert(0, label["name"])
                at = parents[at]
            return ";".join(plain(part) for part in path)

        found = {}
        for entries in metric["bins"]:
            at = 0
            for difference, value in zip(entries[::2], entries[1::2]):
                at += difference
                found[line(at)] = found.get(line(at), 0) + value
        if metric["unsampled"]:
            found[folded.NOT_SAMPLED] = metric["unsampled"]
        return found

    def test_as_the_folded_output(self):
        for path in self.recorded():
            _, data = self.page(path)
            self.assertIn("wall", [metric["name"] for metric in data["metrics"]])
            for metric in data["metrics"]:
                with self.subTest(path=path, metric=metric["name"]):
                    stacks = self.stacks(path, "--metric", metric["name"])
                    by_table = {stack.line.rpartition(" ")[0]: stack.count for stack in stacks}
                    self.assertEqual(self.lines(data, metric), by_table)

    def test_its_seconds(self):
        """The parts of seconds have what the whole has."""
        for path in self.recorded():
            _, data = self.page(path)
            self.assertEqual((data["rows"], data["column_ns"]), (25, 1_000_000_000))
            running = folded.total(self.stacks(path, "--state", "running"))
            for metric in data["metrics"]:
                with self.subTest(path=path, metric=metric["name"]):
                    costs = sum(sum(entries[1::2]) for entries in metric["bins"])
                    in_time = metric["unit"] == "ns" and metric["name"] != "await"  # slots have samples on a CPU
                    self.assertEqual(sum(metric["slots"]), running if in_time else costs)
                    for second in range(len(metric["slots"]) // data["rows"] if metric["name"] == "wall" else 0):
                        slots = metric["slots"][second * data["rows"]:(second + 1) * data["rows"]]
                        part = self.stacks(path, "--since", "%dms" % (1000 * second) if second else "0",
                                           "--until", "%d.999999999s" % second)
                        self.assertEqual(sum(slots), folded.total(part), second)

    def test_as_the_table_of_latencies(self):
        """Its rows, and what its script makes of the single calls, of all the time and of a stretch of it."""
        node = shutil.which("node")
        if node is None:
            self.skipTest("node is not on this machine")
        for path in self.recorded("gathered_branches.py") + [SITE]:
            with self.subTest(path=path):
                _, data = self.page(path)
                rows = {(data["labels"][row["label"]]["name"], data["labels"][row["label"]]["line"]): row
                        for row in data["calls"]["rows"]}
                table = json.loads(self.report(path, "-f", "latency", "--json"))["functions"]
                by_table = {(row["function"], row["line"]): row for row in table if row["project"]}
                self.assertEqual(set(rows), set(by_table))
                file = self.path("data.json")
                with open(file, "w", encoding="utf-8") as opened:
                    json.dump(data, opened)
                done = subprocess.run([node, "-e", CALLS, SCRIPTS, file], stdout=subprocess.PIPE, timeout=60, check=True)
                computed = json.loads(done.stdout.decode())
                by_label = {row["label"]: row for row in computed["all"]}
                for name, row in rows.items():
                    for key in ("calls", "begun", "cut", "max_ns", "await_ns"):
                        self.assertEqual(row[key], by_table[name][key], (name, key))
                        self.assertEqual(by_label[row["label"]][key], by_table[name][key], (name, key))
                    for key in ("p50", "p95", "p99"):
                        length = by_table[name][key + "_ns"]
                        known = [None, "longer", "shorter"].index(by_table[name][key + "_is"])
                        self.assertEqual(row[key], None if length is None else [length, known], (name, key))
                        self.assertEqual(by_label[row["label"]][key], row[key], (name, key))
                    self.assertEqual(row["cpu_ns"], by_table[name]["cpu_ns"], name)
                self.assertEqual(computed["halves"], computed["calls"])
                self.assertGreater(computed["calls"], 0)

    def test_the_slowest_calls(self):
        """They are whole, in order, and as long as the longest of their function; what they called is inside them."""
        _, data = self.page(SITE)
        slowest = data["calls"]["slowest"]
        self.assertEqual(len(slowest), 10)
        lengths = [call["to"] - call["from"] for call in slowest]
        self.assertEqual(lengths, sorted(lengths, reverse=True))
        table = json.loads(self.report(SITE, "-f", "latency", "--json"))["functions"]
        longest = next(row["max_ns"] for row in table if row["function"] == "catalogue_view")
        self.assertEqual(longest, lengths[0])
        for call in slowest:
            self.assertEqual(data["labels"][call["label"]]["name"], "catalogue_view")
            names = [data["labels"][part["label"]]["name"] for part in call["parts"]]
            self.assertEqual(names, ["OrdersOfTheLastTwelveMonths.fetch_all_of_them_at_once", "sleep",
                                     "SQLCompiler.execute_sql"])
            self.assertEqual([part["depth"] for part in call["parts"]], [1, 2, 1])
            for part in call["parts"]:
                self.assertLessEqual(call["from"], part["from"])
                self.assertLessEqual(part["to"], call["to"])

    def test_what_its_script_computes(self):
        node = shutil.which("node")
        if node is None:
            self.skipTest("node is not on this machine")
        for path in self.recorded("threads.py", "gathered_branches.py"):
            _, data = self.page(path)
            file = self.path("data.json")
            with open(file, "w", encoding="utf-8") as opened:
                json.dump(data, opened)
            done = subprocess.run([node, "-e", COMPUTE, SCRIPTS, file], stdout=subprocess.PIPE, timeout=60, check=True)
            for computed in json.loads(done.stdout.decode()):
                with self.subTest(path=path, metric=computed["name"]):
                    for key in ("halves", "collapsed", "threads"):
                        self.assertEqual(computed[key], computed["total"], key)
                    if computed["first"] is not None:
                        name, total = computed["first"]
                        self.assertGreaterEqual(computed["searched"], total, name)
                        self.assertEqual(computed["callers"], total, name)
                    if computed["name"] not in ("wall", "cpu"):
                        continue
                    key = {"wall": "samples", "cpu": "cpu_ns"}[computed["name"]]
                    hot = json.loads(self.report(path, "-f", "hot", "--json", "--metric", computed["name"]))["functions"]
                    by_table = {(row["function"], row["line"]): (row["own"][key], row["total"][key]) for row in hot}
                    seen = {(name, line): (own, whole) for name, line, own, whole in computed["functions"]}
                    self.assertEqual({key: costs for key, costs in by_table.items() if costs != (0, 0)}, seen)

    def test_its_policy(self):
        """Only its own script and style, by their hashes; no reference to anything outside."""
        for path in self.recorded():
            text, _ = self.page(path)
            policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text).group(1)
            self.assertTrue(policy.startswith("default-src 'none';"), policy)
            for kind, element in (("script-src", r"<script>(.*?)</script>"), ("style-src", r"<style>(.*?)</style>")):
                found = re.findall(element, text, re.DOTALL)
                self.assertEqual(len(found), 1)
                digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
                self.assertIn("%s 'sha256-%s'" % (kind, digest), policy)
            self.assertEqual(len(re.findall(r"</script", text)), 2)  # no name in the data ends its element
            self.assertIsNone(re.search(r"\s(src|href|on\w+)=|url\(", text))

    def test_svg(self):
        for path in self.recorded():
            with self.subTest(path=path):
                file = self.path("x.svg")
                self.assert_done(harness.run_tool("report", path, "-o", file))
                root = xml.etree.ElementTree.parse(file).getroot()  # well-formed, whatever names there are
                titles = [each.text.replace(";", ":") for each in root.iter("{http://www.w3.org/2000/svg}title")]
                stacks = self.stacks(path)
                whole = sum(stack.count for stack in stacks)
                roots = {}
                for stack in stacks:
                    roots[stack.root] = roots.get(stack.root, 0) + stack.count
                for name, count in roots.items():
                    if count >= 0.01 * whole:
                        title = "%s – %s samples, %.1f %%" % (name, "{:,}".format(count), 100 * count / whole)
                        self.assertIn(title, titles)
                self.assertIsNone(re.search(r"<script|\son\w+=|href", open(file, encoding="utf-8").read()))
