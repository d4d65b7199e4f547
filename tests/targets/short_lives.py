"""A thread for each piece of work, as a server makes one for each request: each lives for some milliseconds, and uses the CPU in
one of two functions; the first thread uses a little between them. The truth is each thread's own thread_time_ns."""
import random
import threading
import time

import truth

NAMES = ["three_ns", "one_ns", "between_ns"]
THREE, ONE, BETWEEN = range(len(NAMES))


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


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    words = shared.words
    chance = random.Random(5)
    end = time.monotonic() + options.lifetime
    truth.announce(options, shared)
    number = 0
    while time.monotonic() < end:
        number += 1
        index = ONE if number % 4 == 0 else THREE
        thread = threading.Thread(target=work, args=(words, index, chance.uniform(0.002, 0.008)))
        thread.start()
        thread.join()
        before = time.thread_time_ns()
        between(0.001)
        words[BETWEEN] += time.thread_time_ns() - before


if __name__ == "__main__":
    main()
