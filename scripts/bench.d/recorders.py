"""The sampling profilers that are compared: how each is started, stopped and asked how many samples it took."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import harness

AUSTIN = "austin-dist==3.7.0"  # the last one that bookworm's C library can run; it reads Python up to 3.13


class Tool:
    """A profiler; `command` makes the words that record a pid into a folded file, and `frame` finds the function's name in a frame
    of it. `weighed`: its lines end in a time instead of a count, and each is a sample."""

    def __init__(self, name, command, frame=r"(.*) \(", weighed=False, environment=None):
        self.name = name
        self.command = command
        self.frame = re.compile(frame)
        self.weighed = weighed
        self.environment = dict(os.environ, **environment or {})


def awaitscope(engine):
    def command(pid, rate, output):
        return [harness.tool(), "record", "-p", str(pid), "-r", str(rate), "-d", "600", "--engine", engine, "--max-overhead", "0",
                "-f", "folded", "-o", output]
    return Tool("awaitscope" if engine == "auto" else "awaitscope --engine " + engine, command)


def py_spy(executable, *flags):
    def command(pid, rate, output):
        return [executable, "record", "-p", str(pid), "-r", str(rate), "-d", "600", "-f", "raw", "-o", output, *flags]
    return Tool(" ".join(("py-spy",) + flags), command)


def austin(executable):
    def command(pid, rate, output):
        return [executable, "-p", str(pid), "-i", str(1000000 // rate), "-x", "600", "-o", output]
    return Tool("Austin", command, frame=r".*:([^:]*):\d+$", weighed=True)


def tachyon(python, *flags):
    """The standard library's, since 3.15; it reads its own minor only."""
    def command(pid, rate, output):
        return [python, "-m", "profiling.sampling", "attach", str(pid), "-r", str(rate), "-d", "600", "--collapsed", "-o", output,
                *(flags or ("-a",))]
    return Tool(" ".join(("profiling.sampling",) + flags), command, frame=r".*:([^:]*):\d+$", environment={"LC_ALL": "C"})


def control():
    """Records nothing: what it is said to cost is the noise of the measurement."""
    return Tool("(none: the noise)", lambda pid, rate, output: ["sleep", "600"])


def floor():
    """The system calls that a sample takes, and nothing else (tests/probes/sampling_floor.cpp), where that was built."""
    probe = os.path.join(os.path.dirname(os.path.realpath(harness.tool())), "probes", "sampling_floor")
    if not os.access(probe, os.X_OK):
        return []
    return [Tool("(its system calls alone)", lambda pid, rate, output: [probe, str(pid), str(rate), output])]


def peers(python):
    """Those that read this interpreter: py-spy and Austin in an environment of its own, from PyPI, and the interpreter's own one."""
    cache = os.environ.get("AWAITSCOPE_CACHE") or os.path.expanduser("~/.cache/awaitscope")
    folder = os.path.join(cache, "peers-2")
    pyspy, austin_itself = (os.path.join(folder, "bin", name) for name in ("py-spy", "austin"))
    if not os.path.exists(austin_itself):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=sys.stderr)
        subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "py-spy", AUSTIN], check=True, stdout=sys.stderr)
    minor = int(python.minor.split(".")[1])
    found = [py_spy(pyspy), py_spy(pyspy, "--nonblocking")]
    if minor <= 13:
        found.append(austin(austin_itself))
    if minor >= 15:
        found += [tachyon(python.path), tachyon(python.path, "--async-aware")]
    return found


class Ended(RuntimeError):
    """A recorder ended by itself, with what it said."""


class Recorder:
    """A tool at work on a pid; a context manager that ends it by its pid, whatever happened."""

    def __init__(self, tool, pid, rate):
        self.tool = tool
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.output = os.path.join(self.folder.name, "out.folded")
        self.log = os.path.join(self.folder.name, "log")
        self.started = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(tool.command(pid, rate, self.output), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=tool.environment)
        self.usage = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.usage is None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            harness.end_process(self.process)
        self.folder.cleanup()

    def send(self, number):
        self.check()
        self.process.send_signal(number)

    def check(self):
        if self.process.poll() is not None:
            with open(self.log, errors="replace") as log:
                raise Ended("%s ended with %s: %s" % (self.tool.name, self.process.returncode, log.read()))

    def cpu_seconds(self):
        """CPU time of all of its threads so far, to the nanosecond."""
        total = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid):
            try:
                with open(path) as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass  # a thread that ended since
        return total / 1e9

    def finish(self):
        """Interrupts it, as a person would; -> (seconds it ran, its CPU seconds from start to end, samples)."""
        self.send(signal.SIGINT)
        asked = time.monotonic()
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - asked > 30:
                raise RuntimeError("%s did not end" % self.tool.name)
            time.sleep(0.01)
        self.usage = usage
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return asked - self.started, usage.ru_utime + usage.ru_stime, self.samples()

    def stacks(self):
        """[(names of functions, root first, how many samples)] of what it wrote."""
        found = []
        try:
            with open(self.output, errors="replace") as file:
                lines = [line.strip() for line in file]
        except FileNotFoundError:
            return found
        for line in lines:
            stack, _, count = line.rpartition(" ")
            if stack and not line.startswith("#") and count.isdigit():
                names = [self.tool.frame.match(frame) for frame in stack.split(";")]
                found.append((tuple(name[1] for name in names if name), 1 if self.tool.weighed else int(count)))
        return found

    def samples(self):
        return sum(count for _, count in self.stacks())
