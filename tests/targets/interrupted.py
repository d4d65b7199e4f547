"""Waits in many ways, as a thread each, and counts what an interruption would show: a call that fails, or one that returns too soon."""
import os
import select
import socket
import threading
import time

import truth

NAMES = ["rounds", "failed", "short"]
ROUNDS, FAILED, SHORT = range(len(NAMES))
WAIT = 0.02


class Waiter(threading.Thread):

    def __init__(self, name, wait, words, end):
        super().__init__(name=name, daemon=True)
        self.wait, self.words, self.end = wait, words, end

    def run(self):
        while time.monotonic() < self.end:
            begun = time.monotonic()
            try:
                self.wait()
            except OSError:
                self.words[FAILED] += 1
            if time.monotonic() - begun < 0.99 * WAIT:
                self.words[SHORT] += 1
            self.words[ROUNDS] += 1


def ways():
    lock = threading.Lock()
    lock.acquire()
    ours, theirs = socket.socketpair()
    ours.settimeout(WAIT)
    epoll = select.epoll()
    epoll.register(theirs, select.EPOLLIN)
    poll = select.poll()
    poll.register(theirs, select.POLLIN)

    def receive():
        try:
            ours.recv(1)
        except socket.timeout:
            pass

    def read():
        """Of a pipe that another thread writes to in time."""
        reading, writing = os.pipe()
        timer = threading.Timer(WAIT, os.write, (writing, b"x"))
        timer.start()
        os.read(reading, 1)
        timer.join()
        os.close(reading)
        os.close(writing)

    return {"sleep": lambda: time.sleep(WAIT), "lock": lambda: lock.acquire(timeout=WAIT), "receive": receive, "read": read,
            "select": lambda: select.select([theirs], [], [], WAIT), "epoll": lambda: epoll.poll(WAIT),
            "poll": lambda: poll.poll(WAIT * 1000)}


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    end = time.monotonic() + options.lifetime
    waiters = [Waiter(name, wait, shared.words, end) for name, wait in ways().items()]
    for waiter in waiters:
        waiter.start()
    truth.announce(options, shared)
    while time.monotonic() < end:  # the threads stop where they wait, this one where it computes
        sum(range(1000))


main()
