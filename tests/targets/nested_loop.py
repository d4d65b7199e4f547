"""A loop that is run inside a running task, as notebooks do it (nest_asyncio), with a task of its own beside it."""
import asyncio
import time

import nest_asyncio

import truth


def burn(seconds=0.01):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(50))


def burn_inside():
    burn()


def burn_child():
    burn()


def burn_outside():
    burn()


async def child():
    await asyncio.sleep(0)
    burn_child()


async def inside():
    await asyncio.sleep(0)
    burn_inside()
    await asyncio.gather(child(), child())


def bridge():
    asyncio.get_event_loop().run_until_complete(inside())


async def request():
    burn_outside()
    bridge()


CHAINS = {
    "burn_outside": ["task main", "main", "request"],
    "burn_inside": ["task main", "main", "request", "bridge", "inside"],
    "burn_child": ["task main", "main", "request", "bridge", "inside", "child"],
}


async def main(options):
    truth.announce(options, chains=CHAINS)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        await request()


if __name__ == "__main__":
    nest_asyncio.apply()
    asyncio.run(main(truth.options()))
