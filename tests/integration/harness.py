"""Starts targets and awaitscope, and always ends what it started, by its pid.

A target writes a ready file (see tests/targets/truth.py) and ends by itself after its lifetime. Every check of what
the command line promises of any run (no signal, no backtrace, one error and one hint) is here, once.
"""
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import folded

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGETS = os.path.join(ROOT, "tests", "targets")
_BACKTRACE = re.compile(r"Traceback|terminate called|core dumped|Segmentation|stack smashing|runtime error:|Sanitizer"
                        r"|^\s*#\d+ 0x|what\(\):", re.MULTILINE)
_SAMPLES = re.compile(r"(\d[\d,]*) samples?\b")

# A shell ignores it in jobs in the background. The tools would inherit that, and honour it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def tool():
    return os.path.abspath(os.environ.get("AWAITSCOPE") or os.path.join(ROOT, "build", "awaitscope"))


def end_process(process):
    """Ends a Popen and whatever state it is in (also stopped); returns its status."""
    if process.poll() is None:
        process.kill()
    return process.wait()


def ticks(said):
    """The ticks of a recording, by its detailed summary: on a busy machine many of those that were due never happen."""
    return int(re.search(r"at ([\d,]+) ticks", said)[1].replace(",", ""))


def ticks_a_second(said):
    """How often a recording's ticks happened, by its detailed summary."""
    length, unit = re.search(r" ticks in ([\d.]+) (m?s)", said).groups()
    return ticks(said) / float(length) * (1000 if unit == "ms" else 1)


