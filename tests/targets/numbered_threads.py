"""Threads that somebody numbers: the interpreter, pools with and without a name of their own, an event loop. And one whose name
the program gave whole, though it looks like a pool's.

Each of them runs a function of its own kind. The truth is the name of each thread by threading.enumerate(), and the kinds.
"""
import _thread
import asyncio
import concurrent.futures
import threading
import time

import truth

WORKERS = 2


def work(end):
    while time.monotonic() < end:
        sum(range(100))
        time.sleep(0.001)


def kinds():
    """{kind: a function of that name}"""
    made = {}
    for kind in ("pool", "named_pool", "plain", "timer", "loop_pool", "foreign", "given"):
        space = {"work": work}
        exec("def %s(end):\n    work(end)\n" % kind, space)
        made[kind] = space[kind]
    return made


def foreign(function, end):
    """Python did not start it; it gets its name when it asks for it."""
    threading.current_thread()
    function(end)


async def main(options):
    end = time.monotonic() + options.lifetime
    of = kinds()
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    named = concurrent.futures.ThreadPoolExecutor(WORKERS, thread_name_prefix="db")
    loop = asyncio.get_running_loop()
    for number in range(WORKERS):
        pool.submit(of["pool"], end)
        named.submit(of["named_pool"], end)
        threading.Thread(target=of["plain"], args=(end,), daemon=True).start()
        timer = threading.Timer(0.01, of["timer"], (end,))
        timer.daemon = True
        timer.start()
        loop.run_in_executor(None, of["loop_pool"], end)
        _thread.start_new_thread(foreign, (of["foreign"], end))
        threading.Thread(target=of["given"], args=(end,), name="shard_%d" % number, daemon=True).start()
    await asyncio.sleep(0.5)
    truth.announce(options, names=sorted(thread.name for thread in threading.enumerate()), workers=WORKERS)
    await asyncio.sleep(options.lifetime)


if __name__ == "__main__":
    asyncio.run(main(truth.options()))
