"""Threads: waiting COUNT DEPTH | deep DEPTH | churning COUNT"""
import sys
import threading
import time


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(200))


def within(depth, call):
    return within(depth - 1, call) if depth else call()


def ready():
    print("ready", flush=True)


def waiting(count, depth):
    """Of which only the first one runs."""
    threading.stack_size(256 * 1024)
    sys.setrecursionlimit(100_000)
    never = threading.Event()
    for _ in range(count):
        threading.Thread(target=within, args=(depth, never.wait), daemon=True).start()
    time.sleep(1)
    ready()
    while True:
        spin(1)


def deep(depth):
    threading.stack_size(1 << 30)
    sys.setrecursionlimit(10**7)

    def leaf():
        ready()
        while True:
            spin(1)
    thread = threading.Thread(target=within, args=(depth, leaf))
    thread.start()
    thread.join()


def churning(count):
    """So many at once, each of which lives for some milliseconds."""
    ready()
    while True:
        threads = [threading.Thread(target=spin, args=(0.004,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


{"waiting": waiting, "deep": deep, "churning": churning}[sys.argv[1]](*map(int, sys.argv[2:]))
