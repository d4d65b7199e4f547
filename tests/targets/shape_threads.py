"""Tasks of other threads' loops, also of threads that have ended; and work that crosses threads."""
import asyncio
import concurrent.futures
import sys
import threading
import time

import shape_kit
import truth
from shape_kit import Worker, adopt, never, start


async def leaf():
    await never()  # waits


class LoopThread(threading.Thread):
    """Runs `main()` in a loop of its own until the process ends, or only until main returns, leaving its tasks behind."""

    def __init__(self, name, main, new_loop):
        super().__init__(name=name, daemon=True)
        self.loop = new_loop()
        self.main = main
        self.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        entry = [self.loop, threading.get_native_id()]
        shape_kit.loops.append(entry)
        self.loop.run_until_complete(self.main())
        entry[1] = None


def plant_quiet(new_loop):
    async def awaits():
        await shape_kit.book["quiet.child"].task  # waits

    async def quiet_main():
        adopt("quiet-main", [quiet_main])
        start("quiet.child", leaf(), [leaf], ["quiet.parent"])
        start("quiet.parent", awaits(), [awaits])
        await asyncio.sleep(3600)  # waits

    shape_kit.expect("quiet-main")
    return LoopThread("quiet", quiet_main, new_loop)


def plant_dead(new_loop):
    async def dead_main():
        for name in ("dead.a", "dead.b"):
            start(name, leaf(), [leaf], ["dead.parent"] if name == "dead.a" else [])

        async def awaits():
            await asyncio.gather(shape_kit.book["dead.a"].task)  # waits

        start("dead.parent", awaits(), [awaits])
        await asyncio.sleep(0.05)

    thread = LoopThread("dead", dead_main, new_loop)
    thread.join()
    return thread


def note_own_frames(name, frame):
    """The frames of the task that runs, outermost first; the innermost is about to be at its marked line."""
    coroutine = shape_kit.book[name].task.get_coro()
    own = []
    while True:
        found = truth.frame_fact(frame.f_code)[:2] + [frame.f_lineno]
        own.insert(0, found)
        if frame is coroutine.cr_frame:
            return own
        frame = frame.f_back


def block(name):
    """Never returns. What it says of itself is true as of its last line."""
    frames = note_own_frames(name, sys._getframe())
    shape_kit.book[name].frames = frames[:-1] + [shape_kit.place(block)]
    shape_kit.book[name].own = [frame for frame in shape_kit.book[name].frames if frame[1].startswith(shape_kit.HERE)]
    while True:
        time.sleep(3600)  # waits


async def blocks_below(name):
    block(name)


def plant_blocked(new_loop):
    """A loop whose thread is in a task's plain function for good: beside it some are ready to run and stay so."""

    async def ending():
        pass

    async def waits_for_ending():
        await asyncio.get_running_loop().create_task(ending())  # waits

    async def created():
        pass

    async def runs():
        adopt("blocked.running", [], state="running")
        victim = start("blocked.cancelled", leaf(), [leaf], state="ready")
        start("blocked.waiting", leaf(), [leaf])
        await asyncio.sleep(0)
        start("blocked.woken", waits_for_ending(), [waits_for_ending], state="ready")
        await asyncio.sleep(0)  # that one makes its child
        await asyncio.sleep(0)  # which ends
        victim.cancel()
        start("blocked.created", created(), [truth.frame_fact(created.__code__)], state="ready")
        await blocks_below("blocked.running")

    shape_kit.expect("blocked.running", "blocked.created")
    return LoopThread("blocked", runs, new_loop)


def plant_hops(_):
    def hop(name, function):
        worker = Worker(name, [function])
        start(name, function(worker), [function])

    async def in_default_executor(worker):
        await asyncio.get_running_loop().run_in_executor(None, worker)  # waits

    hop("hop.default-executor", in_default_executor)
    pool = concurrent.futures.ThreadPoolExecutor(4)

    async def in_own_executor(worker):
        await asyncio.get_running_loop().run_in_executor(pool, worker)  # waits

    hop("hop.own-executor", in_own_executor)

    async def by_wrapped_future(worker):
        await asyncio.wrap_future(pool.submit(worker))  # waits

    hop("hop.wrapped-future", by_wrapped_future)

    async def shielded(worker):
        await asyncio.wait_for(asyncio.shield(asyncio.get_running_loop().run_in_executor(pool, worker)), 3600)  # waits

    hop("hop.shielded", shielded)
    if hasattr(asyncio, "to_thread"):
        async def to_thread(worker):
            await asyncio.to_thread(worker)  # waits

        hop("hop.to-thread", to_thread)
    else:
        shape_kit.lacking("to_thread")


