"""Two sub-interpreters, each made and run by a thread of its own, beside a main interpreter that waits.

The truth: for each the number of the interpreter, the thread that it runs in, and its frames' functions. A sub-interpreter
sleeps between two bursts: before 3.12 one that never does is never asked for the GIL that it shares with the others.
"""
import json
import threading
import time

import truth

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

SOURCE = """
import time

def sub_leaf_%(name)s(end):
    open(%(mark)r, "w").close()
    while time.monotonic() < end:
        until = time.monotonic() + 0.005
        while time.monotonic() < until:
            pass
        time.sleep(0.001)

def sub_main_%(name)s():
    sub_leaf_%(name)s(time.monotonic() + %(lifetime)r)

sub_main_%(name)s()
"""


def run(name, options, found):
    number = interpreters.create()
    mark = "%s.%s" % (options.ready, name)
    found[name] = {"interpreter": int(number), "tid": threading.get_native_id(), "thread": "runner-" + name, "mark": mark,
                   "functions": ["<module>", "sub_main_" + name, "sub_leaf_" + name]}
    source = SOURCE % {"name": name, "lifetime": options.lifetime, "mark": mark}
    if hasattr(interpreters, "exec"):
        interpreters.exec(number, source)
    else:
        interpreters.run_string(number, source)


def wait_for(marks):
    for mark in marks:
        while True:
            try:
                with open(mark):
                    break
            except FileNotFoundError:
                time.sleep(0.01)


def main():
    options = truth.options()
    found = {}
    for name in ("a", "b"):
        threading.Thread(target=run, args=(name, options, found), name="runner-" + name, daemon=True).start()
    while len(found) < 2:
        time.sleep(0.01)
    wait_for([one["mark"] for one in found.values()])
    truth.announce(options, interpreters=json.loads(json.dumps(found)))
    time.sleep(options.lifetime)


if __name__ == "__main__":
    main()
