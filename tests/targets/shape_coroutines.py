"""Chains of awaits inside one task: every kind of object that can be awaited, down to the innermost."""
import asyncio
import builtins
import contextlib
import functools
import types

import shape_kit
from shape_kit import never, start

MANY = 300


async def leaf():
    await never()  # waits


async def middle():
    return await leaf()  # waits


async def top():
    await middle()  # waits


@types.coroutine
def generator_leaf():
    yield from never()  # waits


@types.coroutine
def generator_middle():
    yield from generator_leaf()  # waits


async def generators_top():
    await generator_middle()  # waits


@types.coroutine
def generator_over_coroutine():
    result = yield from leaf()  # waits
    return result


async def generator_over_coroutine_top():
    await generator_over_coroutine()  # waits


async def ticker():
    await leaf()  # waits
    yield 1


async def outer_ticker():
    async for item in ticker():  # waits
        yield item


async def async_for():
    async for _ in outer_ticker():  # waits
        pass


async def asend_first():
    await ticker().asend(None)  # waits


async def second_ticker():
    got = yield 0
    await leaf()  # waits
    yield got


async def asend_later():
    generator = second_ticker()
    await generator.asend(None)
    await generator.asend(7)  # waits


async def catching_ticker():
    try:
        yield 0
    except ValueError:
        await leaf()  # waits
        yield 1


async def athrow():
    generator = catching_ticker()
    await generator.asend(None)
    await generator.athrow(ValueError("of the test"))  # waits


async def closing_ticker():
    try:
        yield 0
    finally:
        await leaf()  # waits


async def aclose():
    generator = closing_ticker()
    await generator.asend(None)
    await generator.aclose()  # waits


async def break_and_close():
    generator = closing_ticker()
    async for _ in generator:
        break
    await generator.aclose()  # waits


async def anext_dunder():
    await ticker().__anext__()  # waits


async def anext_plain():
    await anext(ticker())  # noqa: F821  # waits


async def anext_default():
    await anext(ticker(), None)  # noqa: F821  # waits


async def comprehension():
    return [item async for item in outer_ticker()]  # waits


async def generator_expression():
    async for _ in (item + 1 async for item in ticker()):  # waits
        pass


@contextlib.asynccontextmanager
async def entering():
    await leaf()  # waits
    yield


@contextlib.asynccontextmanager
async def leaving():
    yield
    await leaf()  # waits


async def context_enter():
    async with entering():  # waits
        pass


async def context_exit():
    async with leaving(): pass  # noqa: E701  # waits (on one line: minors differ in which one leaves)


async def context_body():
    async with contextlib.AsyncExitStack():
        await leaf()  # waits


async def context_stack():
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(entering())  # waits


class Entered:
    async def __aenter__(self):
        await leaf()  # waits

    async def __aexit__(self, *_):
        pass


async def class_enter():
    async with Entered():  # waits
        pass


class ByGenerator:
    def __await__(self):
        return (yield from middle().__await__())  # waits


class ByWrapper:
    def __await__(self):
        return middle().__await__()


class ByFuture:
    def __await__(self):
        return iter(never())


