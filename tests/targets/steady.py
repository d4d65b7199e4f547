"""One thread that runs nearly all the time, and now and then waits, and another one that seldom runs, without the GIL.

The first never waits inside its functions, and measures them by the clock on the wall. The second measures for how long it could
run: by its own CPU clock, and the scheduler's account of its waits for a CPU. So long has the first one waited, too.
"""
import hashlib
import threading
import time

import truth

NAMES = ["heavy_ns", "light_ns", "native_ns", "waited_ns"]
HEAVY, LIGHT, NATIVE, WAITED = range(len(NAMES))
BLOCK = bytes(3 << 20)


def heavy(loops):
    total = 0
    for i in range(loops):
        total += i & 7
    return total


def light(loops):
    total = 0
    for i in range(loops):
        total += i & 3
    return total


def in_native_code():
    return hashlib.sha256(BLOCK).digest()


def seldom(words, end):
    account = open("/proc/thread-self/schedstat", "rb", buffering=0)
    while time.monotonic() < end:
        time.sleep(0.25)
        begun = truth.runnable_ns(account)
        in_native_code()
        words[NATIVE] += truth.runnable_ns(account) - begun


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    words = shared.words
    end = time.monotonic() + options.lifetime
    threading.Thread(target=seldom, args=(words, end), daemon=True).start()
    truth.announce(options, shared)
    account = open("/proc/thread-self/schedstat", "rb", buffering=0)
    rounds = 0
    while time.monotonic() < end:
        begun = time.monotonic_ns()
        heavy(30000)
        between = time.monotonic_ns()
        light(10000)
        words[HEAVY] += between - begun
        words[LIGHT] += time.monotonic_ns() - between
        rounds += 1
        if rounds % 100 == 0:
            words[WAITED] = truth.waited_ns(account)
            time.sleep(0.003)


if __name__ == "__main__":
    main()
