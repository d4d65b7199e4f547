"""Functions that are hard on whoever keeps what it knows of them: distinct COUNT DEPTH | line-tables BYTES | long-names COUNT BYTES"""
import sys
import time
import types


def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def distinct(count, depth):
    """Generated code: a chain of `depth` calls, each time of others."""
    functions = []
    for first in range(0, count, 500):
        names = {"F": functions}
        exec(compile("\n".join("def handler_%d(k, left):\n    if left == 0:\n        F[-1](0.0015)\n        return\n    return F[k](k + 1, left - 1)\n"
                               % (first + i) for i in range(500)), "/srv/app/generated/module_%d.py" % first, "exec"), names)
        functions.extend(value for name, value in names.items() if name.startswith("handler_"))
    functions.append(burn)
    sys.setrecursionlimit(depth + 1000)
    yield
    start = 0
    while True:
        functions[start](start + 1, depth)
        start = (start + depth) % (count - depth - 1)


def line_tables(size):
    """The same function with a new line table each time."""
    def function():
        burn(0.05)
    number = 0
    yield
    while True:
        number += 1
        entry = b"\xd8\x01\x02" if hasattr(function.__code__, "co_exceptiontable") else b"\x02\x01"
        name = "co_linetable" if hasattr(function.__code__, "co_linetable") else "co_lnotab"
        function.__code__ = function.__code__.replace(co_name="f%d" % number, co_firstlineno=number, **{name: entry * (size // len(entry))})
        function()


def long_names(count, size):
    def call(k, left):
        if left == 0:
            burn(0.004)
            return
        functions[k](k + 1, left - 1)

    def named(number):
        name = "f%d_" % number + "n" * size
        names = {"co_name": name, "co_filename": "/srv/" + "p" * size + "/m.py", "co_firstlineno": number + 1}
        if hasattr(call.__code__, "co_qualname"):
            names["co_qualname"] = name
        return types.FunctionType(call.__code__.replace(**names), globals(), None, None, call.__closure__)
    functions = [named(number) for number in range(count)]
    yield
    start = 0
    while True:
        functions[start](start + 1, 6)
        start = (start + 6) % (count - 8)


made = {"distinct": distinct, "line-tables": line_tables, "long-names": long_names}[sys.argv[1]](*map(int, sys.argv[2:]))
next(made)
print("ready", flush=True)
next(made)
