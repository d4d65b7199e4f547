"""Tasks in two sub-interpreters, each with a loop of its own in a thread of its own, beside those of the main interpreter.

The truth: for each, its thread and the ids of its tasks with the names of their coroutines. One task of each is busy half of
the time, so that a recording has samples of it.

Up to 3.11 _asyncio remembers the running loop by the number of the thread state, which each interpreter counts from one
(Modules/_asynciomodule.c, cached_running_holder_tsid): the loops run in threads of different numbers.
"""
import asyncio
import json
import os
import sys
import threading
import time

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

PROGRAM = """
import asyncio, json, os, threading, time

async def inner_%(name)s():
    await asyncio.sleep(%(lifetime)r)

async def outer_%(name)s():
    await inner_%(name)s()

async def gather_%(name)s():
    await asyncio.gather(outer_%(name)s(), outer_%(name)s())

async def busy_%(name)s():
    while True:
        until = time.monotonic() + 0.005
        while time.monotonic() < until:
            pass
        await asyncio.sleep(0.005)

async def main_%(name)s():
    gathering = asyncio.ensure_future(gather_%(name)s())
    busy = asyncio.ensure_future(busy_%(name)s())
    await asyncio.sleep(0.1)
    told = {"tid": threading.get_native_id(),
            "tasks": {hex(id(task)): task.get_coro().__qualname__ for task in asyncio.all_tasks()}}
    with open(%(mark)r + ".part", "w") as file:
        json.dump(told, file)
    os.rename(%(mark)r + ".part", %(mark)r)
    await asyncio.sleep(%(lifetime)r)
    gathering.cancel()
    busy.cancel()

for _ in range(%(before)d):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
thread = threading.Thread(target=lambda: asyncio.run(main_%(name)s()))
thread.start()
thread.join()
"""


def run(name, before, options, found):
    # Those that 3.9 to 3.11 call isolated may have no threads.
    number = interpreters.create(isolated=False) if (3, 9) <= sys.version_info < (3, 12) else interpreters.create()
    mark = "%s.%s" % (options.ready, name)
    found[name] = {"interpreter": int(number), "mark": mark}
    source = PROGRAM % {"name": name, "lifetime": options.lifetime, "mark": mark, "before": before}
    if hasattr(interpreters, "exec"):
        interpreters.exec(number, source)
    else:
        interpreters.run_string(number, source)


def wait_for(mark):
    while not os.path.exists(mark):
        time.sleep(0.01)
    with open(mark) as file:
        return json.load(file)


async def main(options):
    found = {}
    for before, name in enumerate(("a", "b")):
        threading.Thread(target=run, args=(name, before, options, found), name="runner-" + name, daemon=True).start()
    loop = asyncio.get_running_loop()
    while len(found) < 2:
        await asyncio.sleep(0.01)
    for one in found.values():
        one.update(await loop.run_in_executor(None, wait_for, one.pop("mark")))
    own = hex(id(asyncio.current_task()))
    loop.call_later(0.1, lambda: truth.announce(options, interpreters=found, own=own))
    await asyncio.sleep(options.lifetime)
    os._exit(0)  # the others' loops run on


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
