#!/usr/bin/env python3
"""Runs the integration tests: awaitscope against real interpreters running small programs that know themselves.

usage: tests/integration/run.py [-k PATTERN]… [--list] [--pythons EXE:EXE] [--awaitscope PATH] [--jobs N] [--kills N] [--reuse-seconds S]
       [--crowd-seconds S]

Interpreters come from --pythons or $AWAITSCOPE_PYTHONS, from pyenv, from PATH and from scripts/pythons; one of each
supported minor is used.
The executable is --awaitscope, $AWAITSCOPE or build/awaitscope. Exit status: 0 only if an interpreter was found, a test
ran, and none failed. What was not run, and why, is listed at the end. A test of times that fails while the hypervisor takes the
CPUs away says nothing: it is run again, up to twice, and listed as well.
"""
import argparse
import concurrent.futures
import fnmatch
import glob
import importlib
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import harness  # noqa: E402
import interpreters  # noqa: E402


MOST_RUNS = 3
DISTURBED = 0.02  # of the CPUs' time, which the hypervisor gave to others


def parse_options():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1].split("\n\n", 1)[0])
    parser.add_argument("-k", action="append", default=[], dest="patterns", help="only tests whose id has this in it; * stands for anything")
    parser.add_argument("--list", action="store_true", help="print the tests' ids, and end")
    parser.add_argument("--pythons", help="interpreters to use before any other, separated by colons")
    parser.add_argument("--awaitscope", help="the executable under test")
    parser.add_argument("--jobs", type=int, default=1, help="tests side by side; timing-sensitive ones never are")
    parser.add_argument("--kills", type=int, help="how often to kill the recorder on the oldest and the newest interpreter (default 100 each, or $AWAITSCOPE_KILLS)")
    parser.add_argument("--reuse-seconds", type=int, help="of code-address reuse, on each interpreter (default 3, or $AWAITSCOPE_REUSE_SECONDS)")
    parser.add_argument("--crowd-seconds", type=int, help="of more targets than CPUs, on each interpreter (default 2, or $AWAITSCOPE_CROWD_SECONDS)")
    options = parser.parse_args()
    if options.pythons:
        os.environ["AWAITSCOPE_PYTHONS"] = options.pythons
    if options.awaitscope:
        os.environ["AWAITSCOPE"] = os.path.abspath(options.awaitscope)
    if options.reuse_seconds:
        os.environ["AWAITSCOPE_REUSE_SECONDS"] = str(options.reuse_seconds)
    if options.crowd_seconds:
        os.environ["AWAITSCOPE_CROWD_SECONDS"] = str(options.crowd_seconds)
    if options.kills:
        os.environ["AWAITSCOPE_KILLS"] = str(options.kills)
    return options


