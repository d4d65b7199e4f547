"""Loops that come and go, each in a thread of its own, beside one that stays: as asgiref's async_to_sync has them.

One after the other runs for a tenth of a second: a task that gathers three which sleep. Counters: `loops`, that have ended. Truth:
`suspended`, how many tasks are suspended at a time at most, in all loops together.
"""
import asyncio
import threading

import truth


async def napping():
    await asyncio.sleep(0.1)


async def short_life():
    await asyncio.gather(*[napping() for _ in range(3)])


async def staying():
    while True:
        await asyncio.sleep(0.005)


def run_loops(words):
    while True:
        thread = threading.Thread(target=lambda: asyncio.run(short_life()))
        thread.start()
        thread.join()
        words[0] += 1


async def main(options):
    shared = truth.counters(options, ["loops"])
    threading.Thread(target=run_loops, args=(shared.words,), daemon=True).start()
    staying_task = asyncio.ensure_future(staying())
    truth.announce(options, shared, suspended=6)  # main, staying, short_life and its three
    await asyncio.sleep(options.lifetime)
    staying_task.cancel()


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
