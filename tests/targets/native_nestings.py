"""Threads that each wait at the end of another kind of call through C, and a task that spins in C.

The truth is the program's own structure: what is called by what. A native function is named where it is of the extension, which has
names in every build; of the interpreter and of libraries, by what must be in its name, if that is named at all.
"""
import asyncio
import ctypes
import functools
import sqlite3
import sys
import threading

import truth

PLACES = {}
AGAIN = []  # not empty: each nesting is left again after about a millisecond, and entered anew


def reached(name):
    """Whoever gets here has called all that it is to call."""
    PLACES[name].set()
    import native_calls
    if AGAIN:
        native_calls.pause()
        native_calls.spin(200000)
    else:
        native_calls.wait()


def again(nesting):
    while True:
        nesting()


def nested():
    def first():
        import native_calls
        native_calls.call(second)

    def second():
        import native_calls
        native_calls.call_too(third)

    def third():
        import native_calls
        native_calls.call(fourth)

    def fourth():
        reached("nested")

    first()


def reduced():
    def add(left, right):
        reached("reduced")

    functools.reduce(add, [1, 2, 3])


def keyed():
    def key(value):
        reached("keyed")
        return value

    sorted([2, 1], key=key)


def called_back():
    def compare(left, right):
        reached("called_back")
        return 0

    libc = ctypes.CDLL(None)
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    numbers = (ctypes.c_int * 2)(2, 1)
    libc.qsort.restype = None
    libc.qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), prototype(compare))


def queried():
    def value(argument):
        reached("queried")
        return 0

    connection = sqlite3.connect(":memory:")
    connection.create_function("value", 1, value)
    connection.execute("SELECT value(1)").fetchall()


def generated():
    def values():
        reached("generated")
        yield 1

    for _ in map(str, values()):
        pass


# Frames from the function of the thread on: P a Python function, N a native one, n one that need not have a name.
STACKS = {
    "nested": [("P", "nested"), ("P", "first"), ("N", "call_outer"), ("N", "call_middle"), ("N", "call_inner"), ("P", "second"),
               ("N", "second_outer"), ("N", "second_inner"), ("P", "third"), ("N", "call_outer"), ("N", "call_middle"),
               ("N", "call_inner"), ("P", "fourth")],
    "reduced": [("P", "reduced"), ("n", "reduce"), ("P", "add")],
    "keyed": [("P", "keyed"), ("n", "sort"), ("P", "key")],
    "called_back": [("P", "called_back"), ("N", "qsort"), ("P", "compare")],
    "queried": [("P", "queried"), ("N", "sqlite3_step"), ("P", "value")],
    "generated": [("P", "generated"), ("n", "map_next"), ("P", "values")],
}
END = [("P", "reached"), ("N", "wait_outer"), ("N", "wait_inner"), ("N", "read")]
PAUSE = [("P", "reached"), ("N", "pause_outer"), ("N", "pause_inner")]
SPIN = [("P", "reached"), ("N", "spin_outer"), ("N", "spin_inner")]


async def spinning():
    import native_calls
    while True:
        native_calls.spin(20000000)
        await asyncio.sleep(0)


async def awaiting():
    await spinning()


def main():
    def add(parser):
        parser.add_argument("--folder", required=True)
        parser.add_argument("--again", action="store_true")

    options = truth.options(add)
    sys.path.insert(0, options.folder)
    AGAIN.extend([True] if options.again else [])
    for name in STACKS:
        PLACES[name] = threading.Event()
        nesting = globals()[name]
        threading.Thread(target=lambda nesting=nesting: again(nesting) if AGAIN else nesting(), name=name, daemon=True).start()
    for name in STACKS:
        PLACES[name].wait()
    truth.announce(options, stacks={name: stack + END for name, stack in STACKS.items()}, nestings=STACKS, ends=[PAUSE, SPIN])
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.wait_for(awaiting(), options.lifetime))


if __name__ == "__main__":
    main()
