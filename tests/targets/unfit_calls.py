"""Ten functions that a cache would break, and two that it would not, each called again and again with equal arguments."""
import asyncio
import random
import time

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


def fits(n, country="de"):
    return n * RATES[country]


def fits_too(words):
    return " ".join(words)


UNFIT = ["reads_the_clock", "is_random", "counts", "takes_a_list", "Account.depends_on_the_object", "generates", "awaits",
         "makes_a_list", "closing_over.<locals>.reads_a_cell", "does_io"]
FIT = ["fits", "fits_too"]


def main():
    parsed = truth.options()
    truth.announce(parsed, unfit=UNFIT, fit=FIT, calls=TIMES)
    account = Account()
    reads_a_cell, change = closing_over()
    items = [1, 2]
    for _ in range(TIMES):
        for function in (reads_the_clock, is_random, counts, makes_a_list, reads_a_cell, fits):
            function(1)
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
