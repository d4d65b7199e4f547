"""CPU time that is not wall time: two functions burn it 3:1, one only sleeps, and short threads burn theirs.

The truth is each thread's own thread_time_ns around each call.
"""
import threading
import time

import truth

NAMES = ["three_ns", "one_ns", "short_ns", "born", "slept_ns"]
THREE, ONE, SHORT, BORN, SLEPT = range(len(NAMES))


def burn(milliseconds):
    """Runs until this thread has used that much CPU."""
    end = time.thread_time_ns() + int(milliseconds * 1e6)
    total = 0
    while time.thread_time_ns() < end:
        for i in range(200):
            total += i & 7
    return total


def three():
    burn(15)


def one():
    burn(5)


def doze():
    time.sleep(0.02)


def short(words, lock):
    before = time.thread_time_ns()
    burn(30)
    with lock:
        words[SHORT] += time.thread_time_ns() - before


def timed(words, index, function):
    before = time.thread_time_ns()
    function()
    words[index] += time.thread_time_ns() - before


def main():
    options = truth.options(lambda parser: parser.add_argument("--threads", action="store_true"))
    shared = truth.counters(options, NAMES)
    words = shared.words
    end = time.monotonic() + options.lifetime
    lock = threading.Lock()
    truth.announce(options, shared)
    while time.monotonic() < end:
        timed(words, THREE, three)
        timed(words, ONE, one)
        if options.threads:
            words[BORN] += 1
            thread = threading.Thread(target=short, args=(words, lock), name="short-%d" % words[BORN])
            thread.start()
            thread.join()
        else:
            before = time.monotonic_ns()
            doze()
            words[SLEPT] += time.monotonic_ns() - before


if __name__ == "__main__":
    main()
