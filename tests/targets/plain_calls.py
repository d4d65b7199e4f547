"""Plain functions that take the time of each of their own calls: in a pool's workers, in a thread of their own, and in threads that
work for a task (asyncio.to_thread, asgiref's sync_to_async); with --repeat, calls of one function in a loop that nothing else tells
apart than what happens in them.

Each computes a little, then waits. Truth: `log`, a file with a line for each call that ended: function, monotonic nanoseconds of its
beginning and its end. Counters: `calls`.
"""
import asyncio
import concurrent.futures
import os
import random
import sys
import threading
import time

import truth

LENGTHS = (0.030, 0.045, 0.060, 0.090, 0.120)
SHARE = 0.2  # of a call: on the CPU


class Log:

    def __init__(self, path, shared):
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._shared = shared
        self._lock = threading.Lock()

    def call(self, name, begun):
        """One write for each: whole lines."""
        os.write(self._file, b"%s %d %d\n" % (name.encode(), begun, time.monotonic_ns()))
        with self._lock:
            self._shared.words[0] += 1


def compute(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(200))


def take(seconds):
    compute(seconds * SHARE)
    time.sleep(seconds * (1 - SHARE))


def length():
    return random.choice(LENGTHS) * random.uniform(0.95, 1.05)


def pooled(log, seconds):
    begun = time.monotonic_ns()
    take(seconds)
    log.call("pooled", begun)


def threaded(log, seconds):
    begun = time.monotonic_ns()
    take(seconds)
    log.call("threaded", begun)


def hopped(log, seconds):
    begun = time.monotonic_ns()
    take(seconds)
    log.call("hopped", begun)


def adapted(log, seconds):
    begun = time.monotonic_ns()
    take(seconds)
    log.call("adapted", begun)


def repeated(log):
    begun = time.monotonic_ns()
    take(0.050)
    log.call("repeated", begun)


def pool(log, end):
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        waiting = []
        while time.monotonic() < end:
            waiting.append(workers.submit(pooled, log, length()))
            if len(waiting) > 2:
                waiting.pop(0).result()


def thread(log, end):
    while time.monotonic() < end:
        threaded(log, length())


def repeat(log, end):
    while time.monotonic() < end:
        repeated(log)


async def hop(log, end):
    loop = asyncio.get_running_loop()
    while time.monotonic() < end:
        if sys.version_info >= (3, 9):
            await asyncio.to_thread(hopped, log, length())
        else:
            await loop.run_in_executor(None, hopped, log, length())


async def adapt(log, end):
    from asgiref.sync import sync_to_async

    while time.monotonic() < end:
        await sync_to_async(adapted)(log, length())


async def tasks(log, end):
    await asyncio.gather(hop(log, end), adapt(log, end))


def main():
    parsed = truth.options(lambda parser: parser.add_argument("--repeat", action="store_true"))
    shared = truth.counters(parsed, ["calls"])
    log = Log(parsed.ready + ".calls", shared)
    end = time.monotonic() + parsed.lifetime
    bodies = [repeat] if parsed.repeat else [pool, thread, lambda *args: asyncio.run(tasks(*args))]
    threads = [threading.Thread(target=body, args=(log, end)) for body in bodies]
    for each in threads:
        each.start()
    truth.announce(parsed, shared, log=log.path)
    for each in threads:
        each.join()


if __name__ == "__main__":
    main()
