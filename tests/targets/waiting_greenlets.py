"""Sync code in greenlets below tasks that waits: SQLAlchemy's own greenlet_spawn() and await_only().

Each function says in which calls it is, right before it waits: `waits` in the ready file has, for each task, their names from
the greenlet's first function to await_only(). Two of them wait for what works: a task of its own, and a coroutine. `chains` names
what each burning function stands under.
"""
import asyncio
import functools
import sys
import time

from sqlalchemy.util import await_only, greenlet_spawn

import truth

WAITS = {}


def await_in(name, awaitable):
    """Waits in the greenlet, and notes the calls of it."""
    calls = []
    frame = sys._getframe()
    while frame is not None:
        calls.insert(0, truth.frame_fact(frame.f_code)[0])
        frame = frame.f_back
    WAITS[name] = calls + [truth.frame_fact(await_only.__code__)[0]]
    return await_only(awaitable)


def plain(event):
    await_in("plain", event.wait())


def deep(event, depth=300):
    if depth > 0:
        return deep(event, depth - 1)
    return await_in("deep", event.wait())


def compare(event, one, other):
    await_in("through_c", event.wait())
    return 0


def through_c(event):
    """From C back into Python, more than once."""
    return sorted([1, 2], key=functools.cmp_to_key(functools.partial(compare, event)))


def rows(event):
    yield 1
    await_in("in_generator", event.wait())
    yield 2


def in_generator(event):
    return list(rows(event))


class Session:
    def execute(self, event):
        await_in("resumed", asyncio.sleep(0.001))
        self.commit(event)

    def commit(self, event):
        await_in("resumed", event.wait())


def burn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(50))


def burn_in_task():
    burn(0.01)


def burn_in_coroutine():
    burn(0.01)


async def work(function, lifetime):
    end = time.monotonic() + lifetime
    while time.monotonic() < end:
        function()
        await asyncio.sleep(0.001)


def for_task(task):
    await_in("for_task", task)


def for_coroutine(coroutine):
    await_in("for_coroutine", coroutine)


async def view(function, *args):
    await greenlet_spawn(function, *args)


async def main(options):
    never = asyncio.Event()
    waiting = {"plain": plain, "deep": deep, "through_c": through_c, "in_generator": in_generator,
               "resumed": Session().execute}
    tasks = [asyncio.ensure_future(view(function, never)) for function in waiting.values()]
    task = asyncio.ensure_future(work(burn_in_task, options.lifetime))
    tasks.append(asyncio.ensure_future(view(for_task, task)))
    tasks.append(asyncio.ensure_future(view(for_coroutine, work(burn_in_coroutine, options.lifetime))))
    await asyncio.sleep(0.1)
    while WAITS["resumed"][-2:-1] == ["Session.execute"]:
        await asyncio.sleep(0.01)
    chains = {"burn_in_task": WAITS["for_task"] + ["work", "burn_in_task"],
              "burn_in_coroutine": WAITS["for_coroutine"] + ["work", "burn_in_coroutine"]}
    truth.announce(options, waits=WAITS, chains=chains)
    await asyncio.wait(tasks, timeout=options.lifetime)


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
