"""A coroutine that blocks its loop for 30 ms in a call of its own and then sleeps for 10 ms, over and over.

Counters: for how long it has done each.
"""
import asyncio
import time

import truth


def query():
    time.sleep(0.03)


def load():
    query()


async def serve(shared):
    begun = time.monotonic_ns()
    load()
    loaded = time.monotonic_ns()
    await asyncio.sleep(0.01)
    shared.words[shared.index("blocked_ns")] += loaded - begun
    shared.words[shared.index("slept_ns")] += time.monotonic_ns() - loaded


async def main(options):
    shared = truth.counters(options, ["blocked_ns", "slept_ns"])
    truth.announce(options, shared)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        await serve(shared)


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
