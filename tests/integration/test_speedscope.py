"""The speedscope output: what speedscope's own schema says, what the folded output says, and what its page shows."""
import base64
import json
import os
import re
import shutil
import subprocess

import folded
import harness
import recordings

CHECK = """
const [schema, data] = process.argv.slice(1).map(name => JSON.parse(require('fs').readFileSync(name, 'utf8')));
const Ajv = require(process.env.NODE_MODULES + '/ajv');
const check = new (Ajv.default || Ajv)({strict: false, allErrors: true}).compile(schema);
if (!check(data)) { console.error(JSON.stringify(check.errors.slice(0, 5))); process.exit(1); }
"""


def plain(text):
    """A name as folded lines have it."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", "?", text).replace(";", ":")


class Speedscope(recordings.RecordingTest):

    def node_modules(self):
        if not shutil.which("node") or not shutil.which("npm"):
            self.skipTest("node and npm are not on this machine")
        done = subprocess.run([os.path.join(harness.ROOT, "scripts", "node-tools")], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=300)
        if done.returncode != 0:
            self.skipTest("scripts/node-tools: %s" % done.stderr.strip())
        return done.stdout.strip()

    def exported(self, path, *args):
        """-> (the file of speedscope, its document)."""
        file = self.path("x.speedscope.json")
        self.assert_done(harness.run_tool("report", path, "-o", file, *args))
        with open(file, encoding="utf-8") as opened:
            return file, json.load(opened)

    def recorded(self):
        """Threads and tasks, idle ones as well, names beyond ASCII."""
        scripts = ("threads.py", "gathered_branches.py", "names.py")
        return self.record_scripts(scripts, "-r", 500, "-d", 1, "--idle") + [os.path.join(harness.ROOT, "tests", "golden", "shop.ascope")]

    def test_its_own_schema(self):
        modules = self.node_modules()
        schema = os.path.join(modules, "speedscope", "dist", "release", "file-format-schema.json")
        for path in self.recorded():
            for metric in ("wall", "cpu"):
                with self.subTest(path=path, metric=metric):
                    file, _ = self.exported(path, "--metric", metric, "--idle")
                    done = subprocess.run(["node", "-e", CHECK, schema, file], stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, env=dict(os.environ, NODE_MODULES=modules), timeout=60)
                    self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_as_the_folded_output(self):
        for path in self.recorded():
            for metric, unit in (("wall", "none"), ("cpu", "nanoseconds")):
                with self.subTest(path=path, metric=metric):
                    _, document = self.exported(path, "--metric", metric)
                    frames = document["shared"]["frames"]
                    seen = {}
                    for profile in document["profiles"]:
                        self.assertEqual((profile["type"], profile["unit"]), ("sampled", unit))
                        self.assertEqual(sum(profile["weights"]), profile["endValue"])
                        self.assertEqual(len(profile["weights"]), len(profile["samples"]))
                        for stack, weight in zip(profile["samples"], profile["weights"]):
                            texts = ["%s (%s:%d)" % (frame["name"], frame["file"], frame["line"]) if "file" in frame
                                     else frame["name"] for frame in (frames[number] for number in stack)]
                            alone = profile["name"] == folded.NOT_SAMPLED  # where a page wants a frame, folded lines want none
                            line = ";".join(plain(text) for text in [profile["name"]] + ([] if alone else texts))
                            seen[line] = seen.get(line, 0) + weight
                    told = {stack.line.rpartition(" ")[0]: stack.count
                            for stack in self.stacks(path, "--metric", metric)}
                    self.assertEqual(seen, told)

    def test_its_page(self):
        modules = self.node_modules()
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if browser is None:
            self.skipTest("Chromium is not on this machine")
        path = os.path.join(harness.ROOT, "tests", "golden", "shop.ascope")
        file, document = self.exported(path)
        with open(file, "rb") as opened:
            data = base64.b64encode(opened.read()).decode()
        script = self.path("load.js")
        with open(script, "w") as opened:
            opened.write("speedscope.loadFileFromBase64('x.speedscope.json', %s)" % json.dumps(data))
        page = os.path.join(modules, "speedscope", "dist", "release", "index.html")
        shown = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
             "--user-data-dir=" + self.path("browser"), "--virtual-time-budget=15000", "--window-size=1200,800",
             "--dump-dom", "file://%s#localProfilePath=%s" % (page, script)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        dom = shown.stdout.decode(errors="replace")
        told = re.findall(r'<tr title="([^"]*)".*?<td[^>]*>\d+</td>.*?<td[^>]*>([^<]*)</td></tr>', dom)
        self.assertEqual([name for name, _ in told], [profile["name"] for profile in document["profiles"]], dom[-3000:])
        self.assertIn("<canvas", dom)
