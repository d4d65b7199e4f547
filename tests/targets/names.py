"""Burns in turn in functions with awkward names: beyond ASCII, very long, with bytes that could break a line, and with characters that nobody sees.

Each is a real code object whose names were replaced; the truth lists function name, file name and thread name as
they are, and a counter for each function that only moves while it runs.
"""
import threading
import time

import truth

FILE = "<generated>"
NAMES = [
    ("plain", FILE),
    ("café.naïve", FILE),
    ("Класс.метод", FILE),
    ("名前.関数", FILE),
    ("\U0001f40d.\U0001f525", FILE),
    ("Outer." + "long_" * 100 + "end", FILE),
    ("semi;colon;;twice", FILE),
    ("new\nline 7", FILE),
    ("tab\tand\rreturn", FILE),
    ("escape\x1b[31mred\x1b[0m", FILE),
    ("zero\x00and\x7fdelete", FILE),
    ("next\x85line", FILE),
    ("control\x9b31mred", FILE),
    ("\u202egnitrap.\u2066lla\u2069", "/srv/\u202eyp.\u200fx.py"),
    ("zero\u200bwidth\u2060\ufeff", FILE),
    ("two\u2028lines\u061c", FILE),
    ("tagged\U000e0041\U000e007f", FILE),
    ("count 12", FILE),
    ("(parens) (x.py:3)", FILE),
    ("surrogate\udcff", FILE),
    ("odd_file", "dir;with semi/na\tme\nof.py"),
    ("odd_file_2", "каталог/файл.py"),
    ("Very." + "длинное_" * 500 + "end", FILE),
    ("long_file", "каталог/" * 400 + "файл.py"),
]
SOURCE = """
def burn(words, index, end, now):
    while now() < end:
        for i in range(200):
            pass
        words[index] += 1
"""


def make(name, file):
    scope = {}
    exec(compile(SOURCE, file.replace("\x00", ""), "exec"), scope)
    function = scope["burn"]
    changes = {"co_name": name.rpartition(".")[2], "co_filename": file}
    if hasattr(function.__code__, "co_qualname"):
        changes["co_qualname"] = name
    function.__code__ = function.__code__.replace(**changes)
    return function


def take_turns(words, functions, lifetime):
    end = time.monotonic() + lifetime
    while time.monotonic() < end:
        for index, function in enumerate(functions):
            function(words, index, time.monotonic() + 0.02, time.monotonic)


def main():
    options = truth.options()
    shared = truth.counters(options, ["n%d" % index for index in range(len(NAMES))])
    functions = [make(name, file) for name, file in NAMES]
    thread_name = "odd;thread\nname\t\u202e\U000e0041\u00e9 " + "\u0436" * 1000
    thread = threading.Thread(target=take_turns, args=(shared.words, functions, options.lifetime), name=thread_name)
    thread.start()
    truth.announce(options, shared, thread=thread_name,
                   functions=[truth.frame_fact(function.__code__) for function in functions])
    thread.join()


if __name__ == "__main__":
    main()
