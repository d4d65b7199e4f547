"""Functions that count their own calls, and a program that tells whether somebody has hooks in it.

With --work they are called at once, and the program ends; else once the counter `go` is set, and it goes on. The counter
`hooks` is how many tool ids of sys.monitoring have awaitscope's name, or whether there is a profile function.
"""
import asyncio
import sys
import threading
import time

import truth

NAMES = ["go", "done", "hooks", "beats", "plain", "fib", "fails", "outer", "inner", "Shop.total", "Shop.of", "Shop.rate",
         "numbers", "fetch", "make.<locals>.add", "wrapped", "threaded", "takes"]
SHARED = None
LOCK = threading.Lock()


def count(name):
    with LOCK:
        SHARED.words[NAMES.index(name)] += 1


def plain(a, b=2, *rest, c=3, **more):
    count("plain")
    return a + b


def fib(n):
    count("fib")
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fails(n):
    count("fails")
    if n % 3 == 0:
        raise ValueError(n)
    return None


def outer(n):
    count("outer")
    time.sleep(0.004)
    return inner(n) + 1


def inner(n):
    count("inner")
    time.sleep(0.008)
    return n


class Shop:
    def __init__(self):
        self.orders = 0

    def total(self, price):
        count("Shop.total")
        self.orders += 1
        return price * self.orders

    @classmethod
    def of(cls, name):
        count("Shop.of")
        return name

    @staticmethod
    def rate(country):
        count("Shop.rate")
        return len(country)


def numbers(n):
    count("numbers")
    yield from range(n)


async def fetch(n):
    count("fetch")
    await asyncio.sleep(0.001)
    if n == 3:
        raise KeyError(n)
    return n


def make(x):
    def add(y):
        count("make.<locals>.add")
        return x + y
    return add


def decorated(function):
    import functools

    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@decorated
def wrapped(n):
    count("wrapped")
    return n


def threaded(n):
    count("threaded")
    return n


def takes(thing):
    count("takes")
    return thing


class Hostile:
    """An argument that must not be asked for anything."""

    def _refuse(self, *_):
        raise AssertionError("the tracer ran code of the program")

    __hash__ = __eq__ = __repr__ = __str__ = __bool__ = __len__ = __getattr__ = _refuse


async def fetch_all():
    await asyncio.gather(*[fetch(n) for n in range(20)], return_exceptions=True)


def work():
    for n in range(200):
        plain(n % 5)
        plain(n % 5, 3, 4, c=5, name="x")
    takes(Hostile())
    shop = Shop()
    fib(12)
    for n in range(31):
        try:
            fails(n)
        except ValueError:
            pass
        shop.total(n)
        Shop.of("x")
        shop.rate("de")
        wrapped(n)
        make(n)(1)
    for _ in range(5):
        outer(1)
    for n in range(7):
        list(numbers(3))
    half = numbers(3)
    next(half)
    del half
    asyncio.run(fetch_all())
    workers = [threading.Thread(target=lambda: [threaded(n % 9) for n in range(2000)]) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def hooks():
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return 0 if sys.getprofile() is None else 1
    return sum(monitoring.get_tool(number) == "awaitscope trace" for number in range(6))


def main():
    global SHARED
    parsed = truth.options(lambda parser: parser.add_argument("--work", action="store_true"))
    SHARED = truth.counters(parsed, NAMES)
    words = SHARED.words
    truth.announce(parsed, SHARED, ids=[number for number in range(6)])
    if parsed.work:
        words[NAMES.index("hooks")] = hooks()
        work()
        words[NAMES.index("done")] = 1
        return
    end = time.monotonic() + parsed.lifetime
    while time.monotonic() < end:
        words[NAMES.index("hooks")] = hooks()
        words[NAMES.index("beats")] += 1
        if words[0] and not words[1]:
            work()
            words[1] = 1
        time.sleep(0.01)


if __name__ == "__main__":
    main()
