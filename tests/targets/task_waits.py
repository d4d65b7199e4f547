"""Tasks that each wait for one kind of thing, which their names say; the kinds are those that the program made them wait for."""
import asyncio
import socket
import sys
import time

import truth


async def main(options):
    loop = asyncio.get_running_loop()
    tasks = []
    kinds = {}

    def start(kind, name, coroutine):
        kinds[name] = kind
        tasks.append(loop.create_task(coroutine, name=name))

    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=far)
    lock, semaphore, event, condition = asyncio.Lock(), asyncio.Semaphore(1), asyncio.Event(), asyncio.Condition()
    await lock.acquire()
    await semaphore.acquire()
    empty, full = asyncio.Queue(), asyncio.Queue(maxsize=1)
    full.put_nowait(1)
    bare = loop.create_future()

    async def sleeps():
        await asyncio.sleep(1000)

    async def reads_a_stream():
        await reader.readexactly(1)

    async def reads_a_socket():
        await loop.sock_recv(near, 1)

    async def takes_the_lock():
        async with lock:
            pass

    async def takes_the_semaphore():
        async with semaphore:
            pass

    async def waits_for_the_event():
        await event.wait()

    async def waits_for_the_condition():
        async with condition:
            await condition.wait()

    async def gets():
        await empty.get()

    async def puts():
        await full.put(2)

    async def joins():
        await full.join()

    async def gathers():
        await asyncio.gather(sleeps(), sleeps())

    async def limits():
        await asyncio.wait_for(bare_future(), 1000)

    async def bare_future():
        await bare

    async def runs_in_a_thread():
        await loop.run_in_executor(None, time.sleep, options.lifetime)

    async def waits_for_a_child():
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; sys.stdin.read()",
                                                     stdin=asyncio.subprocess.PIPE)
        await child.wait()

    start("timer", "sleeps", sleeps())
    start("socket", "reads_a_stream", reads_a_stream())
    start("socket", "reads_a_socket", reads_a_socket())
    start("lock or semaphore", "takes_the_lock", takes_the_lock())
    start("lock or semaphore", "takes_the_semaphore", takes_the_semaphore())
    start("event or condition", "waits_for_the_event", waits_for_the_event())
    start("event or condition", "waits_for_the_condition", waits_for_the_condition())
    start("queue", "gets", gets())
    start("queue", "puts", puts())
    start("queue", "joins", joins())
    start("task", "gathers", gathers())
    start("task" if sys.version_info < (3, 12) else "future", "limits", limits())  # since 3.12 in the same task
    start("future", "bare", bare_future())
    start("executor", "runs_in_a_thread", runs_in_a_thread())
    start("child process", "waits_for_a_child", waits_for_a_child())
    if options.packages:
        add_packages(start)
    await asyncio.sleep(1)  # until each waits
    for task in tasks:
        assert not task.done(), task
    truth.announce(options, kinds=kinds)
    await asyncio.sleep(options.lifetime)
    writer.close()


def add_packages(start):
    """What asgiref's and anyio's users write."""
    import anyio
    import anyio.to_thread
    from asgiref.sync import sync_to_async

    async def sync_view():
        await sync_to_async(time.sleep)(100)

    async def anyio_sleep():
        await anyio.sleep(1000)

    async def anyio_thread():
        await anyio.to_thread.run_sync(time.sleep, 100)

    async def anyio_stream():
        send, receive = anyio.create_memory_object_stream(1)
        await receive.receive()
        send.close()

    async def anyio_lock():
        lock = anyio.Semaphore(0)
        await lock.acquire()

    start("executor", "sync_view", sync_view())
    start("timer", "anyio_sleep", anyio_sleep())
    start("executor", "anyio_thread", anyio_thread())
    start("queue", "anyio_stream", anyio_stream())
    start("lock or semaphore", "anyio_lock", anyio_lock())


if __name__ == "__main__":
    asyncio.run(main(truth.options(lambda parser: parser.add_argument("--packages", action="store_true"))))