def plant_across_loops(quiet):
    """A task of this loop that a thread waits for, and one that a task of another loop waits for."""
    main_loop = asyncio.get_running_loop()

    async def for_thread():
        adopt("threadsafe.for-thread", [for_thread, leaf])
        await leaf()  # waits

    async def for_task():
        adopt("threadsafe.for-task", [for_task, leaf], ["threadsafe.waiter"])
        await leaf()  # waits

    async def waits_across():
        adopt("threadsafe.waiter", [waits_across])
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(for_task(), main_loop))  # waits

    shape_kit.expect("threadsafe.for-thread", "threadsafe.for-task", "threadsafe.waiter")
    threading.Thread(target=lambda: asyncio.run_coroutine_threadsafe(for_thread(), main_loop).result(), daemon=True).start()
    asyncio.run_coroutine_threadsafe(waits_across(), quiet.loop)


class SlowToReturn:
    """A loop whose callers from other threads are not back before what they asked for runs: the loop is woken by then, and
    goes on while they wait for the interpreter."""

    def __init__(self, loop):
        self.loop = loop

    def __getattr__(self, name):
        return getattr(self.loop, name)

    def call_soon_threadsafe(self, *what):
        self.loop.call_soon_threadsafe(*what)
        while True:
            time.sleep(3600)


def plant_asgiref(_):
    try:
        from asgiref.sync import SyncToAsync, ThreadSensitiveContext, async_to_sync, sync_to_async
    except ImportError:
        shape_kit.lacking("asgiref")
        return

    def hop(name, function):
        worker = Worker(name, [function])
        start(name, function(worker), [function])

    async def insensitive(worker):
        await sync_to_async(worker, thread_sensitive=False)()  # waits

    hop("hop.insensitive", insensitive)

    async def sensitive(worker):
        async with ThreadSensitiveContext():
            await sync_to_async(worker, thread_sensitive=True)()  # waits

    hop("hop.sensitive", sensitive)

    async def nested(worker):
        async with ThreadSensitiveContext():
            await sync_to_async(view, thread_sensitive=True)(worker)  # waits

    def view(worker):
        async_to_sync(inner)(worker)

    async def inner(worker):
        adopt("hop.inner", [inner])
        await sync_to_async(worker, thread_sensitive=True)()  # waits

    start("hop.nested", nested(Worker("hop.inner", [nested, view, inner], "hop.nested")), [nested])

    pool = concurrent.futures.ThreadPoolExecutor(2)

    async def early(worker):
        await sync_to_async(slow_to_wait, thread_sensitive=False, executor=pool)(worker)  # waits

    def slow_to_wait(worker):
        shape_kit.workers["hop.early"] = threading.get_native_id()
        local = SyncToAsync.threadlocal
        local.main_event_loop = SlowToReturn(local.main_event_loop)
        async_to_sync(inner_early)(worker)

    async def inner_early(worker):
        adopt("hop.inner-early", [inner_early])
        await sync_to_async(worker, thread_sensitive=False, executor=pool)()  # waits

    shape_kit.workers["hop.early"] = None
    start("hop.early", early(Worker("hop.inner-early", [early, slow_to_wait, inner_early])), [early])


def plant_eager(new_loop):
    """Tasks that began inside the call that made them, one of which has not come out of it yet."""
    if not hasattr(asyncio, "eager_task_factory"):
        shape_kit.lacking("eager")
        return None
    eager = asyncio.tasks.Task

    def begin(name, coroutine):
        coroutine = started(name, coroutine)
        return eager(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

    async def started(name, coroutine):
        adopt(name, [started, leaf])
        await coroutine  # waits

    async def stuck():
        adopt("eager.stuck", [], state="running")
        outside = shape_kit.book["eager.stuck"].task.get_coro().cr_frame.f_back
        shape_kit.book["eager.maker"].frames = note_own_frames("eager.maker", outside)
        block("eager.stuck")

    async def maker():
        adopt("eager.maker", [maker], state="running")
        eager(stuck(), loop=asyncio.get_running_loop(), eager_start=True)  # waits

    async def eager_main():
        adopt("eager.main", [eager_main])
        begin("eager.suspended", leaf())
        asyncio.get_running_loop().create_task(maker())
        await asyncio.sleep(3600)  # waits

    shape_kit.expect("eager.main", "eager.suspended", "eager.maker", "eager.stuck")
    return LoopThread("eager", eager_main, new_loop)
