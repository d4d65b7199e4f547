"""Threads of every kind: blocked in a lock, asleep, without work, busy, in C code without the GIL, born and ended meanwhile.

The names are the program's own, some of them beyond ASCII. The truth is threading.enumerate()'s, native ids included.
"""
import hashlib
import socketserver
import threading
import time

import truth

NAMES = ["busy_loops", "digests", "born", "ended"]
BUSY, DIGESTS, BORN, ENDED = range(len(NAMES))
LOCK_WAITER = "lock-waiter"
SERVER = "server-without-work"
SLEEPER = "schläfer"
BUSY_WORKER = "занятый-поток-с-длинным-именем"
DIGESTER = "消化-\U0001f9f5"


def wait_for_lock(lock):
    with lock:
        pass


def sleep_on(end):
    while time.monotonic() < end:
        time.sleep(0.5)


def keep_busy(words, end):
    while time.monotonic() < end:
        burn(2000)
        words[BUSY] += 1


def digest(words, end):
    block = bytes(32 << 20)  # a digest of it takes tens of milliseconds, all of them without the GIL
    while time.monotonic() < end:
        hashlib.sha256(block)
        words[DIGESTS] += 1


def short_life():
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        burn(500)


def burn(loops):
    total = 0
    for i in range(loops):
        total += i & 7
    return total


def start(name, target, *args):
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def main():
    options = truth.options(lambda parser: parser.add_argument("--births", action="store_true"))
    shared = truth.counters(options, NAMES)
    words = shared.words
    end = time.monotonic() + options.lifetime
    lock = threading.Lock()
    with lock:
        start(LOCK_WAITER, wait_for_lock, lock)
        start(SLEEPER, sleep_on, end)
        start(BUSY_WORKER, keep_busy, words, end)
        start(DIGESTER, digest, words, end)
        server = socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        start(SERVER, server.serve_forever)
        threads = [[thread.native_id, thread.name] for thread in threading.enumerate()]
        truth.announce(options, shared, threads=threads, blocked=[LOCK_WAITER, SLEEPER, "MainThread"], idle=[SERVER],
                       busy=BUSY_WORKER, digester=DIGESTER)
        while time.monotonic() < end:
            if options.births:
                words[BORN] += 1
                start("born-%d" % words[BORN], short_life).join()
                words[ENDED] += 1
            else:
                time.sleep(0.2)


if __name__ == "__main__":
    main()
