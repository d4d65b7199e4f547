"""Calls a function that has another code object each time, with a line table of megabytes. The counter `made` says how many."""
import time

import truth

options = truth.options()
counted = truth.counters(options, ["made"])
SIZE = 3 << 20  # bytes


def function():
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end:
        pass


def with_lines(number):
    code = function.__code__
    name = "function_%d" % number
    if hasattr(code, "co_linetable"):
        entry = b"\xd8\x01\x02" if hasattr(code, "co_exceptiontable") else b"\x02\x01"
        return code.replace(co_name=name, co_firstlineno=number, co_linetable=entry * (SIZE // len(entry)))
    return code.replace(co_name=name, co_firstlineno=number, co_lnotab=b"\x02\x01" * (SIZE // 2))


truth.announce(options, counted)
end = time.monotonic() + options.lifetime
while time.monotonic() < end:
    counted.words[0] += 1
    function.__code__ = with_lines(counted.words[0])
    function()
