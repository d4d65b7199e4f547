"""Who waits for whom: every way that asyncio has to wait for tasks, and the futures that nobody computes in Python."""
import asyncio
import socket
from asyncio import staggered

import shape_kit
from shape_kit import adopt, never, start

kept = []  # sockets and the like, for good


async def leaf():
    await never()  # waits


def child(name, *awaited_by):
    return start(name, leaf(), [leaf], awaited_by)


def adopted(name, *awaited_by):
    """A coroutine for a library that makes the task itself."""

    async def work():
        adopt(name, [work, leaf], awaited_by)
        await leaf()  # waits

    return work()


def waiter(name, *awaited_by):
    """Starts the decorated coroutine function as a task of that name."""

    def begin(function):
        start(name, function(), [function], awaited_by)
        return function

    return begin


def plant_gather():
    @waiter("await-task")
    async def awaits():
        await child("await-task.child", "await-task")  # waits

    @waiter("gather")
    async def gathers():
        await asyncio.gather(child("gather.a", "gather"), adopted("gather.b", "gather"), never())  # waits

    @waiter("gather-nested")
    async def gathers_gathers():
        inner = asyncio.gather(child("gather-nested.a", "gather-nested"), child("gather-nested.b", "gather-nested"))
        other = asyncio.gather(inner, child("gather-nested.c", "gather-nested"), return_exceptions=True)
        await asyncio.gather(other, child("gather-nested.d", "gather-nested"))  # waits

    shared = asyncio.gather(child("gather-shared.a", "gather-shared-1", "gather-shared-2"),
                            child("gather-shared.b", "gather-shared-1", "gather-shared-2"))
    for name in ("gather-shared-1", "gather-shared-2"):
        @waiter(name)
        async def gathers_shared():
            await shared  # waits

    @waiter("gather-twice")
    async def gathers_twice():
        one = child("gather-twice.child", "gather-twice")
        await asyncio.gather(asyncio.gather(one), asyncio.gather(one, one))  # waits


def plant_wait():
    @waiter("wait")
    async def waits_all():
        await asyncio.wait([child("wait.a", "wait"), child("wait.b", "wait")])  # waits

    @waiter("wait-first")
    async def waits_first():
        tasks = [child("wait-first.a", "wait-first"), asyncio.gather(child("wait-first.b", "wait-first"))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=3600)  # waits

    @waiter("wait-for")
    async def waits_for():
        await asyncio.wait_for(child("wait-for.child", "wait-for"), 3600)  # waits

    @waiter("wait-for-coroutine")
    async def waits_for_gather():
        await asyncio.wait_for(asyncio.gather(adopted("wait-for-coroutine.child", "wait-for-coroutine")), 3600)  # waits

    @waiter("wait-for-no-limit")
    async def waits_without_limit():
        await asyncio.wait_for(child("wait-for-no-limit.child", "wait-for-no-limit"), None)  # waits

    @waiter("shield")
    async def shields():
        await asyncio.shield(child("shield.child", "shield"))  # waits

    @waiter("shield-nested")
    async def shields_gather():
        inner = asyncio.gather(child("shield-nested.child", "shield-nested"))
        await asyncio.wait_for(asyncio.shield(asyncio.shield(inner)), 3600)  # waits

    @waiter("as-completed")
    async def completes():
        for future in asyncio.as_completed([child("as-completed.a", "as-completed"), child("as-completed.b", "as-completed")]):
            await future  # waits

    @waiter("as-completed-limit")
    async def completes_in_time():
        for future in asyncio.as_completed([child("as-completed-limit.a", "as-completed-limit")], timeout=3600):
            await future  # waits

    if not hasattr(asyncio.as_completed([]), "__anext__"):
        shape_kit.lacking("as-completed-async")
        return

    @waiter("as-completed-async")
    async def completes_asynchronously():
        async for _ in asyncio.as_completed([child("as-completed-async.a", "as-completed-async")]):  # waits
            pass


def plant_timeout():
    if not hasattr(asyncio, "timeout"):
        shape_kit.lacking("timeout")
        return

    @waiter("timeout")
    async def limits():
        async with asyncio.timeout(3600):
            await child("timeout.child", "timeout")  # waits

    @waiter("timeout-gather")
    async def limits_gather():
        async with asyncio.timeout(3600), asyncio.timeout(7200):
            await asyncio.gather(child("timeout-gather.child", "timeout-gather"))  # waits


