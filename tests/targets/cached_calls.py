"""Functions that are called with arguments that repeat as a seed says, one function behind the other, once the counter `go` is set;
`done` is set at the end.

--what streams: keys by Zipf's law, at random from few, each once, and in bursts; of calls of some periods (dear) and of a small part
of one (cheap); methods of few and of many objects; a function that sets its argument. Where keys repeat, the same calls are made of
a function NAME and of its like, kept_NAME, behind functools.lru_cache(maxsize=None), in turns of some 40 ms: what the cache has
saved is the difference of their CPU times.
--what kinds: of each kind of argument three values, made anew for each call; `distinct` says how many are told apart.
--what models: the same of Django models, which needs Django.
--what odd: functions that are no plain ones of a module.
--what unfit: functions that no cache should stand in front of.
--what secrets: arguments of every kind with a text or a number that is nowhere else, which `secrets` names.

Truth: `log`, a file that is written at the end: of each function the keys of its calls, in their order, and their CPU time.
"""
import asyncio
import datetime
import decimal
import enum
import functools
import json
import os
import random
import time
import uuid

import truth

PERIOD = 0.001  # seconds, of the recorder
LENGTHS = {"dear": 2.5, "cheap": 0.15}  # periods
TURN = 0.04  # seconds
METHOD_CALLS = 160  # of few objects, and of as many
SEED = 7
SETTINGS = {"rounds": 1000}  # of burn(), for a millisecond


def burn(rounds):
    total = 0
    for i in range(rounds):
        total = (total * 31 + i) % 1000003
    return total


def calibrate():
    begun = time.thread_time()
    burn(200000)
    return 200000 / max(1e-6, time.thread_time() - begun) / 1000


# Their rounds are a default argument, which is the same in each call.
STREAM = """
def {name}(key, rounds={rounds}):
    return burn(rounds) + hash(key)
"""


def function(source, **values):
    space = {"burn": burn, "decimal": decimal}
    exec(compile(source.format(**values), __file__, "exec"), space)
    return space[values["name"]]


class Shop:
    def __init__(self, number):
        self.number = number

    def price(self, item, rounds):
        return burn(rounds) + item + self.number


def overwriting(key, rounds):
    key = key + 1
    return burn(rounds) + key


def zipf(count):
    weights = [1 / (rank + 1) ** 1.1 for rank in range(200)]
    return random.choices(range(200), weights, k=count)