def test_classes():
    here = os.path.dirname(os.path.abspath(__file__))
    for path in sorted(glob.glob(os.path.join(here, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, harness.ToolTest) and value.__module__ == module.__name__:
                yield value


def bind(cls, interpreter, label, found):
    """A copy of a test class for one interpreter; the label shows in the tests' ids."""
    name = cls.__name__ + label
    facts = {"python": interpreter.path, "interpreter": interpreter, "found": found, "__module__": cls.__module__, "__qualname__": name}
    return type(name, (cls,), facts)


def minors_for(cls, found):
    """The minors to run a class on, in their order; none: it does not matter, and the newest will do."""
    ends = {"oldest": min(found, key=interpreters.age), "newest": max(found, key=interpreters.age)}
    if issubclass(cls, harness.InterpreterTest):
        wanted = found if cls.minors is None else [ends.get(minor, minor) for minor in cls.minors]
    else:
        wanted = ends.values() if issubclass(cls, harness.EndsTest) else []
    return sorted((minor for minor in found if minor in wanted), key=interpreters.age)


def collect(found, without_gil, patterns):
    """The bound tests, in the order of the files. Those on free-threaded interpreters see the others as found, too."""
    newest = max(found, key=interpreters.age)
    tests = []
    for cls in test_classes():
        minors = minors_for(cls, found)
        chosen = [("[%s]" % minor if minors else "", found[minor]) for minor in minors or [newest]]
        if getattr(cls, "free_threaded", False):
            chosen += [("[%s]" % minor, without_gil[minor]) for minor in sorted(without_gil, key=interpreters.age)]
        for label, interpreter in chosen:
            tests += unittest.defaultTestLoader.loadTestsFromTestCase(bind(cls, interpreter, label, found))
    if patterns:
        tests = [test for test in tests if any(matches(test.id(), pattern) for pattern in patterns)]
    return tests


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, "*%s*" % pattern.replace("[", "[[]"))


def run_once(test):
    """Runs a test alone, and prints its line when it ended."""
    result = unittest.TestResult()
    started = time.monotonic()
    stolen = harness.stolen_ns()
    test.run(result)
    stolen = (harness.stolen_ns() - stolen) / 1e9 / os.cpu_count() / (time.monotonic() - started)
    bad = result.failures + result.errors + [(test, "unexpected success") for _ in result.unexpectedSuccesses]
    outcome = "FAIL" if bad else "not run" if result.skipped else "ok"
    lacks = sorted(getattr(test, "lacks", ()))
    details = " (without %s)" % ", ".join(lacks) if lacks else ""
    details += "".join("\n%s" % text for _, text in bad) + "".join(": %s" % text for _, text in result.skipped)
    print("%-7s %6.1f s  %s%s" % (outcome, time.monotonic() - started, test.id(), details), flush=True)
    return outcome, details, stolen


def run_one(test):
    """-> (outcome, id, details, what was stolen in the runs that did not count)"""
    stolen_before = []
    while True:
        outcome, details, stolen = run_once(test)
        if outcome != "FAIL" or not test.timing_sensitive or stolen < DISTURBED or len(stolen_before) + 1 == MOST_RUNS:
            return outcome, test.id(), details, stolen_before
        stolen_before.append("%.0f %%" % (100 * stolen))


def run_all(tests, jobs):
    """Those that can bear company first, side by side; then the others, one by one."""
    alone = [test for test in tests if test.timing_sensitive or jobs == 1]
    together = [test for test in tests if test not in alone]
    with concurrent.futures.ThreadPoolExecutor(max(1, jobs)) as pool:
        outcomes = list(pool.map(run_one, together))
    return outcomes + [run_one(test) for test in alone]


def main():
    options = parse_options()
    here = interpreters.discover(interpreters.SUPPORTED + interpreters.FREE_THREADED)
    for minor in interpreters.SUPPORTED + interpreters.FREE_THREADED:
        print(here.get(minor) or "Python %s: NOT FOUND, not tested" % minor, flush=True)
    found, without_gil = ({minor: here[minor] for minor in minors if minor in here}
                          for minors in (interpreters.SUPPORTED, interpreters.FREE_THREADED))
    if not found:
        print("no supported interpreter on this machine: nothing can be tested", file=sys.stderr)
        return 1
    tests = collect(found, without_gil, options.patterns)
    if options.list:
        print("\n".join(test.id() for test in tests))
        return 0
    if not os.access(harness.tool(), os.X_OK):
        print("no executable at %s: build it, or name it with --awaitscope" % harness.tool(), file=sys.stderr)
        return 1
    started = time.monotonic()
    outcomes = run_all(tests, options.jobs)
    counts = {kind: [name + why for outcome, name, why, _ in outcomes if outcome == kind] for kind in ("FAIL", "not run")}
    for _, name, _, stolen in outcomes:
        if stolen:
            print("REPEATED: %s: of the CPUs' time %s were stolen" % (name, ", then ".join(stolen)))
    for name in counts["not run"]:
        print("NOT RUN: %s" % name)
    for name in counts["FAIL"]:
        print("FAILED: %s" % name.split("\n", 1)[0])
    print("%d tests, %d failed, %d not run, in %.0f s" %
          (len(outcomes), len(counts["FAIL"]), len(counts["not run"]), time.monotonic() - started))
    return 1 if counts["FAIL"] or len(counts["not run"]) == len(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
