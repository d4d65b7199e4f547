"""A thread that enters a sub-interpreter, works there, comes back and works here, turn by turn.

The truth: its own CPU time in each, by the thread's clock. The main thread waits.
"""
import threading
import time

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

NAMES = ["inside_ns", "outside_ns", "turns"]
INSIDE, OUTSIDE, TURNS = range(len(NAMES))
INSIDE_NS = 30000000
OUTSIDE_NS = 20000000

SOURCE = """
import time

def inside_leaf(amount):
    end = time.thread_time_ns() + amount
    while time.thread_time_ns() < end:
        pass

def inside_main():
    inside_leaf(%d)
""" % INSIDE_NS


def outside_leaf(amount):
    end = time.thread_time_ns() + amount
    while time.thread_time_ns() < end:
        pass


def take_turns(words, enter):
    began = time.thread_time_ns()
    while True:
        enter("inside_main()")
        back = time.thread_time_ns()
        outside_leaf(OUTSIDE_NS)
        after = time.thread_time_ns()
        words[INSIDE] += back - began
        words[OUTSIDE] += after - back
        words[TURNS] += 1
        began = after


def run(words):
    number = interpreters.create()
    execute = getattr(interpreters, "exec", None) or interpreters.run_string
    execute(number, SOURCE)
    take_turns(words, lambda source: execute(number, source))


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    threading.Thread(target=run, args=(shared.words,), name="turner", daemon=True).start()
    while shared.words[TURNS] == 0:
        time.sleep(0.01)
    truth.announce(options, shared)
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
