"""Very many tasks that wait, each some coroutines deep, while one more keeps the loop busy.

A parent gathers them all. Truth: `tasks`, the count of all tasks; `waiting`, that of those which wait for good; `frames`, the
functions of each, outermost first; `parent`, what they stand under.
"""
import asyncio

import truth


async def level_a(never):
    await level_b(never)


async def level_b(never):
    await level_c(never)


async def level_c(never):
    await never.wait()


async def follower(task):
    await task


async def chain(never, count):
    task = asyncio.ensure_future(never.wait())
    for _ in range(count):
        task = asyncio.ensure_future(follower(task))
    await task


async def gathering(never, count):
    await asyncio.gather(*[level_a(never) for _ in range(count)])


async def ticking(period):
    while True:
        await asyncio.sleep(period)


async def main(options):
    never = asyncio.Event()
    parent = asyncio.ensure_future((chain if options.chain else gathering)(never, options.tasks))
    if not options.still:
        ticker = asyncio.ensure_future(ticking(options.period))
    await asyncio.sleep(0.2)
    loop = asyncio.get_running_loop()
    loop.call_later(0.1, lambda: truth.announce(
        options, tasks=len(asyncio.all_tasks()), waiting=options.tasks, parent=["gathering"],
        frames=["level_a", "level_b", "level_c", "Event.wait"]))
    await asyncio.sleep(options.lifetime)
    never.set()
    await parent
    if not options.still:
        ticker.cancel()


def add_options(parser):
    parser.add_argument("--tasks", type=int, default=10000)
    parser.add_argument("--chain", action="store_true", help="each awaits the one before, in place of level_a() and so on")
    parser.add_argument("--period", type=float, default=0.002, help="of the task that keeps the loop busy, in seconds")
    parser.add_argument("--still", action="store_true", help="the loop has nothing to do")


if __name__ == "__main__":
    asyncio.run(main(truth.options(add_options)))
