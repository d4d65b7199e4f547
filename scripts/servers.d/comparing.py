"""A recording of a server beside what the server knows of itself."""
import collections
import json
import math
import os
import struct
import sys
import time

import django_site
import folded
import harness
import recordings
import serving

SECONDS = 10
RATE = 100
MOST_POINTS = 5.0   # that a share may be off
MOST_PERCENT = 5.0  # that the recording's sum may be off the kernel's

Share = collections.namedtuple("Share", "function seen true error")  # in percent of the CPU; error: the standard error of seen
Result = collections.namedtuple("Result", "shares unsampled sums kernel said requests")


def process_clock(pid):
    """process_time_ns() of another process: clock_getcpuclockid(3), whose ids are (~pid << 3) | CPUCLOCK_SCHED."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Reading:
    """At one time: each function's CPU time by the application, all CPU time by the processes' own clocks and by the kernel's
    statistics, in nanoseconds."""

    def __init__(self, running):
        self.functions = collections.Counter()
        for pid in running.serving():
            with open(os.path.join(running.ledgers, "%d.json" % pid), encoding="utf-8") as file:
                facts = json.load(file)
            with open(os.path.join(running.ledgers, str(pid)), "rb") as file:
                words = struct.unpack("%dQ" % len(facts), file.read(8 * len(facts)))
            for (name, path, line), spent in zip(facts, words):
                self.functions[name, path, line] += spent
        pids = running.processes()
        self.clocks = sum(map(process_clock, pids))
        self.statistics = sum(map(recordings.process_cpu, pids))


def report(path, *args):
    result = harness.run_tool("report", path, *args)
    if result.status != 0:
        raise RuntimeError(result.stderr.strip())
    return result.stdout


def wait_while(recorder, condition, seconds):
    end = time.monotonic() + seconds
    while recorder.poll() is None and condition() and time.monotonic() < end:
        time.sleep(0.005)


def record(running, path, more):
    """-> (what the server knew when sampling began, and when it ended; what the recorder said)"""
    command = ["record", "-p", running.pid, "-r", RATE, "-d", SECONDS, "-o", path] + more
    recorder = harness.start_tool(*command)
    try:
        wait_while(recorder, lambda: not recordings.samples(recorder.pid), 20)
        before = Reading(running)
        wait_while(recorder, lambda: recordings.samples(recorder.pid), SECONDS + 20)
        after = Reading(running)
    finally:
        result = harness.finish(recorder)
    if result.status != 0:
        raise RuntimeError(result.stderr.strip())
    return before, after, result.stderr


def sums_of_views(path, stacks, info):
    hot = json.loads(report(path, "-f", "hot", "--json", "--metric", "cpu"))
    return {"info": info["process_cpu_ns"], "folded": folded.total(stacks), "hot": hot["sum"]["cpu_ns"],
            "sampled and not": info["cpu_ns"] + info["unsampled_cpu_ns"]}


def compare(server, python, folder, more):
    """Starts it, loads it, records it, ends it -> Result."""
    path = os.path.join(folder, server.name + ".ascope")
    with serving.Running(server, python) as running:
        load = django_site.Load(sys.executable, running, server.paths, server.connections, duration=3 * SECONDS + 20)
        with load:
            time.sleep(1)
            children = ["--subprocesses"] if server.children else []
            before, after, said = record(running, path, children + more)
    stacks = folded.parse(report(path, "-f", "folded", "--metric", "cpu"))
    info = json.loads(report(path, "-f", "info", "--json"))
    whole = folded.total(stacks)
    on_cpu = max(1, info["samples_in_state"]["running"])
    shares = []
    for function in after.functions:
        seen = folded.total([stack for stack in stacks if any(frame_is(frame, function) for frame in stack.frames)]) / whole
        true = (after.functions[function] - before.functions[function]) / (after.clocks - before.clocks)
        if seen or true:  # some have an application in common with another server, and are not called in this one
            shares.append(Share(function[0], 100 * seen, 100 * true, 100 * math.sqrt(seen * (1 - seen) / on_cpu)))
    unsampled = 100 * folded.total([stack for stack in stacks if stack.root == folded.NOT_SAMPLED]) / whole
    return Result(shares, unsampled, sums_of_views(path, stacks, info), after.statistics - before.statistics, said,
                  load.report["requests"])


def frame_is(frame, function):
    return not frame.mark and frame.where() == function
