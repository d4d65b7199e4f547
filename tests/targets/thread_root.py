"""A thread that waits for a task, which gathers two, all suspended; and two tasks that await each other.

Truth: `thread`, the waiting thread's name; `above`, the functions of its own that its task stands under; the rest is in the test.
"""
import asyncio
import os
import threading

import truth

PAIR = []


async def child():
    await asyncio.sleep(3600)


async def root():
    await asyncio.gather(child(), child())


async def ring(index):
    while len(PAIR) < 2:
        await asyncio.sleep(0)
    await PAIR[1 - index]


def waits_for_root(loop):
    asyncio.run_coroutine_threadsafe(root(), loop).result()


async def main(options):
    loop = asyncio.get_running_loop()
    threading.Thread(target=waits_for_root, args=(loop,), name="waiter", daemon=True).start()
    PAIR.extend([asyncio.ensure_future(ring(index)) for index in (0, 1)])
    while len(asyncio.all_tasks()) < 6:
        await asyncio.sleep(0.01)
    loop.call_later(0.2, lambda: truth.announce(options, thread="waiter", above=["run", "waits_for_root"]))
    end = loop.time() + options.lifetime
    while loop.time() < end:
        await asyncio.sleep(0.01)
    os._exit(0)  # tasks in a circle cannot be cancelled


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
