"""Many threads that wait most of the time, and in turn run with the GIL and without it.

The truth is each thread's own thread_time_ns around each call.
"""
import hashlib
import random
import threading
import time

import truth

WORKERS = 12
NAMES = ["in_python_ns", "in_native_code_ns"]
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
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.02, 0.06))
        begun = time.thread_time_ns()
        in_python(30000)
        between = time.thread_time_ns()
        in_native_code(block)
        done = time.thread_time_ns()
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
