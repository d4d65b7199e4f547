"""Works, then exits by itself at a random moment: after --after seconds from the ready file, more or less a half.

--status N ends with that status; --signal N ends by that signal. Its arguments after `--` are printed, one a line.
"""
import os
import random
import sys
import time

import truth


def add_options(parser):
    parser.add_argument("--after", type=float, default=1.0)
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--signal", type=int, default=0)
    parser.add_argument("--pid", default="", help="only here to be swallowed by nobody")
    parser.add_argument("words", nargs="*")


def work(end):
    n = 0
    while time.monotonic() < end:
        n = burn(n)


def burn(n):
    for i in range(500):
        n += i & 7
    return n & 1023


def main():
    options = truth.options(add_options)
    moment = options.after * random.uniform(0.5, 1.5)
    print("pid=%s words=%s" % (options.pid, " ".join(options.words)), flush=True)
    truth.announce(options, moment=moment)
    work(time.monotonic() + min(moment, options.lifetime))
    if options.signal:
        os.kill(os.getpid(), options.signal)
    sys.exit(options.status)


if __name__ == "__main__":
    main()
