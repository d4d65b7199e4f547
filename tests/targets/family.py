"""A parent with children, by multiprocessing: elders are there when it says it is ready, youngers are born once `go` is set.

Each process works in functions of its own, three to one, and the truth is its own thread_time_ns around each call, what it used
since its birth, and its own pid. By `fork` or `spawn` (--method). The youngers end once they have used --youth seconds of CPU time.
"""
import mmap
import multiprocessing
import os
import signal
import time

import truth

NAMES = ["go", "parent_ns"]
CHILDREN = ("elder_0", "elder_1", "younger_0", "younger_1")
WORDS = NAMES + [child + word for child in CHILDREN for word in ("_pid", "_cpu_ns", "_left_ns", "_right_ns", "_ended")]


def burn(milliseconds):
    end = time.thread_time_ns() + int(milliseconds * 1e6)
    total = 0
    while time.thread_time_ns() < end:
        for i in range(200):
            total += i & 7
    return total


def elder_0_left():
    burn(15)


def elder_0_right():
    burn(5)


def elder_1_left():
    burn(15)


def elder_1_right():
    burn(5)


def younger_0_left():
    burn(15)


def younger_0_right():
    burn(5)


def younger_1_left():
    burn(15)


def younger_1_right():
    burn(5)


def parent_work():
    burn(4)


def timed(words, name, function):
    before = time.thread_time_ns()
    function()
    words[WORDS.index(name)] += time.thread_time_ns() - before


def live(child, path, lifetime, youth):
    """What a child does: until its parent is killed, or it has used so much CPU time."""
    signal.alarm(int(lifetime) + 10)
    parent = os.getppid()
    with open(path, "rb+") as file:
        words = memoryview(mmap.mmap(file.fileno(), truth.WORD * len(WORDS))).cast("Q")
    words[WORDS.index(child + "_pid")] = os.getpid()
    while time.thread_time() < youth and os.getppid() == parent:
        timed(words, child + "_left_ns", globals()[child + "_left"])
        timed(words, child + "_right_ns", globals()[child + "_right"])
        words[WORDS.index(child + "_cpu_ns")] = time.process_time_ns()
    words[WORDS.index(child + "_ended")] = 1


def extra(parser):
    parser.add_argument("--method", choices=("fork", "spawn"), required=True)
    parser.add_argument("--youth", type=float, default=1)


def main():
    options = truth.options(extra)
    shared = truth.counters(options, WORDS)
    words = shared.words
    context = multiprocessing.get_context(options.method)

    def start(child, youth):
        process = context.Process(target=live, args=(child, shared.path, options.lifetime, youth), daemon=True)
        process.start()
        return process

    children = [start(child, options.lifetime) for child in CHILDREN[:2]]
    while not (words[WORDS.index("elder_0_pid")] and words[WORDS.index("elder_1_pid")]):
        time.sleep(0.01)
    truth.announce(options, shared, children=CHILDREN)
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        if words[0] == 1:
            words[0] = 2
            children += [start(child, options.youth) for child in CHILDREN[2:]]
        timed(words, "parent_ns", parent_work)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
