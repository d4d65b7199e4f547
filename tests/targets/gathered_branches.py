"""main awaits handler, which gathers branch_a and branch_b; both await inner, which calls shared, 3:1 in CPU time.

Each branch times its own calls of shared. Between two of them inner gives way with asyncio.sleep(0), so that the two
branches take turns and every sample of shared has the same physical stack: only the await chain tells them apart.
"""
import asyncio
import time

import truth

NAMES = ["a_ns", "b_ns", "rounds", "now_ns"]
A, B, ROUNDS, NOW = range(len(NAMES))
now = time.perf_counter_ns


def shared(loops):
    total = 0
    for i in range(loops):
        total += i * i & 255
    return total


async def inner(words, index, loops):
    start = now()
    shared(loops)
    end = now()
    words[index] += end - start
    words[NOW] = end
    await asyncio.sleep(0)


async def branch_a(words, loops):
    for _ in range(20):
        await inner(words, A, 3 * loops)


async def branch_b(words, loops):
    for _ in range(20):
        await inner(words, B, loops)


async def handler(words, options):
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        await asyncio.gather(branch_a(words, options.loops), branch_b(words, options.loops))
        words[ROUNDS] += 1


async def main(options):
    shared_words = truth.counters(options, NAMES)
    functions = (main, handler, branch_a, branch_b, inner, shared)
    truth.announce(options, shared_words, thread="MainThread",
                   functions={f.__name__: truth.frame_fact(f.__code__) for f in functions})
    await handler(shared_words.words, options)


if __name__ == "__main__":
    asyncio.run(main(truth.options(lambda parser: parser.add_argument("--loops", type=int, default=4000))))
