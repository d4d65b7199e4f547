"""Functions that a cache would break, and some that it would not, each called again and again with equal arguments.

Those of HIDDEN return the same for the same arguments: what they do besides shows nowhere but in STATE, which changes.
"""
import asyncio
import contextvars
import functools
import logging
import operator
import random
import re
import threading
import time
import time as clock
from os.path import exists as is_there
from random import random as chance

import truth

TIMES = 40
CALLS = 0
RATES = {"de": 19}


def reads_the_clock(n):
    return time.monotonic() + n


def is_random(n):
    return random.random() + n


def counts(n):
    global CALLS
    CALLS += 1
    return CALLS + n


def takes_a_list(items):
    return len(items)


class Account:
    def __init__(self):
        self.balance = 0

    def depends_on_the_object(self, n):
        self.balance += n
        return self.balance


def generates(n):
    yield n


async def awaits(n):
    return n


def makes_a_list(n):
    return [n]


def closing_over():
    value = 0

    def reads_a_cell(n):
        return value + n

    def change():
        nonlocal value
        value += 1
    return reads_a_cell, change


def does_io(path):
    with open(path, encoding="utf-8") as file:
        return len(file.read())


class State:
    """What the functions of HIDDEN change."""
    value = 0


STATE = State()
LOG = []
TABLE = {}
LOCAL = threading.local()
LOCAL.value = 1
CONTEXT = contextvars.ContextVar("CONTEXT", default=1)
ONES = iter([1] * 1000)


def set_state(n):
    STATE.value += n


def set_far_below(n):
    set_near(n)


def set_near(n):
    def inside():
        LOG.append(n)
    inside()


def again(n):
    return again_too(n - 1) if n > 0 else 0


def again_too(n):
    set_state(1)
    return again(n)


class Parent:
    def give(self, n):
        set_state(n)
        return n


class Child(Parent):
    def give(self, n):
        return super().give(n)


def imports_what_it_calls(n):
    from unfit_calls_helper import change
    change()
    return n


class Counter:
    def __init__(self):
        self.seen = [0]

    def note(self):
        self.seen.append(1)

    def asks_another_method(self, n):
        self.note()
        return n

    @classmethod
    def note_for_all(cls):
        State.value += 1

    @classmethod
    def asks_its_class(cls, n):
        cls.note_for_all()
        return n


def counted(function):
    def wrapper(n):
        set_state(1)
        return function(n)
    return wrapper


@counted
def is_counted(n):
    return n


def asks_a_decorated_one(n):
    return is_counted(n)


def asks_a_helper(n):
    set_state(n)
    return n


def asks_a_helper_of_a_helper(n):
    set_far_below(n)
    return n


def asks_in_a_circle(n):
    return again(n)


def asks_in_a_comprehension(n):
    return sum([set_state(i) or i for i in range(n)])


def sets_by_another_name(n):
    table = TABLE
    table[n] = table.get(n, 0) + 1
    return n


def appends_by_another_name(n):
    log = LOG
    log.append(n)
    return n


def sets_by_its_dict(n):
    sets_by_its_dict.__dict__["calls"] = sets_by_its_dict.__dict__.get("calls", 0) + 1
    return n


def uses_up(n):
    return next(ONES) * n


def reads_the_context(n):
    return CONTEXT.get() * n


def reads_its_thread(n):
    return LOCAL.value * n


def asks_the_time(n):
    clock.monotonic()
    return n


def asks_for_chance(n):
    chance()
    return n


def asks_for_a_file(n):
    return is_there("/") * n


def sets_by_a_second_name(n):
    table = TABLE
    other = table
    other[n] = n
    return n


LISTS = [[], []]


def appends_to_an_item(n):
    LISTS[n].append(n)
    return n


def sets_by_a_method(n):
    TABLE.__setitem__(n, n)
    return n


class Meter:
    def __call__(self, n):
        set_state(n)

    def __enter__(self):
        set_state(1)

    def __exit__(self, *_):
        pass


METER = Meter()


def calls_an_object(n):
    METER(n)
    return n


