"""Functions that are no plain ones of a module."""
import contextvars
import functools
import re
import threading
import time as clock

WORK = {}


def burn(rounds):
    return WORK["burn"](rounds)


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@wrapping
def decorated(value, rounds):
    return burn(rounds) + value


PAIR = (lambda value, rounds: burn(rounds) + value), (lambda value, rounds: burn(rounds) * value)


class Slotted:
    __slots__ = ("rate",)

    def __init__(self, rate):
        self.rate = rate

    def moving(self, value, rounds):
        return burn(rounds) * self.rate + value

    def steady(self, value, rounds):
        return burn(rounds) * self.rate + value


class More(Slotted):
    __slots__ = ("tax",)

    def derived(self, value, rounds):
        return burn(rounds) * self.tax + value


class Report:
    def __init__(self, rounds):
        self.rounds = rounds

    @property
    def worth(self):
        return burn(self.rounds)


class Account:
    def __eq__(self, other):  # so that it has no hash
        return self is other

    def of(self, value, rounds):
        return burn(rounds) + value

    @classmethod
    def of_class(cls, value, rounds):
        return burn(rounds) + value

    @staticmethod
    def of_none(value, rounds):
        return burn(rounds) + value


class FrozenDict(dict):
    __hash__ = object.__hash__


def positional(value, other, /, rounds):
    return burn(rounds) + value + other


def frozen_dict(value, rounds):
    return burn(rounds) + len(value)


def iterated(values, rounds):
    return burn(rounds) + sum(values)


def outer_one(value, rounds):
    def same_name(value, rounds):
        return burn(rounds) + value
    return same_name(value, rounds)


def outer_two(value, rounds):
    def same_name(value, rounds):
        return burn(rounds) - value
    return same_name(value, rounds)


def collected(value, rounds):
    found = {}
    found[str(value)] = burn(rounds)
    return len(found) + value


class Box:
    pass


TOUCHED = Box()
TABLE = {}
LOCAL = threading.local()
LOCAL.value = 1
CONTEXT = contextvars.ContextVar("CONTEXT", default=1)


def temporary(box, rounds):
    return burn(rounds)


def touch(value):
    TOUCHED.value = value


def touch_below(value):
    touch(value)


def touching(value, rounds):
    touch(value)
    return burn(rounds) + value


def touching_below(value, rounds):
    touch_below(value)
    return burn(rounds) + value


class Toucher:
    def touch_itself(self, value):
        self.value = value

    @classmethod
    def touching_in_class(cls, value, rounds):
        cls.touch_itself(cls, value)
        return burn(rounds) + value


class Config:
    rate = 1


FACTOR = 1


def configured(value, rounds):
    return burn(rounds) + value * Config.rate


def factor():
    return FACTOR


def scaled(value, rounds):
    return burn(rounds) + value * factor()


def timed(value, rounds):
    clock.monotonic_ns()
    return burn(rounds) + value


def threaded(value, rounds):
    return burn(rounds) + value * LOCAL.value


def contextual(value, rounds):
    return burn(rounds) + value * CONTEXT.get()


def aliased(value, rounds):
    table = TABLE
    table[value] = value
    return burn(rounds) + value


def aliased_twice(value, rounds):
    table = TABLE
    other = table
    other[value] = value
    return burn(rounds) + value


LISTS = {0: [], 1: [], 2: []}


def appending(value, rounds):
    LISTS[value].append(value)
    return burn(rounds) + value


def set_by_method(value, rounds):
    TABLE.__setitem__(value, value)
    return burn(rounds) + value


class Called:
    def __call__(self, value):
        self.value = value


CALLED = Called()


def calling(value, rounds):
    CALLED(value)
    return burn(rounds) + value


PRICES = {"a": 1}


def looked_up(value, rounds):
    return burn(rounds) + value * PRICES["a"]


def split(value, rounds):
    text = "a " * value
    burn(rounds)
    return text.split()


def one_shot(value, rounds):
    burn(rounds)
    return map(str, range(value))


class Made:
    def __init__(self, value):
        self.value = value


def patterned(value, rounds):
    return burn(rounds) + Made(value).value + re.match("a+", "aab").end()


def importing(value, rounds):
    import math
    return burn(rounds) + math.floor(value)


def tupled(value, rounds):
    return tuple(burn(rounds) + i for i in range(1))


def itemised(value, rounds):
    return [burn(rounds) + value, 2][0]


def number(value, other, rounds):
    return burn(rounds)


BODIES = ("value", "value * time.time()")


def make_anew(number):
    """The same name in the same place, anew."""
    space = {"burn": burn, "time": __import__("time")}
    exec("def redefined(value, rounds):\n    return burn(rounds) + " + BODIES[number], space)
    return space["redefined"]


def calls(burn_rounds, rounds, count):
    """Of each call a name, the function and its arguments, one behind the other."""
    WORK["burn"] = burn_rounds
    few = [Slotted(i) for i in range(3)]
    more = More(1)
    account, report = Account(), Report(rounds)
    frozen = [FrozenDict(a=i) for i in range(3)]
    both = make_anew(0), make_anew(1)
    numbers = (1, 1.0, True)
    new_ones = {"touching": touching, "touching_below": touching_below, "touching_in_class": Toucher.touching_in_class,
                "timed": timed, "threaded": threaded, "contextual": contextual, "aliased": aliased, "one_shot": one_shot,
                "configured": configured, "scaled": scaled, "patterned": patterned, "itemised": itemised,
                "aliased_twice": aliased_twice, "appending": appending, "set_by_method": set_by_method, "calling": calling,
                "looked_up": looked_up, "split": split, "importing": importing, "tupled": tupled}
    of_numbers = {"decorated": decorated, "of": account.of, "of_class": Account.of_class, "of_none": Account.of_none,
                  "outer_one": outer_one}
    global FACTOR
    for i in range(count):
        Config.rate += 1
        FACTOR += 1
        PRICES["a"] = i
        for name, function in {**of_numbers, **new_ones}.items():
            yield name, function, (i % 3, rounds)
        yield "temporary", temporary, (Box(), rounds)
        yield "number", number, (numbers[i % 3], 0, rounds)
        yield "<lambda>", PAIR[i % 2], (i % 3, rounds)
        few[0].rate += 1
        yield "moving", few[0].moving, (1, rounds)
        more.tax = i
        yield "derived", more.derived, (1, rounds)
        yield "worth", Report.worth.fget, (report,)
        yield "positional", positional, (i % 3, 5, rounds)
        yield "frozen_dict", frozen_dict, (frozen[i % 3], rounds)
        yield "iterated", iterated, (iter((1, 2)), rounds)
        yield "collected", collected, (i % 3, rounds)
        yield "outer_two", outer_two, (1, rounds)
        yield "redefined", both[i % 2], (i % 3, rounds)
    steady = [Slotted(i) for i in range(3)]
    for i in range(count):
        yield "steady", steady[i % 3].steady, (1, rounds)
