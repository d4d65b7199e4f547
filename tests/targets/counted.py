"""Work whose events are split otherwise than its time: one() runs twice as long as three(), and does a third of its events.

With --what faults an event is the first touch of a page, with naps a short sleep. --threads adds threads that live for a
moment, and some that live for hardly any. The truth is getrusage(2) of the thread, around each step, and of the process: a
row of a log for each step, with the time.
"""
import mmap
import os
import resource
import signal
import struct
import threading
import time

import truth

COLUMNS = ["at_ns", "process_faults", "process_cpu_ns", "process_switches", "born"]
NAMES = ["three", "one", "short"]
COLUMNS += [name + kind for name in NAMES for kind in ("_faults", "_switches", "_cpu_ns")]
STEP_NS = 500_000
PAGE = mmap.PAGESIZE


class Log:
    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        self.values = {name: 0 for name in COLUMNS}

    def add(self, name, before, after):
        self.values[name + "_faults"] += after[0] - before[0]
        self.values[name + "_switches"] += after[1] - before[1]
        self.values[name + "_cpu_ns"] += after[2] - before[2]

    def row(self):
        whole = resource.getrusage(resource.RUSAGE_SELF)
        self.values["at_ns"] = time.monotonic_ns()
        self.values["process_faults"] = whole.ru_minflt + whole.ru_majflt
        self.values["process_switches"] = whole.ru_nvcsw + whole.ru_nivcsw
        self.values["process_cpu_ns"] = int((whole.ru_utime + whole.ru_stime) * 1e9)
        os.write(self._file, struct.pack("%dQ" % len(COLUMNS), *(self.values[name] for name in COLUMNS)))


def own():
    """What this thread has done up to now: (faults, context switches, CPU time)."""
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_minflt + usage.ru_majflt, usage.ru_nvcsw + usage.ru_nivcsw, time.thread_time_ns()


def touch(pages):
    with mmap.mmap(-1, pages * PAGE) as fresh:
        for at in range(0, pages * PAGE, PAGE):
            fresh[at] = 1


def nap(times):
    for _ in range(times):
        time.sleep(0.0001)


def burn(end):
    while time.thread_time_ns() < end:
        pass


def step(event, count):
    end = time.thread_time_ns() + STEP_NS
    event(count)
    burn(end)


def work(log, name, event, count, milliseconds):
    end = time.thread_time_ns() + milliseconds * 1_000_000
    while time.thread_time_ns() < end:
        before = own()
        step(event, count)
        log.add(name, before, own())
        if name != "short":
            log.row()


def three(log, event, milliseconds):
    work(log, "three", event, 6, milliseconds)


def one(log, event, milliseconds):
    work(log, "one", event, 1, 2 * milliseconds)


def short(log, event, milliseconds):
    work(log, "short", event, 3, milliseconds)


def start_threads(log, event):
    """One that lives long enough to be seen, and some that mostly are not."""
    threads = [threading.Thread(target=short, args=(log, event, 30), name="short")]
    threads += [threading.Thread(target=event, args=(60,), name="flash-%d" % i) for i in range(5)]
    for thread in threads:
        thread.start()
        thread.join()
    log.values["born"] += len(threads)


def main():
    def extra(parser):
        parser.add_argument("--what", choices=["faults", "naps"], default="faults")
        parser.add_argument("--phase", type=int, default=60, help="milliseconds of three()")
        parser.add_argument("--threads", action="store_true")
        parser.add_argument("--fork", action="store_true", help="and a child that does the same")

    options = truth.options(extra)
    event = touch if options.what == "faults" else nap
    path = options.ready + ".log"
    child = os.fork() if options.fork else None
    log = Log(path + ".child" if child == 0 else path)
    end = time.monotonic() + options.lifetime
    log.row()
    if child == 0:
        signal.alarm(int(options.lifetime) + 10)  # a child inherits no alarm
    else:
        truth.announce(options, log=path, columns=COLUMNS, child=child, child_log=path + ".child")
    while time.monotonic() < end:
        three(log, event, options.phase)
        one(log, event, options.phase)
        if options.threads:
            start_threads(log, event)


if __name__ == "__main__":
    main()