def plant_groups():
    if not hasattr(asyncio, "TaskGroup"):
        shape_kit.lacking("task-group")
        return

    def in_group(group, name, parent):
        return shape_kit.register(name, group.create_task(leaf()), [leaf], [parent])

    @waiter("group-body")
    async def in_body():
        async with asyncio.TaskGroup() as group:
            in_group(group, "group-body.a", "group-body")
            in_group(group, "group-body.b", "group-body")
            await leaf()  # waits

    shape_kit.book["group-body"].own.append(shape_kit.place(leaf))

    @waiter("group-end")
    async def at_end():
        async with asyncio.TaskGroup() as group:  # waits
            in_group(group, "group-end.a", "group-end")
            in_group(group, "group-end.b", "group-end")

    @waiter("group-nested")
    async def nested():
        async with asyncio.TaskGroup() as outer:
            in_group(outer, "group-nested.outer", "group-nested")
            async with asyncio.TaskGroup() as inner:  # waits
                in_group(inner, "group-nested.inner", "group-nested")

    @waiter("group-spread")
    async def spreads():
        async def spreading():
            in_group(group, "group-spread.grandchild", "group-spread")
            await leaf()  # waits

        async with asyncio.TaskGroup() as group:
            shape_kit.register("group-spread.child", group.create_task(spreading()), [spreading, leaf], ["group-spread"])

    fact = shape_kit.book["group-spread"]
    fact.own = [fact.own[0][:2] + [fact.own[0][2] + 2]]


def plant_race():
    @waiter("race")
    async def races():
        await staggered.staggered_race([lambda: adopted("race.a", "race"), lambda: adopted("race.b", "race")], 0.02)  # waits


def plant_several():
    """One task, and a waiter of every kind."""
    one = child("several", "several-task", "several-gather", "several-wait", "several-shield", "several-limit",
                "several-completed")

    @waiter("several-task")
    async def awaits():
        await one  # waits

    @waiter("several-gather")
    async def gathers():
        await asyncio.gather(one, never())  # waits

    @waiter("several-wait")
    async def waits():
        await asyncio.wait([one, never()])  # waits

    @waiter("several-shield")
    async def shields():
        await asyncio.shield(one)  # waits

    @waiter("several-limit")
    async def limits():
        await asyncio.wait_for(asyncio.shield(one), 3600)  # waits

    @waiter("several-completed")
    async def completes():
        await next(iter(asyncio.as_completed([one])))  # waits


def plant_chained():
    chained = asyncio.get_running_loop().create_future()
    asyncio.futures._chain_future(child("chained.child", "chained"), chained)

    @waiter("chained")
    async def awaits():
        await chained  # waits


def plant_circles():
    book = shape_kit.book

    for name, other in (("circle-a", "circle-b"), ("circle-b", "circle-a")):
        async def one_of_two(other=other):
            while other not in book:
                await asyncio.sleep(0)
            await book[other].task  # waits

        start(name, one_of_two(), [one_of_two], [other])
    names = ["ring-0", "ring-1", "ring-2"]
    for number, name in enumerate(names):
        async def one_of_three(other=names[(number + 1) % 3]):
            while other not in book:
                await asyncio.sleep(0)
            await asyncio.gather(book[other].task, never())  # waits

        start(name, one_of_three(), [one_of_three], [names[number - 1]])


def plant_futures():
    """Futures that nobody computes in Python: what awaits them names them."""
    lock, event, queue, full = asyncio.Lock(), asyncio.Event(), asyncio.Queue(), asyncio.Queue(1)
    full.put_nowait(1)
    semaphore, condition = asyncio.Semaphore(0), asyncio.Condition()
    reader = asyncio.StreamReader()
    near, far = socket.socketpair()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    for sock in (near, far, listener):
        sock.setblocking(False)
    kept.extend([near, far, listener, lock, event, queue, full, semaphore, condition, reader])
    loop = asyncio.get_running_loop()

    @waiter("sleep")
    async def sleeps():
        await asyncio.sleep(3600)  # waits

    @waiter("lock")
    async def locks():
        await lock.acquire()
        await lock.acquire()  # waits

    @waiter("lock-with")
    async def locks_with():
        await asyncio.sleep(0)
        async with lock:  # waits
            pass

    @waiter("event")
    async def events():
        await event.wait()  # waits

    @waiter("queue-get")
    async def gets():
        await queue.get()  # waits

    @waiter("queue-put")
    async def puts():
        await full.put(2)  # waits

    @waiter("queue-join")
    async def joins():
        await full.join()  # waits

    @waiter("semaphore")
    async def semaphores():
        async with semaphore:  # waits
            pass

    @waiter("condition")
    async def conditions():
        async with condition:
            await condition.wait()  # waits

    @waiter("stream")
    async def streams():
        await reader.readexactly(10)  # waits

    @waiter("socket-receive")
    async def receives():
        await loop.sock_recv(near, 10)  # waits

    @waiter("socket-accept")
    async def accepts():
        await loop.sock_accept(listener)  # waits


def plant_barrier():
    if not hasattr(asyncio, "Barrier"):
        shape_kit.lacking("barrier")
        return
    barrier = asyncio.Barrier(2)

    @waiter("barrier")
    async def gathers_at_barrier():
        await barrier.wait()  # waits


def plant():
    for part in (plant_gather, plant_wait, plant_timeout, plant_groups, plant_race, plant_several, plant_chained,
                 plant_circles, plant_futures, plant_barrier):
        part()
