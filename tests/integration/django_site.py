"""A Django site under uvicorn, and the load on it: both in processes of their own, both bounded."""
import json
import os
import subprocess
import urllib.request

import harness


def environment(python, more=None):
    """The interpreter of a virtual environment of `python` that has Django, uvicorn, where it can uvloop, and `more`."""
    command = [os.path.join(harness.ROOT, "scripts", "venv"), python] + (["--with"] + more.split() if more else [])
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError("scripts/venv %s: %s" % (python, done.stderr))
    return os.path.join(done.stdout.strip(), "bin", "python")


def lacks_uvloop(python):
    """Whether scripts/venv could not have it for this interpreter."""
    return os.path.exists(os.path.join(os.path.dirname(os.path.dirname(environment(python))), "lacks"))


class Site(harness.Target):
    """serve.py, with its port as `port`."""

    def __init__(self, python, loop, lifetime=60, site="django_site", **how):
        super().__init__(environment(python), "django_site/serve.py", "--loop", loop, "--site", site, lifetime=lifetime, wait=40, **how)
        self.port = self.truth["port"]

    def url(self, path=""):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def request(self, path):
        """What the site answers, as JSON."""
        with urllib.request.urlopen(self.url(path), timeout=20) as answer:
            return json.load(answer)

    def stats(self):
        """The site's own count of requests and of time in each leaf."""
        return self.request("/stats")


class Load:
    """http_load.py, as a context manager: on leaving it ends early and its report is in `report`."""

    def __init__(self, python, site, paths, connections=8, duration=60, windows=1):
        self.report = None
        load = os.path.join(harness.TARGETS, "http_load.py")
        self.process = subprocess.Popen(
            [python, load, "--url-base", site.url(), "--paths", paths, "--connections", str(connections),
             "--duration", str(duration), "--windows", str(windows)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.finish(early=True)
        else:
            harness.end_process(self.process)  # what failed is said, and not what became of the load
            self.process.communicate()

    def finish(self, early=False):
        if self.report is not None:
            return self.report
        try:
            if early and self.process.poll() is None:
                self.process.terminate()
            stdout, stderr = self.process.communicate(timeout=120)
        except BaseException:
            harness.end_process(self.process)
            raise
        if self.process.returncode != 0:
            raise AssertionError("no request succeeded: %s" % stderr.decode(errors="replace"))
        self.report = json.loads(stdout)
        return self.report
