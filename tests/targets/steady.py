"""One thread that runs nearly all the time, and now and then waits, and another one that seldom runs, without the GIL.

Each measures for how long it could run in either of its functions: by its own CPU clock, and the scheduler's account of its waits
for a CPU.
"""
import hashlib
import threading
import time

import truth

NAMES = ["heavy_ns", "light_ns", "native_ns"]
HEAVY, LIGHT, NATIVE = range(len(NAMES))
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
        begun = truth.runnable_ns(account)
        heavy(30000)
        between = truth.runnable_ns(account)
        light(10000)
        words[HEAVY] += between - begun
        words[LIGHT] += truth.runnable_ns(account) - between
        rounds += 1
        if rounds % 100 == 0:
            time.sleep(0.003)


if __name__ == "__main__":
    main()
