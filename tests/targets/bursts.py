"""A thread that runs for some tens of microseconds at a time, with a sleep after each, and then for a millisecond on end; beside it one
that is always on a CPU, without the GIL. The truth is the first thread's own thread_time_ns around each call."""
import hashlib
import threading
import time

import truth

NAMES = ["in_bursts_ns", "on_end_ns"]
BURSTS, ON_END = range(len(NAMES))


def spin(loops):
    total = 0
    for i in range(loops):
        total += i & 7
    return total


def in_bursts():
    for _ in range(25):
        spin(400)
        time.sleep(0.00005)


def on_end():
    spin(25000)


def work(words, end):
    while time.monotonic() < end:
        for index, function in ((BURSTS, in_bursts), (ON_END, on_end)):
            before = time.thread_time_ns()
            function()
            words[index] += time.thread_time_ns() - before


def beside(end):
    block = bytes(4 << 20)
    while time.monotonic() < end:
        hashlib.sha256(block).digest()


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    threading.Thread(target=beside, args=(end,), daemon=True).start()
    threading.Thread(target=work, args=(shared.words, end), daemon=True).start()
    truth.announce(options, shared)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
