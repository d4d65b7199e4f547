"""An event loop that is held for known times, or is merely busy.

holds    `count` callbacks, one behind the other, each of which holds the loop for 80 to 500 ms in a function of its own: it sleeps,
         queries SQLite, reads from a socket, waits for a process, waits for a lock, or computes. Every other one is a step of a task,
         the others are callbacks of no task. Truth: `log`, a line for each: function, monotonic nanoseconds of its beginning and its end.
busy     nothing but short callbacks: steps of many tasks, some of which live for one step, and callbacks of no task.
one_task the same, all of them steps of one task. Truth of both: `log`, a line for each that the machine made long: its beginning and its end.

Counters: for holds, how many there were; else, callbacks.
"""
import asyncio
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import truth

SHORTEST, LONGEST = 0.080, 0.500
clock = time.monotonic_ns
starved = None


def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def hold_sleep(seconds, _):
    time.sleep(seconds)


def hold_query(seconds, kit):
    kit.connection.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) SELECT sum(x) FROM c",
                           [int(seconds * kit.rows_a_second)]).fetchone()


def hold_read(seconds, kit):
    kit.near.sendall(b"%d\n" % int(seconds * 1e6))
    kit.near.recv(1)


def hold_process(seconds, _):
    subprocess.run([sys.executable, "-SEc", "import time; time.sleep(%.3f)" % seconds], check=True)


def hold_lock(seconds, kit):
    kit.wanted.append(seconds)
    kit.asked.release()
    kit.begun.acquire()
    with kit.lock:
        pass


def hold_computation(seconds, _):
    end = time.perf_counter() + seconds
    total = 0
    while time.perf_counter() < end:
        total = (total * 31 + 7) & 0xFFFF


KINDS = (hold_sleep, hold_query, hold_read, hold_process, hold_lock, hold_computation)


class Kit:
    """What holds wait for."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:")
        self.rows_a_second = 1e6
        begun = time.perf_counter()
        hold_query(0.1, self)
        self.rows_a_second = 1e5 / (time.perf_counter() - begun)
        self.near, self.far = socket.socketpair()
        self.lock = threading.Lock()
        self.asked, self.begun = threading.Semaphore(0), threading.Semaphore(0)
        self.wanted = []
        threading.Thread(target=self.answer, daemon=True).start()
        threading.Thread(target=self.keep_lock, daemon=True).start()

    def answer(self):
        for line in self.far.makefile("rb"):
            time.sleep(int(line) / 1e6)
            self.far.sendall(b".")

    def keep_lock(self):
        while True:
            self.asked.acquire()
            with self.lock:
                self.begun.release()
                time.sleep(self.wanted.pop())


def hold(number, count, kit, log):
    kind = KINDS[number % len(KINDS)]
    seconds = SHORTEST + (LONGEST - SHORTEST) * (number * 7 % count) / (count - 1)
    begun = clock()
    kind(seconds, kit)
    log.write(b"%s %d %d\n" % (kind.__name__.encode(), begun, clock()))


async def step(number, count, kit, log):
    hold(number, count, kit, log)


async def holds(options, shared, log):
    kit = Kit()
    truth.announce(options, shared, log=log.name)
    while not shared.words[1]:
        await asyncio.sleep(0.01)
    for number in range(options.count):
        await asyncio.sleep(random.uniform(0.02, 0.06))
        if number % 2:
            await asyncio.ensure_future(step(number, options.count, kit, log))
        else:
            asyncio.get_event_loop().call_soon(hold, number, options.count, kit, log)
            await asyncio.sleep(0.001)
        shared.words[0] += 1
    await asyncio.sleep(options.lifetime)


def brief(seconds, shared):
    """What a callback does: short, unless the machine keeps the thread from running."""
    begun = clock()
    burn(seconds)
    if clock() - begun > 30_000_000:
        starved.write(b"%d %d\n" % (begun, clock()))
    shared.words[0] += 1


async def spin(shared, end):
    while time.monotonic() < end:
        brief(random.uniform(0.001, 0.006), shared)
        await asyncio.sleep(0)


async def one_step(shared):
    brief(0.004, shared)


async def make_tasks(shared, end):
    while time.monotonic() < end:
        await asyncio.ensure_future(one_step(shared))


def call_again(shared, end):
    brief(0.002, shared)
    if time.monotonic() < end:
        asyncio.get_event_loop().call_soon(call_again, shared, end)


async def busy(options, shared):
    end = time.monotonic() + options.lifetime
    truth.announce(options, shared, log=starved.name)
    if options.scene == "busy":
        for _ in range(2):
            call_again(shared, end)
        await asyncio.gather(make_tasks(shared, end), *(spin(shared, end) for _ in range(8)))
    await spin(shared, end)


async def main(options):
    global starved
    shared = truth.counters(options, ["callbacks", "go"])
    if options.scene == "holds":
        with open(options.ready + ".holds", "wb", buffering=0) as log:
            await holds(options, shared, log)
    else:
        with open(options.ready + ".starved", "wb", buffering=0) as starved:
            await busy(options, shared)


def more(parser):
    parser.add_argument("--scene", choices=["holds", "busy", "one_task"], required=True)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")


if __name__ == "__main__":
    parsed = truth.options(more)
    if parsed.loop == "uvloop":
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    sys.exit(asyncio.run(main(parsed)))
