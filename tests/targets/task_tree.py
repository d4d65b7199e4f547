"""Tasks that wait for each other for good, and who waits for whom: known by construction, with the tasks' own addresses.

main makes them all and sleeps. A gatherer awaits 500 equal workers; pairs of equal tasks await one child each; two tasks
await the same third; two await each other; one waits for a thread, one for a task with a time limit.

Truth: `tasks` maps hex(id(task)) to its name, its coroutine and the ids of those that await it; the other facts name
tasks by their names.
"""
import asyncio
import os
import threading
import time

import truth

WORKERS = 500
PAIRS = 20
tasks = {}  # name: task
edges = {}  # name: the names that await it
sleeping = {}  # name: when it fell asleep for good


def start(name, coroutine, awaited_by=()):
    tasks[name] = asyncio.create_task(coroutine, name=name)
    edges[name] = list(awaited_by)
    return tasks[name]


async def worker(never):
    await never.wait()


async def gatherer(never):
    await asyncio.gather(*[start("worker-%d" % i, worker(never), ["gatherer"]) for i in range(WORKERS)])


async def pair_child(never):
    await never.wait()


async def pair_parent(number, never):
    await start("child-%d" % number, pair_child(never), ["parent-%d" % number])


async def shared(never):
    await never.wait()


async def sharer(task):
    await task


async def one_of_circle(other):
    while other not in tasks:
        await asyncio.sleep(0)
    await tasks[other]


async def limited(never):
    await never.wait()


async def limiter(never):
    await asyncio.wait_for(start("limited", limited(never), ["limiter"]), 3600)


async def hopper(work):
    if hasattr(asyncio, "to_thread"):
        await asyncio.to_thread(work)
    else:
        await asyncio.get_running_loop().run_in_executor(None, work)


class Work:
    """What the executor's thread does: it tells its own native id, and waits."""

    def __init__(self):
        self.begun = threading.Event()
        self.stop = threading.Event()
        self.tid = None

    def __call__(self):
        self.tid = threading.get_native_id()
        self.begun.set()
        self.stop.wait()


def announce(options, work):
    every = asyncio.all_tasks()
    assert every == set(tasks.values()), "a task that nobody here made"
    ids = {name: hex(id(task)) for name, task in tasks.items()}
    facts = {ids[name]: {"name": name, "coroutine": task.get_coro().__qualname__,
                         "awaited_by": sorted(ids[waiter] for waiter in edges[name])}
             for name, task in tasks.items()}
    truth.announce(options, tasks=facts, hop="hopper", hop_tid=work.tid, circle=["circle-a", "circle-b"], third="shared",
                   slept_at=sleeping["main"], sharers=["sharer-a", "sharer-b"], workers=WORKERS, pairs=PAIRS, main_tid=threading.get_native_id())


async def main(options):
    tasks["main"], edges["main"] = asyncio.current_task(), []
    tasks["main"].set_name("main")
    never, work = asyncio.Event(), Work()
    start("gatherer", gatherer(never))
    for number in range(PAIRS):
        start("parent-%d" % number, pair_parent(number, never))
    third = start("shared", shared(never), ["sharer-a", "sharer-b"])
    for name in ("sharer-a", "sharer-b"):
        start(name, sharer(third))
    start("circle-a", one_of_circle("circle-b"), ["circle-b"])
    start("circle-b", one_of_circle("circle-a"), ["circle-a"])
    start("limiter", limiter(never))
    start("hopper", hopper(work))
    while not (work.begun.is_set() and "worker-%d" % (WORKERS - 1) in tasks and "limited" in tasks):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # all of them run until they are suspended
    asyncio.get_running_loop().call_later(0.1, announce, options, work)  # with main suspended too
    sleeping["main"] = time.monotonic()
    await asyncio.sleep(options.lifetime)
    os._exit(0)  # tasks in a circle cannot be cancelled: each cancels the other


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
