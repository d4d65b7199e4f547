"""asyncio's task groups (3.11+), whose owner is elsewhere while their tasks run.

Each child's time is below the function that entered its group, and not below what that awaits meanwhile. `by_hand` enters
one without `async with`: no reader can know which call did.
"""
import asyncio
import contextlib
import time

import truth


def burn():
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        sum(range(50))


async def child():
    for _ in range(3):
        await asyncio.sleep(0.005)
        burn()


async def direct_child():
    await child()


async def managed_child():
    await child()


async def stacked_child():
    await child()


async def helped_child():
    await child()


async def leaving_child():
    await child()


async def unknown_child():
    await child()


async def elsewhere(task):
    while not task.done():
        await asyncio.sleep(0.005)


async def direct():
    async with asyncio.TaskGroup() as group:
        await elsewhere(group.create_task(direct_child()))


@contextlib.asynccontextmanager
async def scope():
    async with asyncio.TaskGroup() as group:
        yield group


async def managed():
    async with scope() as group:
        await elsewhere(group.create_task(managed_child()))


async def stacked():
    async with contextlib.AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        await elsewhere(group.create_task(stacked_child()))


async def helper(group):
    await elsewhere(group.create_task(helped_child()))


async def helped():
    async with asyncio.TaskGroup() as group:
        await helper(group)


async def leaving():
    async with asyncio.TaskGroup() as group:
        group.create_task(leaving_child())


async def by_hand():
    group = asyncio.TaskGroup()
    await group.__aenter__()
    await elsewhere(group.create_task(unknown_child()))
    await group.__aexit__(None, None, None)


CHAINS = {
    "direct_child": ["main", "direct", "direct_child", "child", "burn"],
    "managed_child": ["main", "managed", "scope", "managed_child", "child", "burn"],
    "stacked_child": ["main", "stacked", "stacked_child", "child", "burn"],
    "helped_child": ["main", "helped", "helped_child", "child", "burn"],
    "leaving_child": ["main", "leaving", "leaving_child", "child", "burn"],
    "unknown_child": ["main", "[unreadable]", "unknown_child", "child", "burn"],
}


async def main(options):
    truth.announce(options, chains=CHAINS)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        for function in (direct, managed, stacked, helped, leaving, by_hand):
            await function()


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
