"""Threads that contend for the GIL and for CPUs: each is in Python code most of its time, in zlib without the GIL for a part of it,
and in a tiny write, which gives the GIL away. The truth is each thread's own thread_time_ns around each call."""
import os
import tempfile
import threading
import time
import zlib

import truth

NAMES = ["compute_ns", "compress_ns", "store_ns"]
COMPUTE, COMPRESS, STORE = range(len(NAMES))


def compute():
    total = 0
    for i in range(12000):
        total += i & 7
    return total


def compress(block):
    return zlib.crc32(zlib.compress(block, 1))


def store(file):
    os.pwrite(file.fileno(), b"x", 0)


def work(words, lock, end):
    block = os.urandom(4 << 10)
    spent = [0] * len(NAMES)
    with tempfile.TemporaryFile() as file:
        while time.monotonic() < end:
            for index, function, args in ((COMPUTE, compute, ()), (COMPRESS, compress, (block,)), (STORE, store, (file,))):
                before = time.thread_time_ns()
                function(*args)
                spent[index] += time.thread_time_ns() - before
            with lock:
                for index in range(len(NAMES)):
                    words[index] += spent[index]
            spent = [0] * len(NAMES)


def main():
    options = truth.options(lambda parser: parser.add_argument("--threads", type=int, default=4))
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    lock = threading.Lock()
    for _ in range(options.threads):
        threading.Thread(target=work, args=(shared.words, lock, end), daemon=True).start()
    truth.announce(options, shared)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
