"""Has caches of every kind, where programs keep them, and tells what cache_info() says of each.

The truth has every functools.lru_cache of the process, found by the collector: {id: what it is and what it holds}; "mine" are
those of this file. With --busy a thread calls three of them all the time: one that hits, one that misses, one that is cleared
again and again. "hits" and "misses" count its calls of the first two.
"""
import functools
import gc
import inspect
import threading
import time
import types

import truth

lru_cache = functools.lru_cache


def called(cache, *keys):
    """The cache, after calls with these."""
    for key in keys:
        cache(key)
    return cache


@lru_cache
def plain(x):
    return x


@lru_cache(maxsize=32)
def sized(x):
    return x


@lru_cache(maxsize=None)
def unbounded(x):
    return x


@lru_cache(maxsize=0)
def keeps_nothing(x):
    return x


@lru_cache(maxsize=-5)
def negative(x):
    return x


@lru_cache(maxsize=4)
def full(x):
    return x


@lru_cache(typed=True)
def typed_bounded(x):
    return x


@lru_cache(maxsize=None, typed=True)
def typed_unbounded(x, *, y=1):
    return x, y


@lru_cache(maxsize=16)
@lru_cache(maxsize=8)
def twice(x):
    return x


@lru_cache()
def never_called(x):
    return x


@lru_cache()
def raises(x):
    raise ValueError(x)


@lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@lru_cache()
def cleared(x):
    return x


