"""How soon a recording has its first sample, measured from outside.

The target's stack says what time it is (tests/targets/clock_stack.py), so that the earliest stack of a recording tells when
the first sample was taken, to a millisecond, on the clock by which the command was started: from the start of the
executable to the sample, finding and checking the interpreter included. On a busy machine most of that is waiting for a
CPU; what the whole command used of one, 200 ms of sampling included, hardly depends on that.
"""
import os
import re
import resource
import tempfile
import time

import builds
import folded
import harness
import ratios

HEAD = ["interpreter", "its symbols", "median ms", "slowest ms", "promised", "CPU ms of it all"]
_AT = re.compile(r"at_(\d+)")


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def first_sample(target, folder):
    """-> (milliseconds from the start of `record` to its first sample, of CPU time for the whole of it)"""
    before = cpu_of_children()
    output = os.path.join(folder, "out.folded")
    started = time.monotonic()
    result = harness.run_tool("record", "-p", target.pid, "-r", 1000, "-d", "200ms", "-f", "folded", "-o", output)
    if result.status != 0:
        raise RuntimeError(result.stderr.strip())
    with open(output, "rb") as file:
        stacks = folded.parse(file.read())
    period = target.truth["period_ms"]
    since = [(int(found[1]) - int(started * 1000)) % period for stack in stacks
             for found in [_AT.fullmatch(stack.names[-1])] if found]
    if not since:
        raise RuntimeError("no sample in 200 ms: %s" % result.stderr.strip())
    # The middle of the millisecond that the stack names.
    return min(since) + 0.5, (cpu_of_children() - before) * 1000


def builds_of(interpreter, folder):
    """(what its symbols are like, command, environment, promised ms)"""
    yield "as it is shipped", interpreter.path, {}, 30
    for name, change in (("stripped", builds.strip), ("no section headers", builds.drop_section_headers)):
        place = os.path.join(folder, name)
        os.makedirs(place)
        copy = builds.Copy(interpreter, place)
        for path in copy.files():
            change(path)
        yield (name,) + copy.how() + (100,)
    if copy.facts["static"] is not None and not interpreter.in_root and builds.compiler():
        host = os.path.join(folder, "host")
        builds.compile_host("embed.c", host, copy.facts["static"], *copy.facts["libraries"], "-lm", "-ldl", "-lpthread",
                            "-lutil")
        builds.strip(host)
        builds.drop_section_headers(host)
        yield ("none at all, in another program",) + copy.how(host) + (100,)


def rows(interpreter, times=15):
    """A row a build."""
    with tempfile.TemporaryDirectory() as folder:
        for name, command, environment, promised in builds_of(interpreter, folder):
            target = harness.Target(command, "clock_stack.py", lifetime=60, environment=environment)
            try:
                values = [first_sample(target, folder) for _ in range(times)]
            finally:
                target.__exit__()
            waits, cpu = zip(*values)
            yield [interpreter.version, name, "%.1f" % ratios.median(waits), "%.1f" % max(waits), promised,
                   "%.1f" % ratios.median(cpu)]
