"""Compiles, runs and drops functions, so that each new code object takes the memory of one that died.

Round N runs under slot_K, a function that lives on, with K = N modulo the number of slots. What is made in an even round
has a name of its own (made_N in <made>), in an odd round a file of its own (made in <made N>, nothing else different),
and the `def` of an even round stands on a line that N tells: a name that is left from another round stands under
another slot or on another line.
"""
import time

import truth

SLOTS = 61  # prime, so that no period of the allocator's fits it
LINES = 97
ROUND_SECONDS = 0.002
NAMES = ("rounds", "reused")
ROUNDS, REUSED = range(len(NAMES))
BODY = "def %s(now, end):\n    while now() < end:\n        for i in range(50):\n            pass\n"


def make_slots():
    source = "".join("def slot_%d(function, now, end):\n    function(now, end)\n\n\n" % number for number in range(SLOTS))
    scope = {}
    exec(compile(source, __file__, "exec"), scope)
    return [scope["slot_%d" % number] for number in range(SLOTS)]


def make(number):
    """The function of a round; on the line 1 + number % LINES where that is even."""
    odd = number % 2
    name, file = ("made", "<made %d>" % number) if odd else ("made_%d" % number, "<made>")
    scope = {}
    exec(compile("\n" * (0 if odd else number % LINES) + BODY % name, file, "exec"), scope)
    return scope.pop(name)  # else it would be in its own globals, and live until the collector comes


def main():
    options = truth.options()
    shared = truth.counters(options, NAMES)
    slots = make_slots()
    words, now = shared.words, time.monotonic
    truth.announce(options, shared, slots=SLOTS, lines=LINES)
    known = set()
    end = now() + options.lifetime
    while now() < end:
        number = words[ROUNDS]
        function = make(number)
        words[REUSED] += id(function.__code__) in known
        known.add(id(function.__code__))
        slots[number % SLOTS](function, now, now() + ROUND_SECONDS)
        del function
        words[ROUNDS] = number + 1


if __name__ == "__main__":
    main()
