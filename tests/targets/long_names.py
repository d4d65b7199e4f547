"""Calls functions with names of many kilobytes that nothing compresses, ever another one. The counter `called` says how many."""
import os
import time
import types

import truth

options = truth.options()
counted = truth.counters(options, ["called"])
SIZE = 16_000  # letters of a name
FUNCTIONS = 1_500


def function():
    end = time.perf_counter() + 0.002
    while time.perf_counter() < end:
        pass


def named(number):
    name = "f%d_" % number + os.urandom(SIZE).decode("latin-1")
    names = {"co_name": name}
    if hasattr(function.__code__, "co_qualname"):
        names["co_qualname"] = name
    return types.FunctionType(function.__code__.replace(co_firstlineno=number + 1, **names), globals())


functions = [named(number) for number in range(FUNCTIONS)]
truth.announce(options, counted)
end = time.monotonic() + options.lifetime
while time.monotonic() < end:
    counted.words[0] += 1
    functions[counted.words[0] % FUNCTIONS]()
