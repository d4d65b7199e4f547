"""Tasks that begin in the call that makes them (eager tasks, 3.12+), and what they go on with after a suspension.

Each burning function is called by one chain of calls only, which `chains` in the ready file names. With --python,
tasks are those of pure Python.
"""
import asyncio
import time

import truth


def burn(seconds=0.01):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(50))


def burn_gathered():
    burn()


def burn_gathered_later():
    burn()


def burn_in_group():
    burn()


def burn_innermost():
    burn()


def burn_in_callback():
    burn()


async def gathered():
    burn_gathered()
    await asyncio.sleep(0)
    burn_gathered_later()


async def by_gather():
    await asyncio.gather(gathered(), gathered())


async def grouped():
    burn_in_group()


async def by_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(grouped())


async def innermost():
    burn_innermost()


async def middle():
    await asyncio.create_task(innermost())


async def by_two():
    await asyncio.create_task(middle())


async def from_callback():
    burn_in_callback()


def callback(future):
    asyncio.get_running_loop().create_task(from_callback())
    future.set_result(None)


async def by_callback():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(callback, future)
    await future


CHAINS = {
    "burn_gathered": ["task main", "main", "by_gather", "gather", "gathered"],
    "burn_gathered_later": ["task main", "main", "by_gather", "gathered"],
    "burn_in_group": ["task main", "main", "by_group", "TaskGroup.create_task", "grouped"],
    "burn_innermost": ["task main", "main", "by_two", "middle", "innermost"],
    "burn_in_callback": ["thread MainThread", "<module>", "callback", "from_callback"],
}


async def main(options):
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    truth.announce(options, chains=CHAINS)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        for function in (by_gather, by_group, by_two, by_callback):
            await function()


def run():
    options = truth.options(lambda parser: parser.add_argument("--python", action="store_true"))
    if options.python:
        asyncio.eager_task_factory = asyncio.create_eager_task_factory(asyncio.tasks._PyTask)
    asyncio.run(main(options))


if __name__ == "__main__":
    run()
