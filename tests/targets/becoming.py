"""Executes another program in its place, once `go` is set: itself in another life, by any interpreter, or any other program.

The second life writes its own ready file beside the first one's (with .second behind), and has counters of its own.
"""
import os
import sys
import time

import truth


def spin():
    total = 0
    for i in range(2000):
        total += i & 7
    return total


def first_life(words, end):
    while words[0] == 0 and time.monotonic() < end:
        spin()


def second_life(words, end):
    while time.monotonic() < end:
        before = time.thread_time_ns()
        spin()
        words[1] += time.thread_time_ns() - before


def extra(parser):
    parser.add_argument("--second", action="store_true", help="this is the second life")
    parser.add_argument("then", nargs="*", help="the program to become, and its words")


def main():
    options = truth.options(extra)
    shared = truth.counters(options, ["go", "work_ns"])
    truth.announce(options, shared)
    end = time.monotonic() + options.lifetime
    if options.second:
        second_life(shared.words, end)
    else:
        first_life(shared.words, end)
        os.execvp(options.then[0], options.then)


if __name__ == "__main__":
    sys.exit(main())