def enters_an_object(n):
    with METER:
        return n


class Basket:
    def __init__(self):
        self.items = []

    def appends_to_its_list(self, n):
        items = self.items
        items.append(n)
        return n


class Logbook:
    def __init__(self):
        self.logger = logging.getLogger("logbook")
        self.logger.addHandler(logging.NullHandler())
        self.logger.setLevel(logging.INFO)

    def tells_its_log(self, n):
        self.logger.info("told")
        return n


HIDDEN = ["Logbook.tells_its_log", "sets_by_a_second_name", "appends_to_an_item", "sets_by_a_method", "calls_an_object", "enters_an_object",
          "Basket.appends_to_its_list", "asks_for_a_file", "asks_a_helper", "asks_a_helper_of_a_helper", "asks_in_a_circle", "asks_in_a_comprehension",
          "asks_a_decorated_one", "Counter.asks_another_method", "Counter.asks_its_class", "sets_by_another_name",
          "appends_by_another_name", "sets_by_its_dict", "uses_up", "reads_the_context", "reads_its_thread", "asks_the_time",
          "asks_for_chance", "Child.give", "imports_what_it_calls"]


def makes_an_iterator(n):
    return map(str, range(n))


def raises(n):
    raise ValueError(n)


class Pair:
    def __init__(self, n):
        self.first = n
        self.set_second(n)

    def set_second(self, n):
        self.second = n + 1


def helper(n):
    pair = Pair(n)
    return pair.first + pair.second


def fits_with_a_helper(n):
    def inside(i):
        return helper(i)
    return sum([inside(i) for i in range(n)])


def fits_with_a_pattern(text):
    return re.match("a+", text).end()


def fits_with_an_item(n):
    return [helper(n), 2][0]


def fits_with_an_operator(n):
    return functools.reduce(operator.add, (n, 2))


class Rate:
    """Of few objects, which live on."""

    def fits_of_an_object(self, n):
        return n + 1


def fits(n, country="de"):
    return n * RATES[country]


def fits_too(words):
    return " ".join(words)


UNFIT = ["reads_the_clock", "is_random", "counts", "takes_a_list", "Account.depends_on_the_object", "generates", "awaits",
         "makes_a_list", "closing_over.<locals>.reads_a_cell", "does_io", "makes_an_iterator", "raises"]
FIT = ["fits", "fits_too", "fits_with_a_helper", "fits_with_a_pattern", "fits_with_an_item", "fits_with_an_operator", "Rate.fits_of_an_object"]


def main():
    parsed = truth.options()
    truth.announce(parsed, unfit=UNFIT + HIDDEN, fit=FIT, calls=TIMES)
    account, counter, rate, child, basket, logbook = Account(), Counter(), Rate(), Child(), Basket(), Logbook()
    reads_a_cell, change = closing_over()
    items = [1, 2]
    for _ in range(TIMES):
        for function in (reads_the_clock, is_random, counts, makes_a_list, reads_a_cell, fits, makes_an_iterator, asks_a_helper,
                         asks_a_helper_of_a_helper, asks_in_a_circle, asks_in_a_comprehension, asks_a_decorated_one,
                         counter.asks_another_method, counter.asks_its_class, sets_by_another_name, appends_by_another_name,
                         sets_by_its_dict, uses_up, reads_the_context, reads_its_thread, asks_the_time, asks_for_chance, asks_for_a_file,
                         child.give, imports_what_it_calls, fits_with_a_helper, fits_with_an_item, rate.fits_of_an_object,
                         sets_by_a_second_name, appends_to_an_item, sets_by_a_method, calls_an_object, enters_an_object,
                         basket.appends_to_its_list, logbook.tells_its_log, fits_with_an_operator):
            function(1)
        try:
            raises(1)
        except ValueError:
            pass
        fits_with_a_pattern("aab")
        takes_a_list(items)
        account.depends_on_the_object(1)
        list(generates(1))
        asyncio.run(awaits(1))
        does_io(__file__)
        fits_too(("a", "b"))
        items.append(0)
        change()


if __name__ == "__main__":
    main()
