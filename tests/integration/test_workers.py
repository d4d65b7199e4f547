"""Servers that serve by child processes: each worker's handler is in the one output, under its own process."""
import concurrent.futures
import json
import os
import shutil
import time
import urllib.request

import django_site
import folded
import harness
import recordings

CLIENTS = 3
ENOUGH_NS = 0.8e9  # of CPU time, for a worker to be measured by


class Client:
    """Asks for quotes, some at once, until told to stop. What the workers answered is `spent`: {pid: [ns, requests]}."""

    def __init__(self, port):
        self.url = "http://127.0.0.1:%d/" % port
        self.end = time.monotonic() + 140
        self.spent = {}
        self.errors = 0
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)

    def ask(self):
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            return json.load(answer)

    def run(self):
        while time.monotonic() < self.end:
            try:
                answer = self.ask()
            except OSError:  # while a worker is replaced
                self.errors += 1
                time.sleep(0.1)
                continue
            entry = self.spent.setdefault(answer["pid"], [0, 0])
            entry[0] += answer["spent_ns"]
            entry[1] += 1

    def __enter__(self):
        self.running = [self.pool.submit(self.run) for _ in range(CLIENTS)]
        return self

    def __exit__(self, *_):
        self.end = 0
        self.pool.shutdown()
        for done in self.running:
            done.result()


class WorkerTest(recordings.RecordingTest, harness.InterpreterTest):
    minors = ("3.11", "newest")

    def serve(self, server):
        folder = self.path("app")
        shutil.copytree(os.path.join(harness.TARGETS, "worker_apps"), folder)
        target = self.target("workers.py", "--server", server, "--folder", folder, lifetime=150, wait=40,
                             python=django_site.environment(self.python))
        self.addCleanup(self.end_gently, target)
        return target

    def end_gently(self, target):
        """By the server's own way, so that its workers end with it."""
        target.process.terminate()
        try:
            target.process.wait(15)
        except Exception:  # noqa: BLE001: whatever it was, the target's own end follows
            pass

    def wait_for_answers(self, client, workers):
        self.wait_for("no answers of %d workers" % workers, lambda: len(client.spent) == workers, 60)

    def record_workers(self, target, condition):
        self.file = self.path("workers.ascope")
        self.record_until(target, condition, "--subprocesses", "-r", 500, "-o", self.file)

    def handlers(self, *args):
        """{pid: weight of its handler}"""
        found = {}
        for stack in self.stacks(self.file, *args):
            self.assertTrue(stack.pid or stack.root == folded.NOT_SAMPLED, stack.line)
            if stack.has("handle_quotes"):
                found[stack.pid] = found.get(stack.pid, 0) + stack.count
        return found

    def check_two_workers(self, server):
        target = self.serve(server)
        with Client(target.truth["port"]) as client:
            self.wait_for_answers(client, 2)
            before = {pid: entry[0] for pid, entry in client.spent.items()}
            self.record_workers(target, lambda: all(client.spent[pid][0] > before[pid] + ENOUGH_NS for pid in before))
            after = {pid: entry[0] for pid, entry in client.spent.items()}
        self.assertEqual(len(after), 2, "two workers: %s" % after)
        self.assertNotIn(target.pid, after)
        cpu = self.handlers("--metric", "cpu")
        self.assertEqual(set(cpu), set(after), "those that served, and no other process")
        for pid in after:
            true = after[pid] - before[pid]
            # A worker met is attached to within two looks, of 100 ms; requests under way at either end are in one of both.
            self.assertTrue(0.8 * true - 0.3e9 < cpu[pid] < 1.1 * true + 50e6, "%d: %s, truly %s less %s" %
                            (pid, cpu, after, before))
        self.assertFalse(target.ended())

    def test_gunicorn_prefork(self):
        self.check_two_workers("gunicorn")

    def test_uvicorn_workers(self):
        self.check_two_workers("uvicorn-workers")

    def test_uvicorn_reload(self):
        target = self.serve("uvicorn-reload")
        with Client(target.truth["port"]) as client:
            self.wait_for_answers(client, 1)
            (first, _), = client.spent.items()
            before = client.spent[first][0]
            touched = []

            def both_worked():
                if not touched and client.spent[first][0] > before + ENOUGH_NS:
                    touched.append(os.utime(self.path("app/quotes.py")))
                return len(client.spent) == 2 and all(entry[0] > ENOUGH_NS for entry in client.spent.values())
            self.record_workers(target, both_worked)
            after = dict(client.spent)
        self.assertEqual(len(after), 2, "one worker, and the one that took its place: %s" % after)
        walls = self.handlers()
        self.assertEqual(set(walls), set(after))
        self.assertGreater(min(walls.values()), 50, "%s; answers %s" % (walls, after))
        paths = {frame.file for stack in folded.parse(self.report(self.file, "-f", "folded")) for frame in stack.frames
                 if frame.name == "handle_quotes"}
        self.assertEqual({os.path.basename(path) for path in paths}, {"quotes.py"})
