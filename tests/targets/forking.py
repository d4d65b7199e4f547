"""Forks children that live for some milliseconds and end by os._exit, one after the other, as fast as it can.

The parent and the children call functions of their own below `turn`: any other path is impossible.
"""
import os
import time

import truth

NAMES = ["forks", "parent_ns", "children_ns"]
FORKS, PARENT, CHILDREN = range(len(NAMES))
# From `turn` on: what can stand in a stack of the parent, and in one of a child, as far as it goes.
PATHS = {"parent": ["parent_work", "parent_spin"], "child": ["child_work", "child_spin"]}


def parent_spin(milliseconds):
    end = time.thread_time_ns() + int(milliseconds * 1e6)
    total = 0
    while time.thread_time_ns() < end:
        total += sum(range(50))
    return total


def child_spin(milliseconds):
    end = time.thread_time_ns() + int(milliseconds * 1e6)
    total = 0
    while time.thread_time_ns() < end:
        total += sum(range(50))
    return total


def parent_work():
    parent_spin(6)


def child_work(number):
    child_spin((1, 8, 64, 128)[number % 4])  # some end before they can be met, some are met


def turn(words):
    pid = os.fork()
    if pid == 0:
        before = time.thread_time_ns()
        child_work(words[FORKS])
        words[CHILDREN] += time.thread_time_ns() - before
        os._exit(0)
    before = time.thread_time_ns()
    parent_work()
    words[PARENT] += time.thread_time_ns() - before
    words[FORKS] += 1
    os.waitpid(pid, 0)


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    truth.announce(options, shared, paths=PATHS)
    while time.monotonic() < end:
        turn(shared.words)


if __name__ == "__main__":
    main()