class Target:
    """A running program under observation; a context manager.

    `python` is an executable, or a command whose last word is one. `inside` is its pid from the pid that was started, for
    a command that stays its parent.
    """

    def __init__(self, python, script, *args, lifetime=60, wait=20, environment=None, inside=None):
        self.folder = tempfile.mkdtemp(prefix="target-")
        self.ready_file = os.path.join(self.folder, "ready.json")
        self.log = os.path.join(self.folder, "log")
        command = [python] if isinstance(python, str) else list(python)
        command += [os.path.join(TARGETS, script), "--ready", self.ready_file, "--lifetime", str(lifetime)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command + list(args), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=dict(os.environ, **(environment or {})))
        try:
            self.truth = self._wait_until_ready(wait)
        except BaseException:
            self.__exit__()
            raise
        self.pid = self.truth["pid"] if inside is None else inside(self.process.pid)

    def _wait_until_ready(self, wait):
        end = time.monotonic() + wait
        while not os.path.exists(self.ready_file):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, errors="replace") as log:
                    raise AssertionError("the target did not get ready: %s" % log.read())
            time.sleep(0.01)
        with open(self.ready_file, encoding="utf-8") as file:
            return json.load(file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end_process(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def counters(self):
        """The target's own measurements at this moment."""
        names = self.truth["counters"]["names"]
        with open(self.truth["counters"]["path"], "rb") as file:
            return dict(zip(names, struct.unpack("%dQ" % len(names), file.read())))

    def set_counter(self, name, value):
        index = self.truth["counters"]["names"].index(name)
        with open(self.truth["counters"]["path"], "rb+") as file, mmap.mmap(file.fileno(), 0) as mapped:
            mapped[8 * index:8 * index + 8] = struct.pack("Q", value)

    def ended(self):
        return self.process.poll() is not None

    def states(self):
        """The kernel's state letter of each thread."""
        letters = []
        for task in os.listdir("/proc/%d/task" % self.pid):
            try:
                with open("/proc/%d/task/%s/stat" % (self.pid, task), "rb") as file:
                    letters.append(file.read().rpartition(b")")[2].split()[0].decode())
            except (FileNotFoundError, ProcessLookupError):
                pass  # a thread that ended since
        return letters


class Result:
    def __init__(self, status, stdout, stderr, seconds):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr.decode("utf-8", "replace")
        self.seconds = seconds


def start_tool(*args, **popen):
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    executable = popen.pop("tool", None) or tool()
    brief = popen.pop("brief", False)
    if args[:1] == ("record",) and not any(str(arg).startswith("--max-overhead") for arg in args):
        args = ("record", "--max-overhead", "0") + args[1:]  # the rate that a test asks for is the one that it wants
    if args[:1] == ("record",) and not brief:
        args = ("record", "-v") + args[1:]  # tests check what the recording cost and lost
    return subprocess.Popen([executable] + [str(arg) for arg in args], stdin=subprocess.DEVNULL, **popen)


def finish(process, timeout=60, started=None):
    """Waits for a started tool; one that does not end in time is ended, and fails the test."""
    started = time.monotonic() if started is None else started
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        end_process(process)
        raise AssertionError("%r did not end within %g s" % (process.args, timeout)) from None
    return Result(process.returncode, stdout or b"", stderr or b"", time.monotonic() - started)


def run_tool(*args, timeout=60, **popen):
    return finish(start_tool(*args, **popen), timeout)


class ToolTest(unittest.TestCase):
    """A test that runs once, on the newest interpreter found. `python`, `interpreter` and `found` are set by run.py."""

    python = None
    interpreter = None
    found = {}  # every interpreter: {minor: Interpreter}
    timing_sensitive = False  # True: never beside another test, whatever --jobs says
    minor_matters = True  # False: what it shows depends on the machine or on a view; --third runs it on one of its minors

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="awaitscope-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.lacks = set()  # what the targets of this test left out

    def path(self, name):
        return os.path.join(self.folder, name)

    def target(self, script, *args, **how):
        """A target that ends with the test."""
        target = Target(how.pop("python", self.python), script, *args, **how)
        self.addCleanup(target.__exit__)
        self.lacks.update(target.truth.get("lacks", []))
        return target

    def named(self, qualname):
        """A function's name as a frame of this interpreter has it: before 3.11 without what it is defined in."""
        return qualname if self.interpreter.has_qualname else qualname.rpartition(".")[2]

    def assert_quiet_end(self, result):
        """No signal and no backtrace, whatever else it was."""
        self.assertGreaterEqual(result.status, 0, "ended by a signal: %s" % result.stderr)
        self.assertNotIn(result.status, range(129, 160), "a signal's status: %s" % result.stderr)
        self.assertNotRegex(result.stderr, _BACKTRACE)

    def assert_done(self, result, status=0):
        self.assert_quiet_end(result)
        self.assertEqual(result.status, status, result.stderr)
        self.assertNotIn("awaitscope: error:", result.stderr)

    def assert_error(self, result, status):
        """That status, and on stderr one line of cause and one of remedy: nothing else."""
        self.assert_quiet_end(result)
        self.assertEqual(result.status, status, result.stderr)
        self.assertRegex(result.stderr, r"\Aawaitscope: error: \S[^\n]*\nhint: \S[^\n]*\n\Z")

    def assert_progress(self, target, counter, within=15.0):
        """The target runs: a counter of its own moves, sooner or later; none of its threads is stopped, nobody traces it."""
        before = target.counters()[counter]
        end = time.monotonic() + within
        while target.counters()[counter] == before:
            self.assertFalse(target.ended(), "the target ended")
            self.assertLess(time.monotonic(), end, "the target does not move: %s" % target.states())
            time.sleep(0.002)
        self.assertFalse({"T", "t"} & set(target.states()), target.states())

    def record(self, target, *args, **how):
        """`record -p` into a folded file -> (stacks, Result)."""
        output = self.path("out.folded")
        result = run_tool("record", "-p", target.pid, "-f", "folded", "-o", output, *args, **how)
        self.assert_done(result)
        with open(output, "rb") as file:
            return folded.parse(file.read()), result

    def summary_samples(self, result):
        """The count of samples that the summary line tells."""
        counts = _SAMPLES.findall(result.stderr)
        self.assertEqual(len(counts), 1, "one summary line with `N samples`: %s" % result.stderr)
        return int(counts[0].replace(",", ""))


class InterpreterTest(ToolTest):
    """A test that runs once for each supported interpreter on the machine, or for those that `minors` names.

    There, "oldest" and "newest" stand for what they are on this machine; a minor that it lacks is left out.
    """

    minors = None
    free_threaded = False  # True: on each free-threaded interpreter too


class EndsTest(ToolTest):
    """A test that runs on the oldest and the newest interpreter found: of what hardly depends on the minor."""


def send(process, number=signal.SIGINT):
    if process.poll() is None:
        process.send_signal(number)