def decorator(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


def hiding_decorator(function):
    cached = lru_cache(maxsize=3)(function)

    def wrapper(*args):
        return cached(*args)
    return wrapper


@decorator
@lru_cache()
def wrapped_outside(x):
    return x


@lru_cache()
@decorator
def wrapped_inside(x):
    return x


@hiding_decorator
def in_a_closure(x):
    return x


def make(number):
    @lru_cache(maxsize=number)
    def made(x):
        return x + number
    return made


for each in range(1, 11):
    globals()["made_%d" % each] = called(make(each), *range(2 * each))

in_a_lambda = lru_cache(lambda x: x)
of_a_builtin = lru_cache(abs)
of_a_partial = lru_cache(functools.partial(pow, 2))


def power(base, exponent):
    return base ** exponent


of_a_python_partial = lru_cache(functools.partial(power, 2))


class Point:
    def __init__(self, x):
        self.x = x

    def scaled(self, by):
        return self.x * by

    def __call__(self, x):
        return x


class Outer:
    class Inner(Point):
        pass


of_a_class = lru_cache(Point)
of_a_nested_class = lru_cache(Outer.Inner)
of_a_static_type = lru_cache(bytes)
of_a_method = lru_cache(Point(3).scaled)
of_an_object = lru_cache(maxsize=7)(Point(3))


def on_a_function(x):
    return x


on_a_function.cache = called(lru_cache(maxsize=11)(lambda x: x), 1, 1, 2)


def of_registry(x):
    return x


REGISTRY = {"first": called(lru_cache(of_registry), 1, 1), 2: called(lru_cache(maxsize=12)(of_registry), 5)}
HANDLERS = [called(lru_cache(maxsize=13)(of_registry), 1), (1, 2)]
PAIR = (called(lru_cache(maxsize=14)(of_registry), 1, 2), None)
PART = functools.partial(called(lru_cache(maxsize=15)(of_registry), 3), 3)
globals()[(4, "not a str")] = called(lru_cache(maxsize=17)(of_registry), 4)


class Methods:
    KINDS = {"by kind": called(lru_cache(maxsize=18)(of_registry), 1)}

    @lru_cache(maxsize=64)
    def method(self, x):
        return x

    @staticmethod
    @lru_cache(maxsize=65)
    def static(x):
        return x

    @classmethod
    @lru_cache(maxsize=66)
    def of_class(cls, x):
        return x

    @property
    @lru_cache(maxsize=67)
    def value(self):
        return 1

    @lru_cache(maxsize=68, typed=True)
    def typed_method(self, x):
        return x

    @decorator
    @lru_cache(maxsize=69)
    def decorated(self, x):
        return x

    class Nested:
        @lru_cache(maxsize=70)
        def method(self, x):
            return x

        class Deeper:
            @staticmethod
            @lru_cache(maxsize=71)
            def static(x):
                return x


class Meta(type):
    @lru_cache(maxsize=72)
    def of_metaclass(cls, x):
        return x


class WithMeta(metaclass=Meta):
    pass


def make_class():
    class Base:
        @lru_cache(maxsize=73)
        def inherited(self, x):
            return x

    class Derived(Base):
        pass
    return Derived


Derived = make_class()


class Holder:
    """Keeps caches in attributes of its instances, whose class each dict form of the interpreter makes."""

    def __init__(self, first):
        self.name = "a holder"
        self.loader = called(lru_cache(maxsize=first)(of_registry), *range(first + 1))


class Slotted(Holder):
    __slots__ = ("extra",)


class Slim:
    """Without a dict."""
    __slots__ = ("loader",)

    def __init__(self, first):
        self.loader = called(lru_cache(maxsize=first)(of_registry), *range(first + 1))


SLIM = Slim(20)
HOLDER = Holder(21)
OTHER_HOLDER = Holder(22)
OTHER_HOLDER.late = called(lru_cache(maxsize=23)(of_registry), 1)
WITH_DICT = Holder(24)
vars(WITH_DICT)["added"] = called(lru_cache(maxsize=25)(of_registry), 1)
del WITH_DICT.name
ODD_KEYS = Holder(26)
vars(ODD_KEYS)[5] = called(lru_cache(maxsize=27)(of_registry), 1)
CROWDED = Holder(28)
for each in range(40):  # more than keys that instances share may have
    setattr(CROWDED, "attribute_%d" % each, each)
CROWDED.last = called(lru_cache(maxsize=29)(of_registry), 1, 1)
SLOTTED = Slotted(30)
BOUND = Methods().method

if hasattr(functools, "cache"):
    simple = functools.cache(of_registry)

other_module = types.ModuleType("other_module")
other_module.cached = called(lru_cache(maxsize=31)(of_registry), 1, 2, 3, 1)


@lru_cache(maxsize=128)
def always_hits(x):
    return x


@lru_cache(maxsize=100)
def always_misses(x):
    return x


def call_them():
    for cache in (plain, sized, unbounded, keeps_nothing, negative, full, typed_bounded, typed_unbounded, twice,
                  wrapped_outside, wrapped_inside, in_a_closure, in_a_lambda, Methods.static, Methods.of_class,
                  Methods.Nested.Deeper.static, of_an_object, of_a_method, of_a_partial, of_a_builtin, of_a_class):
        called(cache, *[1, 2, 3, 1, 2, 1])
    called(plain, *range(1000))
    called(unbounded, *range(5000))
    called(full, *(list(range(10)) * 50))
    called(typed_bounded, 1, 1.0, True, 1)
    typed_unbounded(1, y=2)
    called(cleared, *range(10))
    cleared.cache_clear()
    called(cleared, 1, 1)
    fibonacci(30)
    for _ in range(5):
        try:
            raises(1)
        except ValueError:
            pass
    for instance in (Methods(), Methods()):
        called(instance.method, 1, 2, 1)
        called(instance.typed_method, 1, 1.0)
        called(instance.decorated, 1)
        assert instance.value == 1
    called(Methods.Nested().method, 1)
    called(WithMeta.of_metaclass, 1, 1, 1)
    called(Derived().inherited, 1, 2)


def innermost(function):
    while True:
        function = inspect.unwrap(function)
        inner = getattr(function, "func", None) if isinstance(function, functools.partial) else \
            getattr(function, "__func__", None)
        if inner is None:
            return function
        function = inner


def fact(cache):
    info = cache.cache_info()
    inner = innermost(cache)
    code = getattr(inner, "__code__", None)
    typed = cache.cache_parameters()["typed"] if hasattr(cache, "cache_parameters") else "typed" in str(inner)  # 3.9
    return {"name": getattr(inner, "__qualname__", type(inner).__qualname__), "module": inner.__module__,
            "file": code and code.co_filename, "line": code and code.co_firstlineno, "hits": info.hits,
            "misses": info.misses, "maxsize": info.maxsize, "currsize": info.currsize, "typed": typed,
            "mine": inner.__module__ == __name__ or cache in (of_a_builtin, of_a_partial, of_a_static_type)}


def be_busy(words, end):
    number = 0
    while time.monotonic() < end:
        for _ in range(100):
            number += 1
            always_hits(1)
            words[0] += 1
            always_misses(number)
            words[1] += 1
            cleared(number % 64)
        cleared.cache_clear()


def main():
    options = truth.options(lambda parser: parser.add_argument("--busy", action="store_true"))
    import sys
    sys.modules["other_module"] = other_module
    shared = truth.counters(options, ["hits", "misses"])
    always_hits(1)
    call_them()
    end = time.monotonic() + options.lifetime
    busy = threading.Thread(target=be_busy, args=(shared.words, end))
    caches = {hex(id(found)): fact(found) for found in gc.get_objects() if isinstance(found, type(plain))}
    if options.busy:
        busy.start()
    truth.announce(options, shared, caches=caches,
                   busy={name: hex(id(globals()[name])) for name in ("always_hits", "always_misses", "cleared")})
    time.sleep(max(0, end - time.monotonic()))


if __name__ == "__main__":
    main()
