"""A thread for each piece of work, as a server makes one for each request: each lives for some milliseconds, and uses the CPU in
one of two functions; the first thread uses a little between them. The truth is each thread's own thread_time_ns, and the whole
process's clock: what starts threads is in none of the functions."""
import asyncio
import random
import threading
import time

import truth

NAMES = ["three_ns", "one_ns", "between_ns", "process_ns"]
THREE, ONE, BETWEEN, PROCESS = range(len(NAMES))


def burn(seconds):
    begun = time.thread_time()
    total = 0
    while time.thread_time() - begun < seconds:
        for i in range(200):
            total += i & 7
    return total


def three(seconds):
    burn(seconds)


def one(seconds):
    burn(seconds)


def between(seconds):
    burn(seconds)


def work(words, index, seconds):
    before = time.thread_time_ns()
    (three if index == THREE else one)(seconds)
    words[index] += time.thread_time_ns() - before  # one such thread at a time


def pieces(words):
    """(arguments of work, one after the other)"""
    chance = random.Random(5)
    number = 0
    while True:
        number += 1
        yield words, ONE if number % 4 == 0 else THREE, chance.uniform(0.002, 0.008)


def work_in_turn(words, end):
    for piece in pieces(words):
        thread = threading.Thread(target=work, args=piece)
        thread.start()
        thread.join()
        before = time.thread_time_ns()
        between(0.001)
        words[BETWEEN] += time.thread_time_ns() - before
        words[PROCESS] = time.process_time_ns()
        if time.monotonic() > end:
            return


async def work_beside_a_loop(words, end):
    """The loop waits in its selector while the thread works, as it does where a server has a thread for each request."""
    loop = asyncio.get_running_loop()
    for piece in pieces(words):
        done = loop.create_future()

        def work_and_wake(piece=piece, done=done):
            work(*piece)
            loop.call_soon_threadsafe(done.set_result, None)

        threading.Thread(target=work_and_wake).start()
        await done
        before = time.thread_time_ns()
        between(0.001)
        words[BETWEEN] += time.thread_time_ns() - before
        words[PROCESS] = time.process_time_ns()
        if time.monotonic() > end:
            return


def main():
    options = truth.options(lambda parser: parser.add_argument("--beside-a-loop", action="store_true"))
    shared = truth.counters(options, NAMES)
    words = shared.words
    end = time.monotonic() + options.lifetime
    truth.announce(options, shared)
    if options.beside_a_loop:
        asyncio.run(work_beside_a_loop(words, end))
    else:
        work_in_turn(words, end)


if __name__ == "__main__":
    main()
