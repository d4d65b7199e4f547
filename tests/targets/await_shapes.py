"""Tasks in every shape of waiting, either burning in turn (--burn) or all suspended for good.

Each shape is a coroutine whose innermost coroutine calls `leaf`. Burning, each shape runs in turn under main and its
leaf calls a burner of its own. Suspended, each shape runs in a task of its own and its leaf awaits an event that never
comes. Beside a burning main some shapes stay suspended, one task is always ready and one is done.

Truth, burning: for each burner the chain of this file's own functions from main to it (library coroutines may stand
between). Suspended: for each task its frames, read by await_truth.py from inside; and who awaits it, by construction.
"""
import asyncio
import contextlib
import inspect
import threading
import time

import await_truth
import truth

BURN_SECONDS = 0.02
prefix = [""]  # of the names of tasks made from now on


class Custom:
    """Awaitable by a generator that delegates to a coroutine."""

    def __init__(self, leaf):
        self.leaf = leaf

    def __await__(self):
        return (yield from custom_leaf(self.leaf).__await__())


def named(shape, role, coroutine):
    return asyncio.create_task(coroutine, name=task_name(shape, role))


def task_name(shape, role):
    return "%s%s-%s" % (prefix[0], shape, role)


async def aside():
    await asyncio.sleep(0)


async def task_child(leaf):
    await leaf()


async def shape_task(leaf):
    await named("task", "child", task_child(leaf))


async def gather_child(leaf):
    await leaf()


async def shape_gather(leaf):
    await asyncio.gather(named("gather", "child", gather_child(leaf)), named("gather", "aside", aside()))


async def wait_child(leaf):
    await leaf()


async def shape_wait(leaf):
    await asyncio.wait([named("wait", "child", wait_child(leaf)), named("wait", "aside", aside())])


async def wait_for_child(leaf):
    await leaf()


async def shape_wait_for(leaf):
    await asyncio.wait_for(named("wait_for", "child", wait_for_child(leaf)), 3600)


async def group_child(leaf):
    await leaf()


async def shape_task_group(leaf):
    async with asyncio.TaskGroup() as group:
        group.create_task(group_child(leaf), name=task_name("task_group", "child"))
        group.create_task(aside(), name=task_name("task_group", "aside"))


async def generator_leaf(leaf):
    await leaf()


async def inner_generator(leaf):
    await generator_leaf(leaf)
    yield 1


async def outer_generator(leaf):
    async for item in inner_generator(leaf):
        yield item


async def shape_async_generator(leaf):
    async for _ in outer_generator(leaf):
        pass


@contextlib.asynccontextmanager
async def managed(leaf):
    await leaf()
    yield


async def shape_context_manager(leaf):
    async with managed(leaf):
        pass


async def custom_leaf(leaf):
    await leaf()


async def shape_custom(leaf):
    await Custom(leaf)


async def shield_child(leaf):
    await leaf()


async def shape_shield(leaf):
    await asyncio.shield(named("shield", "child", shield_child(leaf)))


async def completed_child(leaf):
    await leaf()


async def shape_as_completed(leaf):
    children = [named("as_completed", "child", completed_child(leaf)), named("as_completed", "aside", aside())]
    for future in asyncio.as_completed(children):
        await future


async def shape_timeout(leaf):
    async with asyncio.timeout(3600):
        await leaf()


# shape: (its coroutine, this file's functions below it, down to the leaf's caller; whether a child task is between)
SHAPES = {
    "task": (shape_task, [task_child], True),
    "gather": (shape_gather, [gather_child], True),
    "wait": (shape_wait, [wait_child], True),
    "wait_for": (shape_wait_for, [wait_for_child], True),
    "task_group": (shape_task_group, [group_child], True),
    "async_generator": (shape_async_generator, [outer_generator, inner_generator, generator_leaf], False),
    "context_manager": (shape_context_manager, [managed], False),
    "custom": (shape_custom, [Custom.__await__, custom_leaf], False),
    "shield": (shape_shield, [shield_child], True),
    "as_completed": (shape_as_completed, [completed_child], True),
    "timeout": (shape_timeout, [], False),
}
# What asyncio here is too old for: left out of all that this program does and says, and named in its ready file.
NEEDS = {"task_group": "TaskGroup", "timeout": "timeout"}
LACKS = [shape for shape, name in NEEDS.items() if not hasattr(asyncio, name)]
for lacking in LACKS:
    del SHAPES[lacking]
BESIDE = ("gather", "async_generator", "task_group")  # suspended also while main burns


def burner(shape):
    """A leaf for `shape`, and the function of its own that it burns in."""
    scope = {"time": time}
    source = "\n\ndef burn_%s(end):\n    while time.monotonic() < end:\n        sum(range(100))\n" % shape
    exec(compile(source, __file__, "exec"), scope)
    burn = scope["burn_" + shape]

    async def leaf():
        burn(time.monotonic() + BURN_SECONDS)

    names = [name for name in ("co_name", "co_qualname") if hasattr(leaf.__code__, name)]
    leaf.__code__ = leaf.__code__.replace(**dict.fromkeys(names, "leaf"))
    leaf.__qualname__ = "leaf"
    return leaf


def expected_chain(shape):
    coroutine, below, _ = SHAPES[shape]
    functions = [main, burn_in_turn, coroutine] + below
    return [truth.frame_fact(inspect.unwrap(function).__code__)[0] for function in functions] + ["leaf", "burn_" + shape]


async def burn_in_turn(leaves, words, end):
    while time.monotonic() < end:
        for index, (shape, leaf) in enumerate(leaves.items()):
            await SHAPES[shape][0](leaf)
            words[index] += 1


async def give_way():
    while True:
        await asyncio.sleep(0)


async def wait_in_thread(stop):
    if hasattr(asyncio, "to_thread"):
        await asyncio.to_thread(stop.wait)
    else:
        await asyncio.get_running_loop().run_in_executor(None, stop.wait)


async def main(options):
    asyncio.current_task().set_name("root")
    never, stop = asyncio.Event(), threading.Event()

    async def leaf():
        await never.wait()

    shapes = [shape for shape in SHAPES if shape in BESIDE or not options.burn]
    tasks = [named(shape, "shape", SHAPES[shape][0](leaf)) for shape in shapes]
    tasks.append(named("thread_hop", "shape", wait_in_thread(stop)))
    done = named("done", "shape", aside())
    await asyncio.sleep(0.3)  # all of them run until they are suspended, and `done` ends
    awaited_by = {shape + "-child": [shape + "-shape"] for shape in shapes if SHAPES[shape][2]}
    facts = dict(await_truth.snapshot(awaited_by), root="root", done=done.get_name(), thread_hop="thread_hop-shape",
                 hop_tid=await_truth.worker_native_id(), burning=options.burn, lacks=LACKS,
                 leaf=truth.frame_fact(leaf.__code__)[0])
    shared = truth.counters(options, SHAPES)
    if options.burn:
        ready = named("ready", "shape", give_way())
        prefix[0] = "burning-"
        truth.announce(options, shared, ready=ready.get_name(), chains={s: expected_chain(s) for s in SHAPES}, **facts)
        await burn_in_turn({shape: burner(shape) for shape in SHAPES}, shared.words, time.monotonic() + options.lifetime)
    else:
        asyncio.get_running_loop().call_later(0.1, lambda: truth.announce(options, shared, **facts))
        await asyncio.sleep(options.lifetime)
    stop.set()


if __name__ == "__main__":
    asyncio.run(main(truth.options(lambda parser: parser.add_argument("--burn", action="store_true"))))
