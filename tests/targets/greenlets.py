"""Sync code in greenlets below tasks, as SQLAlchemy's asyncio runs it.

A coroutine switches to a greenlet, in which functions run that can switch back to have something awaited. `chains` in the
ready file names what each burning function stands under. Below `through_function` a plain function has switched, which no reader finds.
"""
import asyncio
import time

import greenlet

import truth


def burn(seconds=0.01):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(50))


def burn_first():
    burn()


def burn_resumed():
    burn()


def burn_unknown():
    burn()


def burn_outside():
    burn()


def wait_for(awaitable):
    return greenlet.getcurrent().parent.switch(awaitable)


def work():
    burn_first()
    wait_for(asyncio.sleep(0.001))
    burn_resumed()


async def spawn(function):
    context = greenlet.greenlet(function, greenlet.getcurrent())
    result = context.switch()
    while not context.dead:
        await result
        result = context.switch()


async def request():
    await spawn(work)
    burn_outside()


def unknown_work():
    burn_unknown()


def switch_away():
    greenlet.greenlet(unknown_work).switch()


async def through_function():
    switch_away()


CHAINS = {
    "burn_first": ["task main", "main", "request", "spawn", "work"],
    "burn_resumed": ["task main", "main", "request", "spawn", "work"],
    "burn_outside": ["task main", "main", "request"],
    "burn_unknown": ["task main", "main", "through_function", "[unreadable]", "unknown_work"],
}


async def main(options):
    truth.announce(options, chains=CHAINS)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        await asyncio.gather(request(), request())
        await through_function()


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
