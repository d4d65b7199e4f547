"""Owners of asyncio's task groups (3.11+) that wait, each for something else, while their group's tasks wait too.

Truth: `owners` maps the coroutine's name to what it waits for.
"""
import asyncio

import truth


async def member(never):
    await never.wait()


async def takes_lock(never, lock):
    async with asyncio.TaskGroup() as group:
        group.create_task(member(never))
        await lock.acquire()


async def awaits_one(never, lock):
    async with asyncio.TaskGroup() as group:
        group.create_task(member(never))
        await asyncio.gather(asyncio.create_task(other(never)))


async def other(never):
    await never.wait()


async def ends(never, lock):
    async with asyncio.TaskGroup() as group:
        group.create_task(member(never))
        group.create_task(member(never))


OWNERS = {"takes_lock": "lock or semaphore", "awaits_one": "the task below", "ends": "2 tasks below"}


async def main(options):
    never, lock = asyncio.Event(), asyncio.Lock()
    await lock.acquire()
    kept = [asyncio.create_task(owner(never, lock)) for owner in (takes_lock, awaits_one, ends)]
    await asyncio.sleep(0.1)
    truth.announce(options, owners=OWNERS)
    await asyncio.wait(kept, timeout=options.lifetime)


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
