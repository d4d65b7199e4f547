"""Tasks made and ended as fast as the loop can, such that every chain of frames tells whether it can be.

Each function calls, and each task awaits, only what the comment behind a line says: `#: a b * .` means that from this line
a or b may be called (or a task of theirs awaited), that frames of libraries may follow (*), and that a task may be suspended
here (.). A line without one calls nothing. Tasks are named by their root function and a number, k4#17, which their
children share.

Truth: `lines` maps each line to its functions (and whether it is their first), and to what may follow; 0 stands for
instructions without a line. `kinds` names the root functions. The counter `made` says how many tasks were made.
"""
import dis
import re
import sys
import types

import truth

options = truth.options(lambda parser: (parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio"),
                                        parser.add_argument("--pure", action="store_true", help="without _asyncio")))
if options.pure:
    sys.modules["_asyncio"] = None

import asyncio  # noqa: E402
import contextlib  # noqa: E402
import time  # noqa: E402

LANES = 6
counted = truth.counters(options, ["made"])
made = counted.words


def work(n):
    return sum(range(n % 40)) + len(harder(n))  #: harder


def harder(n):
    return [i * n for i in range(n % 30)]  #: harder.<locals>.<listcomp>


def begin(function, n):
    made[0] += 1
    return asyncio.get_running_loop().create_task(function(n), name="%s#%d" % (function.__name__, n))  #: k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11 *


async def pause():
    await asyncio.sleep(0)  #: * .


async def k0(n):
    work(n)  #: work
    await k0_a(n)  #: k0_a
    work(n)  #: work


async def k0_a(n):
    await k0_b(n)  #: k0_b
    await k0_c(n)  #: k0_c


async def k0_b(n):
    await k0_c(n)  #: k0_c


async def k0_c(n):
    for _ in range(n % 3):
        await pause()  #: pause
        work(n)  #: work


async def k1(n):
    await pause()  #: pause


async def k2(n):
    async for item in k2_a(n):  #: k2_a *
        work(item)  #: work


async def k2_a(n):
    async for item in k2_b(n):  #: k2_b *
        yield item


async def k2_b(n):
    for item in range(n % 4):
        await pause()  #: pause
        yield item


class Awaitable:
    def __init__(self, n):
        self.n = n

    def __await__(self):
        yield from k3_a(self.n).__await__()  #: k3_a
        yield from soon(self.n)  #: soon * .


async def k3(n):
    await Awaitable(n)  #: Awaitable.__init__ Awaitable.__await__


async def k3_a(n):
    await soon(n)  #: soon * .
    work(n)  #: work


def soon(n):
    future = asyncio.get_running_loop().create_future()  #: *
    asyncio.get_running_loop().call_soon(future.set_result, n)  #: *
    return future


async def k4(n):
    await begin(k1, n)  #: begin k1 * .
    work(n)  #: work


async def k5(n):
    await asyncio.gather(begin(k0, n), begin(k3, n), begin(k4, n))  #: begin k0 k3 k4 * .


async def k6(n):
    await asyncio.wait_for(begin(k2, n), 3600)  #: begin k2 * .
    await k6_a(n)  #: k6_a


async def k6_a(n):
    await asyncio.wait({begin(k1, n), begin(k0, n)})  #: begin k1 k0 * .


@contextlib.asynccontextmanager
async def managed(n):
    await pause()  #: pause
    yield work(n)  #: work
    await pause()  #: pause


async def k7(n):
    async with managed(n) as value:  #: managed *
        work(value)  #: work managed *


@types.coroutine
def k8_a(n):
    yield from k8_b(n)  #: k8_b
    yield from pause()  #: pause


@types.coroutine
def k8_b(n):
    yield from soon(n)  #: soon * .


async def k8(n):
    await k8_a(n)  #: k8_a


async def k9(n):
    await asyncio.shield(begin(k8, n))  #: begin k8 * .
    for future in asyncio.as_completed([begin(k7, n), begin(k10, n)]):  #: begin *
        await future  #: k7 k10 * .


async def k10(n):
    await deeper(n % 50, n)  #: deeper


async def deeper(level, n):
    if level == 0:
        await pause()  #: pause
        return
    await deeper(level - 1, n)  #: deeper


async def k11(n):
    queue = asyncio.Queue()  #: *
    asyncio.get_running_loop().call_soon(queue.put_nowait, n)  #: *
    await queue.get()  #: * .
    with contextlib.suppress(ValueError):  #: *
        await failing(n)  #: failing *


async def failing(n):
    try:
        await pause()  #: pause
        raise ValueError(n)
    finally:
        await pause()  #: pause


KINDS = (k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11)


async def lane(n):
    end = time.monotonic() + options.lifetime
    while time.monotonic() < end:
        for kind in KINDS:
            n += LANES
            await begin(kind, n)  #: begin k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 k10 k11 * .


async def main():
    tasks = [asyncio.get_running_loop().create_task(lane(number), name="lane") for number in range(LANES)]  #: main.<locals>.<listcomp> *
    asyncio.current_task().set_name("main")
    await asyncio.gather(announce(), *tasks)  #: lane announce * .


async def announce():
    asyncio.current_task().set_name("announce")
    await asyncio.sleep(0.2)  #: * .
    truth.announce(options, counted, **grammar())


def codes_of(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes_of(const)


def grammar():
    with open(__file__, encoding="utf-8") as file:
        source = file.read()
    marks = [re.search(r"  #: (.*)$", line) for line in source.split("\n")]
    lines = {}
    for code in codes_of(compile(source, __file__, "exec")):
        name, _, first = truth.frame_fact(code)
        for number in {first} | {line for _, line in dis.findlinestarts(code) if line}:
            mark = marks[number - 1]
            follow = [short(word) for word in mark.group(1).split()] if mark else []
            lines.setdefault(number, {"functions": {}, "follow": follow})["functions"][name] = number == first
        if hasattr(code, "co_lines") and any(line is None for _, _, line in code.co_lines()):
            lines.setdefault(0, {"functions": {}, "follow": []})["functions"][name] = False
    return {"file": __file__, "lines": lines, "kinds": [kind.__name__ for kind in KINDS] + ["lane", "main", "announce"]}


def short(name):
    """As a frame of this interpreter has it."""
    return name if name == "." or hasattr(short.__code__, "co_qualname") else name.rpartition(".")[2]


if __name__ == "__main__":
    if options.loop == "uvloop":
        import uvloop
        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())  #: *
