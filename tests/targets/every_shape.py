"""Tasks in every shape of waiting at once, all of them for good, and the truth of each.

--loop uvloop runs every loop by uvloop; --pure hides _asyncio, so that tasks and futures are those of pure Python;
--cython names a folder with cython_shapes.pyx compiled. What this interpreter or environment lacks is named in the
ready file.

Truth: `tasks` maps hex(id(task)) to its name, coroutine, frames with lines, state, thread, the ids of those that await
it and the native id of the thread that works for it; `stacks` maps that of a worker to the program's own functions on its
logical stack. The shapes are in shape_*.py; how their truth is found, in shape_kit.py.
"""
import os
import sys
import threading
import time
import traceback

import truth


def add_options(parser):
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    parser.add_argument("--pure", action="store_true", help="without _asyncio")
    parser.add_argument("--cython", help="the folder of cython_shapes")


options = truth.options(add_options)
if options.pure:
    sys.modules["_asyncio"] = None

import asyncio  # noqa: E402

import shape_coroutines  # noqa: E402
import shape_kit  # noqa: E402
import shape_threads  # noqa: E402
import shape_waiters  # noqa: E402


def loop_maker():
    if options.loop == "uvloop":
        import uvloop
        return uvloop.new_event_loop
    return asyncio.new_event_loop


def plant_cython():
    if not options.cython:
        shape_kit.lacking("cython")
        return
    sys.path.append(options.cython)
    import cython_shapes
    compiled = {name: [name, "cython_shapes", None] for name in ("cython_leaf", "cython_middle", "cython_over", "Compiled.method")}
    leaf, top, middle = shape_coroutines.leaf, shape_coroutines.top, shape_coroutines.middle
    shape_kit.start("cython", cython_shapes.cython_middle(shape_kit.never()), [compiled["cython_middle"], compiled["cython_leaf"]])
    shape_kit.start("cython-over-python", cython_shapes.cython_over(top), [compiled["cython_over"], top, middle, leaf])

    async def over_cython():
        await cython_shapes.Compiled().method(leaf)  # waits

    shape_kit.start("python-over-cython", over_cython(), [over_cython, compiled["Compiled.method"], leaf])


async def main(new_loop, planted):
    shape_kit.adopt("main", [main])
    for part in (shape_coroutines, shape_waiters):
        part.plant()
    await shape_coroutines.plant_methods()
    shape_coroutines.Renamed.plant()
    if not options.pure:
        shape_coroutines.plant_python_tasks()
    plant_cython()
    shape_threads.plant_dead(new_loop)
    quiet = shape_threads.plant_quiet(new_loop)
    for plant in (shape_threads.plant_blocked, shape_threads.plant_eager, shape_threads.plant_hops, shape_threads.plant_asgiref):
        plant(new_loop)
    shape_threads.plant_across_loops(quiet)
    planted.set()
    await asyncio.sleep(options.lifetime + 60)  # waits


def announce_and_end(planted):
    planted.wait()
    try:
        shape_kit.wait_until_settled()
        truth.announce(options, tasks=shape_kit.facts(), stacks=shape_kit.stacks, lacks=shape_kit.lacks,
                       folder=shape_kit.HERE)
        time.sleep(options.lifetime)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # tasks in a circle cannot be cancelled: each cancels the other


if __name__ == "__main__":
    planted = threading.Event()
    threading.Thread(target=announce_and_end, args=(planted,), daemon=True).start()
    maker = loop_maker()
    loop = maker()
    asyncio.set_event_loop(loop)
    shape_kit.loops.append([loop, threading.get_native_id()])
    try:
        loop.run_until_complete(main(maker, planted))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
