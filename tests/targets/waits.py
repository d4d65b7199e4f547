"""Threads that wait for work, and threads that wait in calls of the program's own; a coroutine that blocks its loop. The truth is by
construction: what each does is in its thread's name."""
import asyncio
import concurrent.futures
import multiprocessing.pool
import queue
import selectors
import socket
import socketserver
import threading
import time

import truth


def sleep_on():
    time.sleep(3600)


def wait_for_lock(lock):
    lock.acquire()


def wait_for_data(end):
    end.recv(1)


def wait_for_item(items):
    items.get()


def wait_in_a_selector_of_its_own(end):
    with selectors.DefaultSelector() as chosen:
        chosen.register(end, selectors.EVENT_READ)
        chosen.select(3600)


async def block_the_loop():
    time.sleep(3600)


def start(name, function, *args):
    threading.Thread(target=function, args=args, name=name, daemon=True).start()


def without_work():
    """Each waits for work."""
    pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="idle-executor")
    pool.submit(time.monotonic).result()
    other = multiprocessing.pool.ThreadPool(1)
    other.apply(time.monotonic)
    loop = asyncio.new_event_loop()
    start("idle-loop", loop.run_forever)
    server = socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler)
    start("idle-server", server.serve_forever, 3600)
    return pool, other, server


def in_calls(ends):
    """Each waits in a call of the program's own."""
    lock = threading.Lock()
    lock.acquire()
    functions = {"blocked-sleep": (sleep_on,), "blocked-lock": (wait_for_lock, lock), "blocked-socket": (wait_for_data, ends[0]),
                 "blocked-queue": (wait_for_item, queue.Queue()), "blocked-selector": (wait_in_a_selector_of_its_own, ends[1]),
                 "blocked-loop": (asyncio.run, block_the_loop())}
    for name, (function, *args) in functions.items():
        start(name, function, *args)
    return {name: function.__name__ for name, (function, *_) in functions.items() if name != "blocked-loop"}


def main():
    options = truth.options()
    kept = without_work()
    functions = in_calls(socket.socketpair())
    time.sleep(0.2)
    truth.announce(options, blocked=functions, idle=["idle-executor", "idle-loop", "idle-server"], kept=len(kept))
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
