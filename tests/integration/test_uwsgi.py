"""CPython embedded in a server that is no Python: uWSGI, serving Django's WSGI application from threads of its own."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import checks
import django_site
import folded
import harness
import interpreters

SECONDS = 3


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """uWSGI with one process and two threads, on loopback; ends by SIGALRM if nobody ends it before."""

    def __init__(self, python, folder):
        self.port = free_port()
        self.log = os.path.join(folder, "uwsgi.log")
        command = [os.path.join(os.path.dirname(python), "uwsgi"), "--http-socket", "127.0.0.1:%d" % self.port, "--threads",
                   "2", "--need-app", "--disable-logging", "--virtualenv", os.path.dirname(os.path.dirname(python)),
                   "--pythonpath", harness.TARGETS, "--module", "django_site.wsgi"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            preexec_fn=lambda: signal.alarm(60))
        self.pid = self.process.pid

    def __enter__(self):
        end = time.monotonic() + 30
        while True:
            try:
                self.stats()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    with open(self.log, errors="replace") as log:
                        raise AssertionError("uWSGI does not serve: %s" % log.read()) from None
                time.sleep(0.05)

    def __exit__(self, *_):
        harness.end_process(self.process)

    def url(self, path=""):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def stats(self):
        with urllib.request.urlopen(self.url("/stats"), timeout=10) as answer:
            return json.load(answer)


def has_headers(interpreter):
    return os.path.exists(os.path.join(interpreters.include_directory(interpreter.path), "Python.h"))


class Uwsgi(checks.Checks, harness.ToolTest):

    def test_views_are_seen(self):
        here = [self.found[minor] for minor in sorted(self.found, key=interpreters.age) if not self.found[minor].in_root]
        here = [interpreter for interpreter in here if has_headers(interpreter)]
        if not here or not shutil.which("cc"):
            self.skipTest("no interpreter with its headers, or no compiler, for pip to build uWSGI with")
        interpreter = here[-1]
        self.interpreter = interpreter
        with Served(django_site.environment(interpreter.path, "uWSGI>=2.0.28"), self.folder) as site:
            with django_site.Load(sys.executable, site, "/sync=1", connections=4, duration=SECONDS * 4):
                time.sleep(0.5)
                before = site.stats()
                stacks, result = self.record(site, "-r", 1000, "-d", SECONDS)
                after = site.stats()
            document = self.dump(site)
        self.assertEqual(before["pid"], site.pid)
        self.assertEqual(document["process"]["python"], before["python"])
        self.assertTrue(document["process"]["executable"].endswith("/uwsgi"))
        key = "sync_view/rank_products"
        due = (after["leaf_runnable_ns"][key] - before["leaf_runnable_ns"].get(key, 0)) / 1e9 * harness.ticks(result.stderr) / SECONDS
        leaf = [stack for stack in stacks if stack.has("rank_products")]
        chain = [self.named("WSGIHandler.__call__"), self.named("BaseHandler.get_response"), "sync_view", "rank_products"]
        right = [stack for stack in leaf if stack.in_order(chain)]
        self.assertGreater(folded.total(right), 0.5 * due, "%s: %d ms in it" % (result.stderr, due))
        self.assertLess(folded.total(right), 1.3 * due, "%s: %d ms in it" % (result.stderr, due))
        self.assertEqual(folded.total(right), folded.total(leaf))
        roots = {stack.root for stack in right}
        self.assertEqual(roots, {"thread uWSGIWorker"}, "uWSGI numbers its threads")
