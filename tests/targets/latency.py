"""Coroutines that take the time of each of their own calls, or many tasks that are suspended for good (--suspended N).

Batches of requests are gathered. A request fetches two parts, with a CPU burst behind each; one part of ten takes six times
as long as the others. Truth: `log`, a file with a line for each call that ended: function, monotonic nanoseconds of its
beginning and its end, and of requests and fetches the CPU time by the thread's own clock, suspensions left out.
Suspended: the count of all tasks.
"""
import asyncio
import sys
import time

import truth

BATCH = 20
SHORT, LONG = 0.020, 0.120
BURST_NS = 1_500_000
clock = time.monotonic_ns
thread_time = time.thread_time_ns


class Log:
    """Kept until a batch is over: what writing costs is no request's."""

    def __init__(self, path):
        self.path = path
        self._lines = []
        self._file = open(path, "wb", buffering=0)

    def call(self, name, begun, cpu=0):
        self._lines.append((name, begun, clock(), cpu))

    def write(self):
        """Whole lines, with one write."""
        self._file.write(b"".join(b"%s %d %d %d\n" % (name.encode(), *numbers) for name, *numbers in self._lines))
        self._lines.clear()


def burst():
    start = thread_time()
    while thread_time() - start < BURST_NS:
        sum(range(200))


async def sleep(seconds):
    """-> (thread time when it was suspended, when it went on): as asyncio.sleep, which does not say that."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(seconds, future.set_result, None)
    suspended_at = thread_time()
    await future
    resumed_at = thread_time()
    timer.cancel()
    return suspended_at, resumed_at


async def fetch(log, number, part):
    begun, start = clock(), thread_time()
    suspended_at, resumed_at = await sleep(LONG if (number + 5 * part) % 10 == 0 else SHORT)
    log.call("fetch", begun, thread_time() - resumed_at + suspended_at - start)
    return resumed_at - suspended_at


async def pause():
    await asyncio.sleep(SHORT)


async def pauses(log):
    """Calls of one coroutine without arguments, one right behind the other: only the line tells them apart."""
    begun = clock()
    await pause()
    log.call("pause", begun)
    begun = clock()
    await pause()
    log.call("pause", begun)


async def request(log, number):
    begun, start = clock(), thread_time()
    others = 0
    for part in (0, 1):
        others += await fetch(log, number, part)
        burst()
    log.call("request", begun, thread_time() - start - others)


async def serve(options):
    log = Log(options.ready + ".calls")
    shared = truth.counters(options, ["batches"])
    truth.announce(options, shared, log=log.path, short_ns=int(SHORT * 1e9), long_ns=int(LONG * 1e9))
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        first = shared.words[0] * BATCH
        await asyncio.gather(*[request(log, first + i) for i in range(BATCH)], pauses(log))
        log.write()
        shared.words[0] += 1


async def suspended(never):
    await never.wait()


async def suspend(options):
    never = asyncio.Event()
    tasks = [asyncio.ensure_future(suspended(never)) for _ in range(options.suspended)]
    await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    loop.call_later(0.1, lambda: truth.announce(options, tasks=len(asyncio.all_tasks()), suspended=len(tasks)))
    await asyncio.sleep(options.lifetime)
    never.set()


if __name__ == "__main__":
    parsed = truth.options(lambda parser: parser.add_argument("--suspended", type=int, default=0))
    sys.exit(asyncio.run(suspend(parsed) if parsed.suspended else serve(parsed)))
