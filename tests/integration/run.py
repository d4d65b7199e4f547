#!/usr/bin/env python3
"""Runs the integration tests: awaitscope against real interpreters running small programs that know themselves.

usage: tests/integration/run.py [--all | --third] [-k PATTERN]… [--list] [--pythons EXE:EXE] [--awaitscope PATH] [--jobs N] [--kills N] [--reuse-seconds S]
       [--crowd-seconds S] [--soak-seconds S]

Interpreters come from --pythons or $AWAITSCOPE_PYTHONS, from pyenv, from PATH and from scripts/pythons, one of each
supported minor. The choice for a test is what it names, or else 3.8, 3.11, 3.13 and 3.15; those of --pythons or
$AWAITSCOPE_PYTHONS instead, if that is given; every minor with --all. With --third, and where neither tests nor interpreters are
named, it runs on every third one of its choice, always the same; its name says with which it begins. Where
the minor does not matter (`minor_matters`), it runs on one.
The executable is --awaitscope, $AWAITSCOPE or build/awaitscope. Exit status: 0 only if an interpreter was found, a test
ran, and none failed. What was not run, and why, is listed at the end. No test runs twice.
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
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import harness  # noqa: E402
import interpreters  # noqa: E402


def parse_options():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ", 1)[1].split("\n\n", 1)[0])
    parser.add_argument("--all", action="store_true", help="on every minor, and what takes long for long: before a release")
    parser.add_argument("--third", action="store_true", help="each test on a third of its minors, or one where the minor does not matter, for a run that is to be short")
    parser.add_argument("-k", action="append", default=[], dest="patterns", help="only tests whose id has this in it; * stands for anything")
    parser.add_argument("--list", action="store_true", help="print the tests' ids, and end")
    parser.add_argument("--pythons", help="interpreters to use before any other, separated by colons")
    parser.add_argument("--awaitscope", help="the executable under test")
    parser.add_argument("--jobs", type=int, default=1, help="tests side by side; timing-sensitive ones never are")
    parser.add_argument("--kills", type=int, help="how often to kill the recorder on the oldest and the newest interpreter (default 100 each, 1000 with --all, or $AWAITSCOPE_KILLS)")
    parser.add_argument("--reuse-seconds", type=int, help="of code-address reuse, on each interpreter (default 3, 60 with --all, or $AWAITSCOPE_REUSE_SECONDS)")
    parser.add_argument("--crowd-seconds", type=int, help="of more targets than CPUs, on each interpreter (default 2, 30 with --all, or $AWAITSCOPE_CROWD_SECONDS)")
    parser.add_argument("--soak-seconds", type=int, help="of recording code, threads and tasks that come and go, on each interpreter (default 8, 600 with --all, or $AWAITSCOPE_SOAK_SECONDS)")
    options = parser.parse_args()
    if options.all and options.third:
        parser.error("--all and --third exclude each other")
    if options.pythons:
        os.environ["AWAITSCOPE_PYTHONS"] = options.pythons
    if options.awaitscope:
        os.environ["AWAITSCOPE"] = os.path.abspath(options.awaitscope)
    for name, value, long in (("REUSE_SECONDS", options.reuse_seconds, 60), ("CROWD_SECONDS", options.crowd_seconds, 30),
                              ("SOAK_SECONDS", options.soak_seconds, 600), ("KILLS", options.kills, 1000)):
        value = value or (long if options.all and "AWAITSCOPE_" + name not in os.environ else None)
        if value:
            os.environ["AWAITSCOPE_" + name] = str(value)
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


def minors_for(cls, found, chosen):
    """The minors to run a class on, in their order; none: it does not matter, and the newest will do."""
    ends = {"oldest": min(found, key=interpreters.age), "newest": max(found, key=interpreters.age)}
    if issubclass(cls, harness.InterpreterTest):
        wanted = chosen if cls.minors is None else [ends.get(minor, minor) for minor in cls.minors]
    else:
        wanted = ends.values() if issubclass(cls, harness.EndsTest) else []
    return sorted((minor for minor in found if minor in wanted), key=interpreters.age)


def is_of_third(cls, method, position, count):
    """Does this method run on the interpreter at this position of its class, where it runs on every third one, or on one where the
    minor does not matter? A checksum of its name says with which it begins, so that it stays where it is when other tests come."""
    step = min(3, count) if cls.minor_matters else count
    return (position + zlib.crc32(("%s.%s.%s" % (cls.__module__, cls.__name__, method)).encode())) % step == 0


def collect(found, without_gil, chosen, patterns, third):
    """The bound tests, in the order of the files. Those on free-threaded interpreters see the others as found, too."""
    newest = max(found, key=interpreters.age)
    tests = []
    for cls in test_classes():
        minors = minors_for(cls, found, chosen)
        bound = [("[%s]" % minor if minors else "", found[minor]) for minor in minors or [newest]]
        if getattr(cls, "free_threaded", False):
            bound += [("[%s]" % minor, without_gil[minor]) for minor in sorted(without_gil, key=interpreters.age)]
        for position, (label, interpreter) in enumerate(bound):
            of_one = unittest.defaultTestLoader.loadTestsFromTestCase(bind(cls, interpreter, label, found))
            tests += [test for test in of_one
                      if not third or len(bound) == 1 or is_of_third(cls, test.id().rpartition(".")[2], position, len(bound))]
    if patterns:
        tests = [test for test in tests if any(matches(test.id(), pattern) for pattern in patterns)]
    return tests


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, "*%s*" % pattern.replace("[", "[[]"))


def run_one(test):
    """Runs a test, and prints its line when it ended -> (outcome, id, details)"""
    result = unittest.TestResult()
    started = time.monotonic()
    test.run(result)
    bad = result.failures + result.errors + [(test, "unexpected success") for _ in result.unexpectedSuccesses]
    outcome = "FAIL" if bad else "not run" if result.skipped else "ok"
    lacks = sorted(getattr(test, "lacks", ()))
    details = " (without %s)" % ", ".join(lacks) if lacks else ""
    details += "".join("\n%s" % text for _, text in bad) + "".join(": %s" % text for _, text in result.skipped)
    print("%-7s %6.1f s  %s%s" % (outcome, time.monotonic() - started, test.id(), details), flush=True)
    return outcome, test.id(), details


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
    chosen = list(found) if options.all else interpreters.choice(found)
    third = options.third and not options.patterns and not interpreters.named()
    tests = collect(found, without_gil, chosen, options.patterns, third)
    if options.list:
        print("\n".join(test.id() for test in tests))
        return 0
    if not os.access(harness.tool(), os.X_OK):
        print("no executable at %s: build it, or name it with --awaitscope" % harness.tool(), file=sys.stderr)
        return 1
    started = time.monotonic()
    outcomes = run_all(tests, options.jobs)
    counts = {kind: [name + why for outcome, name, why in outcomes if outcome == kind] for kind in ("FAIL", "not run")}
    for name in counts["not run"]:
        print("NOT RUN: %s" % name)
    for name in counts["FAIL"]:
        print("FAILED: %s" % name.split("\n", 1)[0])
    failed, skipped = len(counts["FAIL"]), len(counts["not run"])
    print("%d tests in %.0f s" % (len(outcomes), time.monotonic() - started))
    print("%d passed, %d failed, %d skipped" % (len(outcomes) - failed - skipped, failed, skipped))
    return 1 if failed or skipped == len(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
