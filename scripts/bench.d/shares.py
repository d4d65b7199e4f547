"""The share of the CPU of the functions of threads that contend for the GIL, against their own clocks, and their states against the
kernel's counts; on a machine with nothing else to do, and beside two processes that keep its CPUs busy."""
import contextlib
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

import folded
import harness

HEAD = ["interpreter", "threads", "asked", "beside", "largest difference, points", "runnable a tick, of the kernel's", "not sampled"]
FUNCTIONS = ("compute", "compress", "store")
THREADS = (1, 2, 4, 8)
BUSY = "import time\nend = time.monotonic() + %d\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def busy_processes(count, seconds):
    processes = [subprocess.Popen([sys.executable, "-c", BUSY % (seconds + 10)]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def runnable_ns(pid):
    """(now, time on a CPU and waiting for one), of all threads, by the kernel."""
    total = 0
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        with open(path, encoding="ascii") as file:
            total += sum(int(word) for word in file.read().split()[:2])
    return time.monotonic_ns(), total


def report(path, *args):
    return harness.run_tool("report", path, *args).stdout


def row(interpreter, threads, rate, busy, seconds):
    with tempfile.TemporaryDirectory() as folder, busy_processes(busy, seconds), harness.Target(
            interpreter.path, "contention.py", "--threads", str(threads), lifetime=seconds + 30) as target:
        path = os.path.join(folder, "x.ascope")
        before, begun = target.counters(), runnable_ns(target.pid)
        result = harness.run_tool("record", "-p", target.pid, "-r", rate, "-d", seconds, "-o", path)
        after, ended = target.counters(), runnable_ns(target.pid)
        if result.status != 0:
            raise RuntimeError(result.stderr.strip())
        spent = {name: after[name + "_ns"] - before[name + "_ns"] for name in FUNCTIONS}
        stacks = folded.parse(report(path, "-f", "folded", "--metric", "cpu"))
        whole = folded.total(stacks)
        seen_in = {name: folded.total([each for each in stacks if each.has(name)]) for name in FUNCTIONS}
        # Of what is in these functions: what the threads do between them has no clock of its own.
        largest = max((100 * seen_in[name] / sum(seen_in.values()) - 100 * spent[name] / sum(spent.values())
                       for name in FUNCTIONS), key=abs)
        info = json.loads(report(path, "-f", "info", "--json"))
        seen = (info["samples_in_state"]["running"] + info["samples_in_state"]["runnable"]) / info["ticks"]
        due = (ended[1] - begun[1]) / (ended[0] - begun[0])
        missing = folded.total([each for each in stacks if each.root == folded.NOT_SAMPLED])
        return [interpreter.version, threads, "%d Hz" % rate, "%d busy" % busy if busy else "nothing", "%+.1f" % largest,
                "%.2f of %.2f" % (seen, due), "%.1f %%" % (100 * missing / whole)]