class ByIterator:
    """Its iterator is an object of a class of the program's: what it asks in turn, nobody can know."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        self.inner = iter(never())
        return next(self.inner)


async def custom_generator():
    await ByGenerator()  # waits


async def custom_wrapper():
    await ByWrapper()  # waits


async def custom_future():
    await ByFuture()  # waits


async def custom_iterator():
    await ByIterator()  # waits


def three(a, b, c):
    return a, b, c


async def in_expression():
    return three(1, [2, {"three": 3}], await leaf())  # waits


async def in_blocks():
    for number in range(3):
        with contextlib.suppress(ValueError):
            try:
                try:
                    raise KeyError(number)
                except KeyError:
                    return f"{number} {await leaf()}"  # waits
            finally:
                number = None


async def deep(level):
    if level == 0:
        await leaf()  # waits
    await deep(level - 1)


def deep_own():
    name, file, end = shape_kit.place(deep)
    return [[name, file, end + 1]] * MANY + [[name, file, end], leaf]


class Methods:
    async def method(self):
        await self.static()  # waits

    @staticmethod
    async def static():
        await Methods.of_class()  # waits

    @classmethod
    async def of_class(cls):
        async def nested():
            await leaf()  # waits

        cls.nested = nested
        await nested()  # waits, once more


def of_class_own():
    name, file, line = shape_kit.place(Methods.of_class.__func__)
    nested = shape_kit.place(Methods.nested)
    return [[name, file, nested[2] + 3], nested, leaf]


async def finishing():
    for _ in range(3):
        await asyncio.sleep(0)
    await functools.partial(middle)()  # waits


def generated(count):
    """A coroutine whose await stands behind many lines, names and constants: far jumps, extended arguments."""
    lines = ["async def generated_%d(leaf):" % count]
    lines += ["    v%d = %d.5" % (i, i + 1000) for i in range(count)]
    lines += ["    await leaf()", "    return locals()"]
    scope = {}
    exec(compile("\n".join(lines), __file__, "exec"), scope)
    function = scope["generated_%d" % count]
    return function(leaf), [[shape_kit.own_name(function), __file__, count + 2], leaf]


def classic(name):
    """A task of a generator, as asyncio took them up to 3.11."""
    generator = generator_middle()
    if asyncio.iscoroutine(generator):
        start(name, generator, [generator_middle, generator_leaf])
    else:
        generator.close()
        shape_kit.lacking(name)


def plant():
    for name, function, own in (
            ("plain", top, [top, middle, leaf]),
            ("generators", generators_top, [generators_top, generator_middle, generator_leaf]),
            ("generator-coroutine", generator_over_coroutine_top,
             [generator_over_coroutine_top, generator_over_coroutine, leaf]),
            ("async-for", async_for, [async_for, outer_ticker, ticker, leaf]),
            ("asend-first", asend_first, [asend_first, ticker, leaf]),
            ("asend-later", asend_later, [asend_later, second_ticker, leaf]),
            ("athrow", athrow, [athrow, catching_ticker, leaf]),
            ("aclose", aclose, [aclose, closing_ticker, leaf]),
            ("break-and-close", break_and_close, [break_and_close, closing_ticker, leaf]),
            ("anext-dunder", anext_dunder, [anext_dunder, ticker, leaf]),
            ("comprehension", comprehension, [comprehension, outer_ticker, ticker, leaf]),
            ("context-enter", context_enter, [context_enter, entering, leaf]),
            ("context-exit", context_exit, [context_exit, leaving, leaf]),
            ("context-body", context_body, [context_body, leaf]),
            ("context-stack", context_stack, [context_stack, entering, leaf]),
            ("class-enter", class_enter, [class_enter, Entered.__aenter__, leaf]),
            ("custom-generator", custom_generator, [custom_generator, ByGenerator.__await__, middle, leaf]),
            ("custom-wrapper", custom_wrapper, [custom_wrapper, middle, leaf]),
            ("custom-future", custom_future, [custom_future]),
            ("custom-iterator", custom_iterator, [custom_iterator]),
            ("in-expression", in_expression, [in_expression, leaf]),
            ("in-blocks", in_blocks, [in_blocks, leaf]),
            ("finishing", finishing, [finishing, middle, leaf])):
        start(name, function(), own)
    expression = shape_kit.place(generator_expression)
    inner = next(const for const in generator_expression.__code__.co_consts if isinstance(const, types.CodeType))
    start("generator-expression", generator_expression(),
          [expression, [shape_kit.own_name(inner)] + expression[1:], ticker, leaf])
    for name, function in (("anext", anext_plain), ("anext-default", anext_default)):
        if hasattr(builtins, "anext"):
            start(name, function(), [function, ticker, leaf])
        else:
            shape_kit.lacking(name)
    start("deep", deep(MANY), deep_own())
    classic("classic-generator")
    for count in (40, 700):
        start("generated-%d" % count, *generated(count))


async def plant_methods():
    """The nested function is there only once its parent has run."""
    task = asyncio.ensure_future(Methods().method())
    await asyncio.sleep(0)
    shape_kit.register("methods", task, [Methods.method, Methods.static] + of_class_own())


class Renamed:
    """A coroutine that the program has given another name."""

    @staticmethod
    def plant():
        coroutine = top()
        coroutine.__qualname__ = "Renamed.by<hand>"
        coroutine.__name__ = "hand"
        start("renamed", coroutine, [top, middle, leaf])


def plant_python_tasks():
    """Tasks and futures of pure Python beside those of _asyncio."""
    loop = asyncio.get_running_loop()
    task = asyncio.tasks._PyTask(top(), loop=loop)
    shape_kit.register("python-task", task, [top, middle, leaf])

    async def waits_for_python_future():
        await asyncio.futures._PyFuture(loop=loop)  # waits

    start("python-future", waits_for_python_future(), [waits_for_python_future])

    async def waits_for_python_task():
        await task  # waits

    start("python-task-waiter", waits_for_python_task(), [waits_for_python_task])
    shape_kit.book["python-task"].awaited_by.append("python-task-waiter")
    other = asyncio.tasks._PyTask(waits_for_python_task(), loop=loop)
    shape_kit.register("python-waiter", other, [waits_for_python_task])
    shape_kit.book["python-task"].awaited_by.append("python-waiter")
