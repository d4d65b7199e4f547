"""A child of fork(2) by the C library, without PyOS_AfterFork_Child() (as uWSGI's workers are): its first thread's state still names
the parent. It burns a CPU, and so does a second thread. The truth is each thread's own thread_time_ns."""
import ctypes
import os
import threading
import time

import truth

NAMES = ["first_ns", "second_ns"]


def burn(words, index, end):
    while time.monotonic() < end:
        before = time.thread_time_ns()
        sum(range(2000))
        words[index] += time.thread_time_ns() - before


def first(words, end):
    burn(words, 0, end)


def second(words, end):
    burn(words, 1, end)


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    child = ctypes.PyDLL(None).fork()
    if child != 0:
        os.waitpid(child, 0)
        return
    threading.Thread(target=second, args=(shared.words, end), daemon=True).start()
    truth.announce(options, shared)
    first(shared.words, end)
    os._exit(0)


if __name__ == "__main__":
    main()
