"""Computes at SCHED_FIFO 50 without rest: on its CPU nobody of a lower priority goes on meanwhile.

Truth: `unavailable`, why the kernel does not permit it, or "".
"""
import os
import time

import truth


def burn(end):
    while time.monotonic() < end:
        sum(range(1000))


def main():
    options = truth.options()
    unavailable = ""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    except PermissionError as error:
        unavailable = str(error)
    truth.announce(options, unavailable=unavailable)
    burn(time.monotonic() + options.lifetime)


if __name__ == "__main__":
    main()
