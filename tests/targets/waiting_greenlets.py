"""Sync code in greenlets below tasks that waits: SQLAlchemy's own greenlet_spawn() and await_only().

Each function says in which calls it is, right before it waits: `waits` in the ready file has, for each task, their names from
the greenlet's first function to await_only(). The task `parent` waits for a child that works: `chain` names what that stands under.
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


async def child(lifetime):
    end = time.monotonic() + lifetime
    while time.monotonic() < end:
        burn(0.01)
        await asyncio.sleep(0.001)


def parent(task):
    await_in("parent", task)


async def view(function, *args):
    await greenlet_spawn(function, *args)


async def main(options):
    never = asyncio.Event()
    waiting = {"plain": plain, "deep": deep, "through_c": through_c, "in_generator": in_generator,
               "resumed": Session().execute}
    tasks = [asyncio.ensure_future(view(function, never)) for function in waiting.values()]
    tasks.append(asyncio.ensure_future(view(parent, asyncio.ensure_future(child(options.lifetime)))))
    await asyncio.sleep(0.1)
    while WAITS["resumed"][-2:-1] == ["Session.execute"]:
        await asyncio.sleep(0.01)
    truth.announce(options, waits=WAITS, chain=["view", "greenlet_spawn"] + WAITS["parent"] + ["child", "burn"])
    await asyncio.wait(tasks, timeout=options.lifetime)


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
