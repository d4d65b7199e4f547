"""Tasks: SHAPE COUNT [DEPTH] [--still]. Beside them one keeps the loop busy, unless all are to be still.

suspended: each DEPTH coroutines deep; deep: 20 of COUNT coroutines each; chain: each awaits the one before; fan-in: all await one;
gather: one gathers all; gather-tree: 200 gather all; cycle: each awaits the next; self-gather: each gathers all
"""
import asyncio
import sys
import threading
import time

shape, numbers = sys.argv[1], [int(word) for word in sys.argv[2:] if word != "--still"]
count, depth = numbers[0], numbers[1] if len(numbers) > 1 else 2


async def level(left, never):
    if left:
        await level(left - 1, never)
    else:
        await never.wait()


async def awaiting(task):
    await task


async def awaiting_next(tasks, index):
    await asyncio.sleep(0)
    await tasks[(index + 1) % count]


async def gathering(tasks):
    await asyncio.sleep(0)
    await asyncio.gather(*tasks)


def make(never):
    start = asyncio.ensure_future
    if shape == "suspended":
        return [start(level(depth, never)) for _ in range(count)]
    if shape == "deep":
        return [start(level(count, never)) for _ in range(20)]
    if shape == "chain":
        tasks = [start(never.wait())]
        for _ in range(count):
            tasks.append(start(awaiting(tasks[-1])))
        return tasks
    if shape == "fan-in":
        task = start(never.wait())
        return [task] + [start(awaiting(task)) for _ in range(count)]
    if shape in ("gather", "gather-tree"):
        tasks = [start(never.wait()) for _ in range(count)]
        return tasks + [asyncio.gather(*tasks) for _ in range(1 if shape == "gather" else 200)]
    tasks = []
    for index in range(count):
        tasks.append(start(awaiting_next(tasks, index) if shape == "cycle" else gathering(tasks)))
    return tasks


def busy(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def main():
    kept = make(asyncio.Event())
    await asyncio.sleep(1)
    print("ready", flush=True)
    while "--still" not in sys.argv:
        busy(0.004)
        await asyncio.sleep(0.006)
    await asyncio.sleep(3600)
    del kept

sys.setrecursionlimit(10**7)
threading.stack_size(1 << 30)
threading.Thread(target=lambda: asyncio.run(main())).start()
