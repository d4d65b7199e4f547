"""Children that were forked by the main thread, by another thread, and behind the interpreter's back by the C library.

The last one is what a library does that calls fork(2) itself: nothing refreshes what the interpreter knows of its
thread (CPython 3.11.0 and 3.11.1 refresh it after no fork at all, gh-100649).
"""
import ctypes
import os
import signal
import threading
import time

import truth


def wait_as_child(end):
    while time.monotonic() < end:
        time.sleep(0.02)
    os._exit(0)


def fork_by(fork, options, pids, name):
    parent = os.getpid()
    pid = fork()
    if os.getpid() != parent:
        signal.alarm(int(options.lifetime) + 10)
        wait_as_child(time.monotonic() + options.lifetime)
    pids[name] = pid


def main():
    options = truth.options()
    pids = {}
    fork_by(os.fork, options, pids, "main thread")
    fork_by(ctypes.PyDLL(None).fork, options, pids, "C library")
    thread = threading.Thread(target=fork_by, args=(os.fork, options, pids, "another thread"), name="forker")
    thread.start()
    thread.join()
    truth.announce(options, children=pids)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
