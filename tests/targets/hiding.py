"""Ticks, and makes itself unreadable for others of its user once the test asks for it: prctl(PR_SET_DUMPABLE, 0).

`hide` is written by the test, and `hidden` by the target when it is done.
"""
import ctypes
import time

import truth

NAMES = ["ticks", "hide", "hidden"]
TICKS, HIDE, HIDDEN = range(len(NAMES))
PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def tick(words):
    words[TICKS] += 1


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    libc = ctypes.CDLL(None, use_errno=True)
    truth.announce(options, shared)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        tick(shared.words)
        if shared.words[HIDE] and not shared.words[HIDDEN]:
            shared.words[HIDDEN] = libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0


if __name__ == "__main__":
    main()