def bursts(count):
    return [i // 8 for i in range(count)]


STREAMS = {
    "zipf": zipf,
    "uniform": lambda count: [random.randrange(60) for _ in range(count)],
    "unique": lambda count: list(range(count)),
    "bursts": bursts,
}


class Log:
    """Of each function the keys of its calls, in their order, and what they took of the CPU, together and each."""

    def __init__(self, path):
        self.path = path
        self.keys = {}
        self.cpu_ns = {}
        self.each_ns = {}

    def run(self, name, function, calls):
        """Of each call the number of its key, and its arguments."""
        clock = time.thread_time_ns
        used = [clock()]
        for _, args in calls:
            function(*args)
            used.append(clock())
        self.cpu_ns[name] = self.cpu_ns.get(name, 0) + used[-1] - used[0]
        self.each_ns.setdefault(name, []).extend(end - begin for begin, end in zip(used, used[1:]))
        self.keys.setdefault(name, []).extend(key for key, _ in calls)

    def write(self):
        with open(self.path, "w", encoding="ascii") as file:
            json.dump({"keys": self.keys, "cpu_ns": self.cpu_ns, "each_ns": self.each_ns}, file)

    def run_both(self, name, rounds, keys, turn):
        """Without a cache and with one: in turns, since a machine is never as fast for long."""
        plain = function(STREAM, name=name, rounds=rounds)
        kept = functools.lru_cache(maxsize=None)(function(STREAM, name="kept_" + name, rounds=rounds))
        calls = [(key, (key,)) for key in keys]
        repeats = len(set(keys)) < len(keys)
        for first in range(0, len(calls), turn):
            self.run(name, plain, calls[first:first + turn])
            if repeats:
                self.run("kept_" + name, kept, calls[first:first + turn])

    def run_streams(self, dear, cheap):
        per_period = SETTINGS["rounds"] * 1000 * PERIOD
        for length, count in (("dear", dear), ("cheap", cheap)):
            turn = int(TURN / PERIOD / LENGTHS[length])
            for stream, keys_of in STREAMS.items():
                name = "%s_%s" % (length, stream)
                more = 3 if name == "cheap_uniform" else 1  # its saving is tested
                self.run_both(name, int(per_period * LENGTHS[length]), keys_of(count * more), turn)
        rounds = int(per_period * LENGTHS["dear"])
        few = [Shop(i) for i in range(3)]
        many = [Shop(i) for i in range(METHOD_CALLS)]
        for name, shops in (("few", few), ("many", many)):
            calls = [(i % len(shops) * 4 + i % 4, (shops[i % len(shops)], i % 4, rounds)) for i in range(METHOD_CALLS)]
            self.run(name, Shop.price, calls)
        self.run("overwriting", overwriting, [(i % 5, (i % 5, rounds)) for i in range(60)])


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


ZONE = datetime.timezone(datetime.timedelta(hours=2))
TEXTS = ("ascii-%d", "d\xe9j\xe0-%d", "\u4f60\u597d-%d", "\U0001f600-%d")

# A value that equals others of the same number, and is another object each time.
KINDS = {
    "small": lambda i: i,
    "large": lambda i: 10 ** 40 + i,
    "negative": lambda i: -(10 ** 12) - i,
    "real": lambda i: i + 0.5,
    "undefined": lambda i: float("nan"),
    "undefined_decimal": lambda i: decimal.Decimal("NaN"),
    "imaginary": lambda i: complex(1.5, i),
    "truth": lambda i: i == 0,
    "none": lambda i: None,
    "ascii": lambda i: TEXTS[0] % i,
    "latin": lambda i: TEXTS[1] % i,
    "wide": lambda i: TEXTS[2] % i,
    "widest": lambda i: TEXTS[3] % i,
    "long": lambda i: "x" * 2000 + str(i),
    "bytes_": lambda i: b"key-%d" % i,
    "decimal_": lambda i: decimal.Decimal("12345678901234567890.%d" % i),
    "date": lambda i: datetime.date(2024, 2, 1 + i),
    "moment": lambda i: datetime.datetime(2024, 2, 1, 12, 30, i, 5, ZONE),
    "naive": lambda i: datetime.datetime(2024, 2, 1, 12, 30, i),
    "clock": lambda i: datetime.time(12, 30, i),
    "delta": lambda i: datetime.timedelta(days=1, seconds=i),
    "uuid_": lambda i: uuid.UUID(int=2 ** 100 + i),
    "colour": lambda i: list(Colour)[i],
    "nested": lambda i: (i, ("a%d" % i, (None, 2.5)), b"b"),
    "frozen": lambda i: frozenset(("x%d" % i, "y", 3)),
    "class_": lambda i: (int, str, float)[i],
}

KIND = """
def {name}(value):
    return burn({rounds})
"""
WAYS = {
    "star": ("def star(*values):\n    return burn({rounds})\n", lambda i: ((i, "a%d" % i), {})),
    "keywords": ("def keywords(**values):\n    return burn({rounds})\n", lambda i: ((), {"a": i, "b": "b%d" % i})),
    "keyword_only": ("def keyword_only(*, value, other=5):\n    return burn({rounds})\n", lambda i: ((), {"value": 2000 + i})),
    "default": ("def default(value=None, other=7):\n    return burn({rounds})\n", lambda i: ((i,), {})),
    "celled": ("def celled(value, rounds={rounds}):\n    def inner():\n        return value\n"
               "    return burn(rounds) + inner()\n", lambda i: ((1000 + i,), {})),
}


def run_values(log, kinds, count, rounds):
    for name, make in kinds.items():
        log.run(name, function(KIND, name=name, rounds=rounds), [(i % 3, (make(i % 3),)) for i in range(count)])


def run_models(log, count, rounds):
    import cached_models as shop

    run_values(log, dict(shop.SAVED, **shop.UNSAVED), count, rounds)
    shop.WORK.append(burn)
    log.run("priced", shop.Product.priced, [(i % 3, (shop.Product(pk=1000 + i % 3), rounds)) for i in range(count)])


def run_kinds(log, count, rounds):
    run_values(log, KINDS, count, rounds)
    for name, (source, make) in WAYS.items():
        made = function(source, name=name, rounds=rounds)
        calls = [(i % 3, make(i % 3)) for i in range(count)]
        log.run(name, lambda args, named, made=made: made(*args, **named), calls)


COUNTS = {"calls": 0}
KEYED = {}


class Rates:
    rate = 1.0

    def attribute(self, value, rounds):
        return burn(rounds) * self.rate + value


def unfit(rounds):
    """{name: a call that may be made again and again}"""
    counter = 0

    def clock(value):
        return burn(rounds) + value + time.time()

    def chance(value):
        return burn(rounds) + value + random.random()

    def counting(value):
        COUNTS["calls"] += 1
        return burn(rounds) + COUNTS["calls"]

    def keyed(value):
        KEYED[(value, rounds)] = burn(rounds)
        return len(KEYED)

    def given_list(value):
        return burn(rounds) + len(value)

    def generated(value):
        yield burn(rounds) + value

    async def awaited(value):
        return burn(rounds) + value

    def fresh(value):
        burn(rounds)
        return [value] * 3

    def comprehended(value):
        burn(rounds)
        return {i: i for i in range(value)}

    def closed(value):
        return burn(rounds) + value + counter

    def written(value):
        burn(rounds)
        with open(os.devnull, "w") as file:
            return file.write(str(value))

    def call_closed(value):
        nonlocal counter
        counter += 1
        return closed(value)

    rates = Rates()

    def call_attribute(value):
        rates.rate += 0.5
        return rates.attribute(value, rounds)

    return {
        "clock": clock, "chance": chance, "counting": counting, "keyed": keyed, "given_list": lambda value: given_list([value]),
        "generated": lambda value: list(generated(value)), "awaited": lambda value: asyncio.run(awaited(value)),
        "fresh": fresh, "comprehended": comprehended, "closed": call_closed, "written": written,
        "attribute": call_attribute,
    }


def main():
    parsed = truth.options(lambda parser: (
        parser.add_argument("--what", choices=("streams", "kinds", "models", "odd", "unfit", "secrets"), default="streams"),
        parser.add_argument("--dear", type=int, default=340), parser.add_argument("--cheap", type=int, default=1500)))
    random.seed(SEED)
    SETTINGS["rounds"] = calibrate()
    shared = truth.counters(parsed, ["go", "done"])
    log = Log(parsed.ready + ".calls")
    secrets = ["planted-%s" % uuid.uuid4().hex, random.randrange(2 ** 60, 2 ** 61)]
    truth.announce(parsed, shared, log=log.path, secrets=secrets)
    end = time.monotonic() + parsed.lifetime
    while not shared.words[0] and time.monotonic() < end:
        time.sleep(0.01)
    rounds = int(SETTINGS["rounds"] * 1000 * PERIOD * 3)
    if parsed.what == "streams":
        log.run_streams(parsed.dear, parsed.cheap)
    elif parsed.what == "kinds":
        run_kinds(log, 36, rounds)
    elif parsed.what == "models":
        run_models(log, 36, rounds)
    elif parsed.what == "odd":
        import odd_functions

        for name, called, args in odd_functions.calls(burn, rounds, 36):
            log.run(name, called, [(0, args)])
    elif parsed.what == "unfit":
        for name, call in unfit(rounds).items():
            log.run(name, call, [(i % 3, (i % 3,)) for i in range(48)])
    else:
        text, number = secrets
        hidden = Shop(text)
        hidden.number = number
        values = [text, number, (text, number), text.encode(), frozenset((text,)), {text: number}, [text], hidden]
        keep = function("def keep(value, rounds):\n    return burn(rounds)\n", name="keep")
        log.run("keep", keep, [(0, (value, rounds)) for value in values * 40])
    log.write()
    shared.words[1] = 1
    while time.monotonic() < end and shared.words[0] != 2:
        time.sleep(0.01)


if __name__ == "__main__":
    main()
