"""Many threads that wait most of the time, and in turn run with the GIL and without it.

Each measures for how long it could run in either: by its own CPU clock, and the scheduler's account of its waits for a CPU.
"""
import hashlib
import random
import threading
import time

import truth

WORKERS = 12
NAMES = ["python_ns", "native_ns"]
PYTHON, NATIVE = range(len(NAMES))


def in_python(loops):
    total = 0
    for i in range(loops):
        total += i & 7
    return total


def in_native_code(block):
    return hashlib.sha256(block).digest()


def work(words, lock, seed, end):
    chance = random.Random(seed)
    block = bytes(1 << 20)
    account = open("/proc/thread-self/schedstat", "rb", buffering=0)
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.02, 0.06))
        begun = truth.runnable_ns(account)
        in_python(30000)
        between = truth.runnable_ns(account)
        in_native_code(block)
        done = truth.runnable_ns(account)
        with lock:
            words[PYTHON] += between - begun
            words[NATIVE] += done - between


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    lock = threading.Lock()
    for seed in range(WORKERS):
        threading.Thread(target=work, args=(shared.words, lock, seed, end), daemon=True).start()
    truth.announce(options, shared)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
