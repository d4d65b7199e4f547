"""trace: every call of chosen functions is counted, by code that runs in the target and takes itself out again."""
import glob
import json
import os
import signal
import subprocess
import time

import harness
from traces import FUNCTIONS, TraceTest, named


class Launched(TraceTest):
    minors = ("3.8", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

    def test_counts_are_the_programs_own(self):
        result = self.launch(*named(FUNCTIONS), more=["--work"])
        self.assert_done(result)
        self.assertIn("running code in", result.stderr)
        self.assertNotIn("warning", result.stderr)
        self.assertEqual(self.truth["done"], 1)
        self.assert_counts(self.truth)
        hot = self.report("hot")
        self.assertEqual(hot["fails"]["raised"], 11)
        # time.sleep() takes no less than it says, and time that the machine takes is in both.
        self.assertGreaterEqual(hot["inner"]["self_ns"], 5 * 8e6)
        self.assertGreaterEqual(hot["outer"]["total_ns"], 5 * 12e6)
        self.assertLess(hot["outer"]["self_ns"], hot["outer"]["total_ns"] - 5 * 8e6 + 1)
        self.assertGreaterEqual(hot["inner"]["p50_ns"], 8e6)
        self.assertLessEqual(hot["fib"]["total_ns"], hot["fib"]["self_ns"] + 1e6 * hot["fib"]["calls"])
        cache = self.report("cache")
        for name, keys in (("plain", 10), ("threaded", 9), ("fib", 13), ("outer", 1), ("fails", 31)):
            row = cache[name]
            self.assertEqual(row["hit_rate_kind"], "measured", row)
            self.assertAlmostEqual(row["hit_rate"], max(0, 1 - keys / self.truth[name]), 9, row)
        self.assertLessEqual(cache["fib"]["cpu_ns"], hot["fib"]["cpu_ns"])  # what it calls itself counts once
        latency = self.report("latency")
        self.assertEqual(latency["outer"]["calls"], 5)
        self.assertGreaterEqual(latency["outer"]["p50_ns"], 12e6)

    def test_the_time_limit_leaves_the_command_running(self):
        result = self.launch("-m", "__main__:plain", "-d", "400ms", more=["--lifetime", "2"], timeout=60)
        self.assert_done(result)
        self.assertEqual(self.truth["hooks"], 0)


class Attached(TraceTest):
    minors = ("3.14", "3.15")

    def start(self, target, *args, functions=FUNCTIONS):
        tool = harness.start_tool("trace", "-p", target.pid, "-o", self.recording, *named(functions), *args)
        self.addCleanup(harness.end_process, tool)
        self.wait_for(lambda: target.counters()["hooks"] > 0 or tool.poll() is not None)
        return tool

    def assert_taken_out(self, target, within=20.0):
        self.wait_for(lambda: target.counters()["hooks"] == 0, within)
        before = target.counters()["beats"]
        self.wait_for(lambda: target.counters()["beats"] > before)
        self.assertEqual(glob.glob("/tmp/awaitscope-*/%d.notes" % target.pid), [])

    def test_counts_are_the_programs_own(self):
        target = self.target("traced_calls.py")
        tool = self.start(target)
        target.set_counter("go", 1)
        self.wait_for(lambda: target.counters()["done"])
        harness.send(tool)
        result = harness.finish(tool)
        self.assert_done(result)
        self.assertIn("running code in process %d" % target.pid, result.stderr)
        self.assert_counts(target.counters())
        self.assert_taken_out(target)

    def test_ends_by_itself(self):
        target = self.target("traced_calls.py")
        tool = self.start(target, "-d", "300ms")
        self.assert_done(harness.finish(tool))
        self.assert_taken_out(target)

    def test_a_killed_recorder(self):
        target = self.target("traced_calls.py")
        tool = self.start(target, "-d", "60")
        tool.kill()
        tool.communicate()
        self.assert_taken_out(target)

    def test_two_at_once(self):
        target = self.target("traced_calls.py")
        first = self.start(target)
        other = self.path("other.ascope")
        second = harness.start_tool("trace", "-p", target.pid, "-o", other, "-m", "__main__:plain")
        self.addCleanup(harness.end_process, second)
        self.wait_for(lambda: target.counters()["hooks"] == 2)
        target.set_counter("go", 1)
        self.wait_for(lambda: target.counters()["done"])
        for tool in (first, second):
            harness.send(tool)
            self.assert_done(harness.finish(tool))
        self.assert_counts(target.counters())
        self.recording = other
        self.assert_counts(target.counters(), ["plain"])
        self.assert_taken_out(target)

    def test_beside_other_tools(self):
        """One tool id is enough, and the tools that have the others are left alone."""
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.TOOLS)
        target = subprocess.Popen([self.python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(harness.end_process, target)
        self.assertEqual(target.stdout.readline(), b"ready\n")
        self.assert_done(harness.run_tool("trace", "-p", target.pid, "-d", "300ms", "-o", self.recording, "-m", "__main__:work"))
        target.stdin.close()
        self.assertGreater(self.report("hot")["work"]["calls"], 0)
        self.assertEqual(target.stdout.readline().split(), [b"others", b"5", b"True"])
        target.stdout.close()

    TOOLS = """
import sys, threading
monitoring = sys.monitoring
def work():
    pass
def count(code, _):
    seen[0] += code is work.__code__
seen, calls = [0], 0
for number in range(5):
    monitoring.use_tool_id(number, "other")
monitoring.register_callback(0, monitoring.events.PY_START, count)
monitoring.set_events(0, monitoring.events.PY_START)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set())).start()
print("ready", flush=True)
while not ended.wait(0.005):
    work()
    calls += 1
print("others", sum(monitoring.get_tool(number) == "other" for number in range(6)), seen[0] == calls)
"""

    def test_wrong_names(self):
        target = self.target("traced_calls.py")
        for name, hint in (("__main__:plian", "did you mean __main__:plain?"), ("__main__:Shop.totl", "Shop.total"),
                           ("asyncoi:run", "did you mean asyncio?"), ("xml.dom.minidom:parse", "is not imported")):
            result = harness.run_tool("trace", "-p", target.pid, "-o", self.recording, "-m", name)
            self.assertEqual(result.status, 1, result.stderr)
            self.assertIn("awaitscope: error:", result.stderr)
            self.assertIn(hint, result.stderr)
            self.assertEqual(target.counters()["hooks"], 0)

    def test_a_stopped_target(self):
        target = self.target("traced_calls.py")
        os.kill(target.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, target.pid, signal.SIGCONT)
        tool = harness.start_tool("trace", "-p", target.pid, "-o", self.recording, "-m", "__main__:plain")
        self.addCleanup(harness.end_process, tool)
        time.sleep(3)
        harness.send(tool)
        result = harness.finish(tool)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertIn("it is stopped", result.stderr)

    def test_a_target_that_forbids_it(self):
        target = self.target("traced_calls.py", environment={"PYTHON_DISABLE_REMOTE_DEBUG": "1"})
        result = harness.run_tool("trace", "-p", target.pid, "-o", self.recording, "-m", "__main__:plain")
        self.assert_error(result, 1)
        self.assertIn("forbids remote debugging", result.stderr)
        self.assertEqual(target.counters()["hooks"], 0)


class AskedAgain(TraceTest):
    """The agent is asked for again while it imports: it runs Python then, which is when a request is met."""
    minors = ("3.14", "3.15")

    SCRIPT = """
import time
def work(n):
    return n
end = time.monotonic() + 30
print("ready", flush=True)
while time.monotonic() < end:
    work(1)
"""
    SLOW = """
import time
end = time.monotonic() + 1
while time.monotonic() < end:
    pass
from _struct import *
from _struct import _clearcache
"""

    def test_it_begins_once(self):
        script, slow = self.path("script.py"), self.path("slow")
        os.mkdir(slow)
        for path, text in ((script, self.SCRIPT), (os.path.join(slow, "struct.py"), self.SLOW)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        errors = self.path("errors")
        with open(errors, "wb") as file:
            target = subprocess.Popen([self.python, script], env=dict(os.environ, PYTHONPATH=slow), stdout=subprocess.PIPE,
                                      stderr=file)
        self.addCleanup(target.wait)
        self.addCleanup(target.kill)
        self.addCleanup(target.stdout.close)
        self.assertEqual(target.stdout.readline(), b"ready\n")
        result = harness.run_tool("trace", "-p", target.pid, "-d", 1, "-o", self.recording, "-m", "__main__:work")
        self.assert_done(result)
        self.assertGreater(self.report("hot")["work"]["calls"], 0)
        with open(errors, encoding="utf-8") as file:
            self.assertEqual(file.read(), "")


class Refused(TraceTest):
    minors = ("3.11", "3.13")

    def test_attach_before_3_14(self):
        target = self.target("traced_calls.py")
        result = harness.run_tool("trace", "-p", target.pid, "-o", self.recording, "-m", "__main__:plain")
        self.assert_error(result, 4)
        self.assertIn("since 3.14", result.stderr)

    def test_usage(self):
        for args in (["-p", 1], ["-m", "plain", "-p", 1], ["-m", "a:b"], ["-m", "a:b", "-p", 1, "--", "true"],
                     ["-m", "a:b", "-p", 1, "--subprocesses"], ["-m", "a:b", "-o", "x.folded", "-p", 1]):
            self.assert_error(harness.run_tool("trace", *args), 2)

    def test_a_command_that_runs_no_python(self):
        result = harness.run_tool("trace", "-o", self.recording, "-m", "a:b", "--", "true")
        self.assertEqual(result.status, 1)
        self.assertIn("ran no Python", result.stderr)

    def test_a_wrong_name(self):
        result = self.launch("-m", "__main__:plian", more=["--work"])
        self.assertEqual(result.status, 1)
        self.assertIn("did you mean __main__:plain?", result.stderr)
        self.assertEqual(self.truth["done"], 1)


class LeftAlone(TraceTest):
    """The program is as it would be without."""
    minors = ("3.8", "3.13", "3.15")

    SCRIPT = """
import json, os, subprocess, sys
def work(n):
    return n
work(1)
child = subprocess.run([sys.executable, "-c", "import os, sys; print(os.environ.get('PYTHONPATH'), sys.path)"],
                       stdout=subprocess.PIPE, check=True).stdout.decode()
seen = {"environment": os.environ.get("PYTHONPATH"), "path": sys.path, "child": child,
        "own": getattr(sys.modules.get("sitecustomize"), "MARK", None),
        "threads": len(__import__("threading").enumerate())}
print(json.dumps(seen))
"""

    def run_traced(self, environment):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        result = harness.run_tool("trace", "-o", self.recording, "-m", "__main__:work", "--", self.python, script,
                                  env=dict(os.environ, **environment))
        self.assert_done(result)
        self.assertEqual(self.report("hot")["work"]["calls"], 1)
        return json.loads(result.stdout)

    def test_environment_path_and_children(self):
        seen = self.run_traced({})
        self.assertIsNone(seen["environment"])
        self.assertFalse([path for path in seen["path"] if path.endswith("/site")])
        self.assertNotIn("/site'", seen["child"])
        self.assertEqual(seen["threads"], 1)

    def test_its_own_sitecustomize(self):
        own = self.path("own")
        os.mkdir(own)
        with open(os.path.join(own, "sitecustomize.py"), "w", encoding="utf-8") as file:
            file.write("MARK = 42\n")
        seen = self.run_traced({"PYTHONPATH": own})
        self.assertEqual(seen["own"], 42)
        self.assertEqual(seen["environment"], own)


class ForeignProfiler(TraceTest):
    minors = ("3.8", "3.11")

    def test_a_profile_function_that_is_there_is_not_touched(self):
        base = self.path("base")
        site = os.path.join(base, "lib", "python" + self.interpreter.minor, "site-packages")
        os.makedirs(site)
        with open(os.path.join(site, "own.pth"), "w", encoding="utf-8") as file:
            file.write("import sys; sys.setprofile(print if False else (lambda *args: None))\n")
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("import sys\nprint(sys.getprofile().__name__)\n")
        result = harness.run_tool("trace", "-o", self.recording, "-m", "__main__:work", "--", self.python, script,
                                  env=dict(os.environ, PYTHONUSERBASE=base))
        self.assertEqual(result.status, 1, result.stderr)
        self.assertIn("profile function", result.stderr)
        self.assertEqual(result.stdout, b"<lambda>\n")


class Forked(TraceTest):
    minors = ("3.8", "3.13")

    SCRIPT = """
import os, sys
def work(n):
    return n
for n in range(10):
    work(n)
child = os.fork()
for n in range(7):
    work(n)
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
"""

    def calls(self, *args):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        self.assert_done(harness.run_tool("trace", "-o", self.recording, "-m", "__main__:work", *args, "--", self.python,
                                          script))
        return self.report("hot")["work"]["calls"]

    def test_a_child_counts_only_if_asked(self):
        self.assertEqual(self.calls(), 17)
        self.assertEqual(self.calls("--subprocesses"), 24)


class Incomplete(TraceTest):
    """What cannot be counted is said, and what never ran is not counted."""
    minors = ("3.8", "3.10", "3.11", "3.13")

    PROFILED = """
import cProfile
def work(n):
    return n
def numbers(n):
    yield n
for n in range(10):
    numbers(n)
    list(numbers(n))
work(1)
with cProfile.Profile():
    work(2)
"""
    ENDED = """
import os
def work(n):
    return n
if os.fork() == 0:
    work(1)
    os._exit(0)
os.wait()
work(1)
"""

    def trace(self, text, *args):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        return harness.run_tool("trace", "-o", self.recording, *args, "--", self.python, script)

    def test_a_profiler_in_the_program(self):
        result = self.trace(self.PROFILED, "-m", "__main__:*")
        self.assert_done(result)
        rows = self.report("hot")
        self.assertEqual(rows["numbers"]["calls"], 10)  # ten others never began
        if self.interpreter.minor in ("3.8", "3.10", "3.11"):
            self.assertEqual(rows["work"]["calls"], 1)
            self.assertIn("the counts are incomplete", result.stderr)
        else:
            self.assertEqual(rows["work"]["calls"], 2)
            self.assertNotIn("incomplete", result.stderr)

    def test_a_child_that_ends_without_a_word(self):
        result = self.trace(self.ENDED, "-m", "__main__:work", "--subprocesses")
        self.assert_done(result)
        self.assertIn("may be missing", result.stderr)

    def test_a_trace_that_fails_leaves_no_file(self):
        result = self.trace(self.PROFILED, "-m", "__main__:absent")
        self.assertEqual(result.status, 1, result.stderr)
        self.assertFalse(os.path.exists(self.recording))


class Killed(TraceTest):
    minors = ("3.11", "3.13")

    SCRIPT = """
import os, signal, time
def work(n):
    return n
for n in range(50):
    work(n)
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
"""

    def test_what_a_killed_program_did_is_there(self):
        script = self.path("script.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT)
        result = harness.run_tool("trace", "-o", self.recording, "-m", "__main__:work", "--", self.python, script)
        self.assertEqual(result.status, 128 + 9, result.stderr)
        self.assertEqual(self.report("hot")["work"]["calls"], 50)
