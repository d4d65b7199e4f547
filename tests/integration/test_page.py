"""The HTML page in Chromium, by mouse and by keyboard, in wide and narrow windows: its figures are those of the other views."""
import base64
import json
import os
import re
import zlib

import browser
import folded
import harness
import recordings

GOLDEN = os.path.join(harness.ROOT, "tests", "golden")
SITE = os.path.join(GOLDEN, "site.ascope")
SHOP = os.path.join(GOLDEN, "shop.ascope")
LOOP = os.path.join(GOLDEN, "loop.ascope")
READY = "document.querySelector('#functions tbody tr') !== null"
WINDOWS = [(width, height, scheme) for width, height in ((1280, 800), (390, 844)) for scheme in ("light", "dark")]


class Page(recordings.RecordingTest):

    def setUp(self):
        super().setUp()
        if browser.executable() is None:
            self.skipTest("Chromium is not on this machine")
        self.browser = browser.Browser(self.path("profile"))
        self.addCleanup(self.browser.__exit__)

    def open(self, path, *args, width=1280, height=800, scheme="light"):
        file = self.path("x.html")
        self.assert_done(harness.run_tool("report", path, "-o", file, *args))
        self.browser.shown_as(width, height, scheme)
        self.browser.open(file, READY)

    def text(self, selector):
        return self.browser.run("document.querySelector(%s).innerText" % json.dumps(selector))

    def rows(self, table):
        """The cells of its body."""
        return self.browser.run("[...document.querySelectorAll('#%s tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
                                % table)

    def cost(self, value, unit):
        """As the page writes it."""
        return self.browser.run("costText(%d, %s)" % (value, json.dumps(unit)))

    def focus(self, selector):
        self.browser.run("document.querySelector(%s).focus()" % json.dumps(selector))

    def choose_metric(self, name):
        self.browser.run("""(() => {
            const metric = document.getElementById("metric");
            metric.value = %s;
            metric.dispatchEvent(new Event("change"));
        })()""" % json.dumps(name))

    def assert_total(self, path, metric, unit, *args):
        """What stands above the flame graph is what folded lines say."""
        expected = folded.total(self.stacks(path, "--metric", metric, *args))
        self.assertIn("total %s (100.0 %%)" % self.cost(expected, unit), self.text("#detail"), (metric, args))
        return expected

    def stretch(self):
        """The selected time as arguments of `report`."""
        found = re.search(r"from ([\d.]+) (ms|s) to ([\d.]+) (ms|s)\.", self.text("#range"))
        self.assertIsNotNone(found, self.text("#range"))
        begin, end = (round(float(number) * {"ms": 1e6, "s": 1e9}[unit])
                      for number, unit in (found.group(1, 2), found.group(3, 4)))
        self.assertLess(begin, end)
        return "--since", "%.9f" % (begin / 1e9) if begin else "0", "--until", "%.9f" % ((end - 1) / 1e9)

    def test_every_metric(self):
        for path in (SITE, SHOP):
            self.open(path)
            units = {"wall": "samples", "cpu": "ns", "events": "events", "await": "ns"}
            names = self.browser.run("[...document.getElementById('metric').options].map(each => each.value)")
            self.assertIn("cpu", names)
            for metric in names:
                with self.subTest(path=path, metric=metric):
                    self.choose_metric(metric)
                    self.assert_total(path, metric, units[metric])
                    key = {"wall": "samples", "cpu": "cpu_ns", "events": "events", "await": "await_ns"}[metric]
                    hot = self.hot(path, "--metric", metric)["functions"]
                    by_table = {(row["function"], self.cost(row["own"][key], units[metric])) for row in hot if row["own"][key] > 0}
                    seen = {(row[2], row[0].partition(" (")[0]) for row in self.rows("functions") if not row[0].startswith("0 ")}
                    self.assertEqual(seen, by_table)
        self.assertEqual(self.browser.complaints(), [])

    def test_a_stretch_of_time(self):
        """By dragging on the time line and on the seconds, and by keys; the calls are those that ended there."""
        self.open(SITE)
        left, top, width, height = self.browser.box("#time")
        self.browser.drag(left + width * 0.26, top + height / 2, left + width * 0.74, top + height / 2)
        arguments = self.stretch()
        part = self.assert_total(SITE, "wall", "samples", *arguments)
        self.assertLess(part, folded.total(self.stacks(SITE)))
        calls = {row[0]: int(row[1].replace(",", "")) for row in self.rows("calls")}
        whole = {row["function"]: row["calls"] for row in json.loads(self.report(SITE, "-f", "latency", "--json"))["functions"]}
        self.assertLess(calls["catalogue_view"], whole["catalogue_view"])
        self.assertGreater(calls["catalogue_view"], whole["catalogue_view"] / 4)
        self.focus("#time")
        self.browser.press("ArrowRight", shift=True)
        self.assertNotEqual(self.stretch(), arguments)
        self.browser.press("Escape")
        self.assert_total(SITE, "wall", "samples")
        self.assertIn("All 2.00 s", self.text("#range"))

        left, top, width, height = self.browser.box("#heat")
        self.browser.click(left + 5, top + 5 * 5 + 2)  # the sixth part of the first second
        self.assertEqual(self.stretch(), ("--since", "0.200000000", "--until", "0.239999999"))
        self.assert_total(SITE, "wall", "samples", *self.stretch())
        self.browser.drag(left + 5, top + 2, left + 5, top + 24 * 5 + 2)
        self.assertEqual(self.stretch(), ("--since", "0", "--until", "0.999999999"))
        self.assert_total(SITE, "wall", "samples", *self.stretch())
        self.focus("#heat")
        self.browser.press("ArrowDown")
        self.browser.press("ArrowDown", shift=True)
        self.assert_total(SITE, "wall", "samples", *self.stretch())
        self.assertEqual(self.browser.complaints(), [])

    def test_zoom_and_search(self):
        self.open(SITE, "--metric", "cpu")
        self.focus("#flame")
        self.browser.press("ArrowDown")
        first = self.text("#detail")
        self.assertIn("task RequestResponseCycle.run_asgi", first)
        self.browser.press("Enter")
        zoomed = self.browser.run("document.getElementById('flame').height")
        self.browser.press("Escape")
        left, top, _, _ = self.browser.box("#flame")
        self.browser.click(left + 20, top + 18 * 1.5)  # the same by the mouse
        self.assertEqual(self.text("#detail"), first)
        self.assertEqual(self.browser.run("document.getElementById('flame').height"), zoomed)
        self.browser.press("/")
        self.assertEqual(self.browser.run("document.activeElement.id"), "search")
        for letter in "price":
            self.browser.press(letter)
        hot = self.hot(SITE, "--metric", "cpu")["functions"]
        # Everything in prices.py is below Order.total, which does not match.
        cost = next(row["total"]["cpu_ns"] for row in hot if row["function"] == "price")
        self.assertIn(self.cost(cost, "ns"), self.text("#found"))
        self.browser.run("document.querySelector('#functions tbody .link').click()")
        self.assertFalse(self.browser.run("document.getElementById('relations').hidden"))
        self.assertEqual(self.browser.complaints(), [])

    def test_calls(self):
        self.open(SITE)
        table = json.loads(self.report(SITE, "-f", "latency", "--json"))["functions"]
        by_table = {row["function"]: row for row in table if row["project"]}
        rows = {row[0]: row for row in self.rows("calls")}
        self.assertEqual(set(rows), set(by_table))
        for name, row in rows.items():
            mark = {None: "", "longer": "> ", "shorter": "< "}
            lengths = [mark[by_table[name][key + "_is"]] + self.cost(by_table[name][key + "_ns"], "ns") for key in ("p50", "p95", "p99")]
            self.assertEqual(row[1:6], ["{:,}".format(by_table[name]["calls"])] + lengths + [self.cost(by_table[name]["max_ns"], "ns")])
            self.assertEqual(row[6:8], [self.cost(by_table[name]["cpu_ns"], "ns"), self.cost(by_table[name]["await_ns"], "ns")])
        waterfalls = self.browser.run("[...document.querySelectorAll('#slowest summary')].map(each => each.textContent)")
        self.assertEqual(len(waterfalls), 10)
        self.assertIn(self.cost(by_table["catalogue_view"]["max_ns"], "ns"), waterfalls[0])
        self.browser.run("document.querySelector('#slowest button').click()")
        self.assert_total(SITE, "wall", "samples", *self.stretch())
        self.assertEqual(self.rows("calls")[0][0], "catalogue_view")

    def assert_states(self, path, *args):
        """The shares of what threads did are those of the samples in stacks of `--state`."""
        names = {"on a CPU": "running", "waiting for a CPU": "runnable", "waiting for the GIL": "gil", "blocked in a call": "blocked"}
        lines = {name: harness.run_tool("report", path, "-f", "folded", "--state", state, *args) for name, state in names.items()}
        counts = {name: folded.total(folded.parse(result.stdout)) for name, result in lines.items()}
        shares = {"%s %.1f %%" % (name, 100 * count / sum(counts.values())) for name, count in counts.items() if count > 0}
        shown = {line.strip() for line in self.text("#states-legend").splitlines() if line.strip().endswith("%")}
        self.assertEqual(shown, shares)

    def test_what_threads_did(self):
        for path in (LOOP, SHOP):
            self.open(path)
            self.assert_states(path)
            left, top, width, height = self.browser.box("#states")
            self.browser.drag(left + width * 0.26, top + height / 2, left + width * 0.52, top + height / 2)
            self.assert_states(path, *self.stretch())
            self.focus("#states")
            self.browser.press("Escape")
            self.assert_states(path)
        self.assertEqual(self.browser.complaints(), [])

    def test_requests(self):
        self.open(LOOP)
        table = json.loads(self.report(LOOP, "-f", "requests", "--json"))
        by_route = {"%s %s" % (row["method"], row["route"]): row for row in table["routes"]}
        rows = {row[0]: row for row in self.rows("requests")}
        self.assertEqual(set(rows), set(by_route))
        for name, row in rows.items():
            true = by_route[name]
            self.assertEqual(row[1], str(true["requests"]))
            self.assertEqual(row[2:4], [self.cost(true[key], "ns") for key in ("p50_ns", "p95_ns")])
            self.assertEqual(row[4], "–")  # they are too few
            self.assertEqual(row[5:], [self.cost(value, "ns") for value in
                                       [true["max_ns"], true["cpu_ns"]] +
                                       [true[state + "_samples"] * table["period_ns"] for state in ("runnable", "gil", "blocked")] +
                                       [true["await_ns"]]])
        counts = []
        for begin, end in ((0, 0.5), (0.5, 1)):
            left, top, width, height = self.browser.box("#time")
            self.browser.drag(left + width * begin + 1, top + 5, left + width * end - 1, top + 5)
            counts.append({row[0]: int(row[1]) for row in self.rows("requests")})
        whole = {name: int(row[1]) for name, row in rows.items()}
        self.assertEqual({name: sum(count[name] for count in counts) for name in whole}, whole)
        self.assertEqual(self.browser.complaints(), [])

    def test_held_loops(self):
        self.open(LOOP)
        true = sorted(json.loads(self.report(LOOP, "-f", "blockers", "--json"))["blockers"], key=lambda hold: -hold["length_ns"])
        rows = self.rows("holds")
        self.assertEqual([row[0] for row in rows], [self.cost(hold["from_ns"], "ns") for hold in true])
        for row, hold in zip(rows, true):
            cut = "" if hold["begun"] and hold["ended"] else "> "
            self.assertEqual(row[1:4], [cut + self.cost(hold["length_ns"], "ns"),
                                        {"running": "on a CPU", "blocked": "blocked in a call"}[hold["state"]], hold["own"]["function"]])
            self.assertEqual(row[4], "%s, %s" % (hold["task"], hold["thread"]))
        self.browser.run("document.querySelector('#holds tbody .link').click()")
        self.assert_total(LOOP, "wall", "samples", *self.stretch())
        self.assertEqual([row[0] for row in self.rows("holds")], [rows[0][0]])
        self.assertEqual(self.browser.complaints(), [])

    def test_colors_of_the_picture(self):
        """A function has the same one in the SVG."""
        picture = self.path("x.svg")
        self.assert_done(harness.run_tool("report", SITE, "-o", picture))
        with open(picture, encoding="utf-8") as file:
            fills = dict(re.findall(r'<title>([^<]*?) \([^<]* – [^<]*</title><rect [^>]*fill="(#[0-9a-f]{6})"', file.read()))
        self.open(SITE)
        colors = self.browser.run("""unpacked(document.getElementById("data").textContent).then(data => {
            const context = document.createElement("canvas").getContext("2d");
            return data.labels.filter(label => label.file).map(label => {
                context.fillStyle = colorOf(label, false);
                return [label.name, context.fillStyle];
            });
        })""")
        self.assertGreater(len(fills), 8)
        colors = dict(colors)
        for name, fill in fills.items():
            parts = [[int(color[at:at + 2], 16) for at in (1, 3, 5)] for color in (fill, colors[name.replace("&lt;", "<").replace("&gt;", ">")])]
            self.assertLessEqual(max(abs(a - b) for a, b in zip(*parts)), 2, (name, fill))

    def test_windows(self):
        """Nothing is wider than the window, whatever it is; the dark scheme is dark; every control has a name."""
        for width, height, scheme in WINDOWS:
            with self.subTest(width=width, scheme=scheme):
                self.open(SITE, width=width, height=height, scheme=scheme)
                self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width)
                color = self.browser.run("getComputedStyle(document.body).backgroundColor")
                bright = sum(map(int, re.findall(r"\d+", color)[:3])) / 3
                self.assertEqual(bright > 128, scheme == "light", color)
                narrow = self.browser.run("[...document.querySelectorAll('#functions .link')].map(each => each.clientWidth || each.offsetWidth)")
                self.assertGreater(min(narrow), 30)
                self.assertEqual(self.browser.run("""[...document.querySelectorAll('input, select, button, canvas[tabindex]')].filter(each =>
                    !each.textContent.trim() && !(each.labels && each.labels.length) && !each.hasAttribute('aria-label')
                    && !each.hasAttribute('aria-labelledby')).map(each => each.id)"""), [])
                self.assertEqual(self.browser.complaints(), [])

    def test_source_lines(self):
        """Lines of a file cost what folded lines of `--lines` end at them."""
        target = self.target("threads.py", lifetime=30)
        path, _ = self.record_file(target, "-r", 500, "-d", 1)
        self.open(path, "--source", os.path.join(harness.ROOT, "tests", "targets"))
        file = self.browser.run("document.querySelector('#source-file').selectedOptions[0].textContent").partition(" – ")[0]
        self.assertEqual(os.path.basename(file), "threads.py")
        costs = {}
        for stack in self.stacks(path, "--lines"):
            found = re.search(r"\(%s:(\d+)\)$" % re.escape(file), stack.line.rpartition(" ")[0])
            if found:
                costs[int(found.group(1))] = costs.get(int(found.group(1)), 0) + stack.count
        self.assertGreater(len(costs), 0)
        seen = {int(row[1]): row for row in self.rows("source") if row[0]}
        self.assertEqual({line: row[0].partition(" (")[0] for line, row in seen.items()},
                         {line: self.cost(cost, "samples") for line, cost in costs.items()})
        with open(os.path.join(harness.ROOT, "tests", "targets", "threads.py"), encoding="utf-8") as opened:
            lines = opened.read().split("\n")
        for line, row in seen.items():
            self.assertEqual(row[2], lines[line - 1])
        self.assertEqual(self.browser.complaints(), [])

    def test_only_what_ran_is_shown_without_asking(self):
        """Files are read from where a recording names them if they are Python, and what ran; nothing else that it may name."""
        folder = self.path("program")
        os.mkdir(folder)
        secret = self.path("secret")
        with open(secret, "w") as file:
            file.write("the secret\n")
        with open(os.path.join(harness.ROOT, "tests", "targets", "threads.py"), encoding="utf-8") as file:
            text = file.read()
        target = self.target("threads.py", lifetime=30)
        path, _ = self.record_file(target, "-r", 500, "-d", 1)
        self.open(path)
        self.assertIn("threads.py", self.text("#source-file"))
        for what, lines in (("longer", "# a line\n" + text), ("other", "print()\n")):
            with open(os.path.join(folder, "threads.py"), "w", encoding="utf-8") as file:
                file.write(lines)
            self.open(path, "--source", folder)
            self.assertFalse(self.browser.run("document.getElementById('source-differs').hidden"), what)
        os.remove(os.path.join(folder, "threads.py"))
        os.symlink(secret, os.path.join(folder, "threads.py"))
        self.open(path, "--source", folder)
        with open(self.path("x.html"), encoding="utf-8") as file:
            packed = re.search(r'<script type="text/plain" id="data">(.*?)</script>', file.read(), re.DOTALL).group(1)
        self.assertNotIn(b"the secret", zlib.decompress(base64.b64decode(packed)))
