"""The sampling profilers that are compared: how each is started, stopped and asked how many samples it took."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time

import harness


class Tool:
    """A profiler; `command` makes the words that record a pid into a folded file."""

    def __init__(self, name, command):
        self.name = name
        self.command = command


def awaitscope(engine):
    def command(pid, rate, output):
        return [harness.tool(), "record", "-p", str(pid), "-r", str(rate), "-d", "600", "--engine", engine, "--max-overhead", "0",
                "-f", "folded", "-o", output]
    return Tool("awaitscope" if engine == "auto" else "awaitscope --engine " + engine, command)


def py_spy(executable, *flags):
    def command(pid, rate, output):
        return [executable, "record", "-p", str(pid), "-r", str(rate), "-d", "600", "-f", "raw", "-o", output, *flags]
    return Tool(" ".join(("py-spy",) + flags), command)


def control():
    """Records nothing: what it is said to cost is the noise of the measurement."""
    return Tool("(none: the noise)", lambda pid, rate, output: ["sleep", "600"])


def floor():
    """The system calls that a sample takes, and nothing else (tests/probes/sampling_floor.cpp), where that was built."""
    probe = os.path.join(os.path.dirname(os.path.realpath(harness.tool())), "probes", "sampling_floor")
    if not os.access(probe, os.X_OK):
        return []
    return [Tool("(its system calls alone)", lambda pid, rate, output: [probe, str(pid), str(rate), output])]


def peers():
    """py-spy, in an environment of its own, from PyPI."""
    cache = os.environ.get("AWAITSCOPE_CACHE") or os.path.expanduser("~/.cache/awaitscope")
    folder = os.path.join(cache, "peers")
    executable = os.path.join(folder, "bin", "py-spy")
    if not os.path.exists(executable):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, stdout=sys.stderr)
        subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet", "py-spy"], check=True,
                       stdout=sys.stderr)
    return [py_spy(executable), py_spy(executable, "--nonblocking")]


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
                                            stdout=log, stderr=log)
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
                raise RuntimeError("%s ended with %s: %s" % (self.tool.name, self.process.returncode, log.read()))

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

    def samples(self):
        try:
            with open(self.output, "rb") as file:
                return sum(int(line.rpartition(b" ")[2]) for line in file if line.strip())
        except FileNotFoundError:
            return 0
