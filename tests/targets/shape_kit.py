"""The book in which every_shape.py keeps what is true of each of its tasks.

What a task is in is written down twice, and must agree before anything is announced: by construction (the program's own
functions on the way, each at the line that is marked `# waits` in its source) and by introspection (await_truth.py).
"""
import asyncio
import inspect
import os
import threading
import time

import await_truth
import truth

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "# waits"
WAIT_SECONDS = 10

book = {}  # name: Fact
loops = []  # of every thread, also of those that have ended: [loop, native id or None]
workers = {}  # name of a task: the native id of the thread that works for it
stacks = {}  # native id of a worker: the program's own functions from the root of its logical stack to its leaf
expected = set()  # names of tasks that are still to come
lacks = []  # shapes that this interpreter, loop or environment cannot have


class Fact:
    def __init__(self, task, own, awaited_by, state):
        self.task = task
        self.own = [place(function) for function in own]
        self.awaited_by = list(awaited_by)
        self.state = state
        self.frames = None  # of a running task: what it noted itself


def code_of(function):
    function = inspect.unwrap(function)
    return getattr(function, "__code__", function)


def place(function):
    """[name, file, line] where a function of the program waits: its marked line."""
    if isinstance(function, list):
        return function
    code = code_of(function)
    name, file, first = truth.frame_fact(code)
    with open(file, encoding="utf-8") as source:
        lines = source.read().split("\n")
    for number in range(first, len(lines) + 1):
        if MARK in lines[number - 1]:
            return [name, file, number]
    raise AssertionError("%s has no marked line" % name)


def own_name(function):
    return truth.frame_fact(code_of(function))[0]


def register(name, task, own, awaited_by=(), state="waiting"):
    assert name not in book, name
    if hasattr(task, "set_name"):
        task.set_name(name)
    book[name] = Fact(task, own, awaited_by, state)
    return task


def start(name, coroutine, own, awaited_by=(), **how):
    return register(name, asyncio.get_running_loop().create_task(coroutine), own, awaited_by, **how)


def adopt(name, own, awaited_by=(), **how):
    """Registers the task that is running: one that a library made."""
    register(name, asyncio.current_task(), own, awaited_by, **how)


def never():
    """A future of the loop that runs, which nobody finishes."""
    return asyncio.get_running_loop().create_future()


def expect(*names):
    expected.update(names)


def lacking(name):
    lacks.append(name)


def frames_of(fact):
    return await_truth.frames(fact.task.get_coro()) if fact.frames is None else fact.frames


def disagreement(name):
    """What is not yet (or never) as this task's construction says; None if all of it is."""
    fact = book[name]
    own = [frame for frame in frames_of(fact)
           if (frame[1].startswith(HERE) or frame[1] == "cython_shapes") and not frame[0].endswith("comp>")]
    if own != fact.own:
        return "%s: introspection says %s, construction says %s" % (name, own, fact.own)
    return None


def wait_until_settled():
    """Until every task is where its construction says, and every worker works."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        wrong = [text for text in map(disagreement, list(book)) if text]
        wrong += ["%s has no thread" % name for name, tid in list(workers.items()) if tid is None]
        wrong += ["%s is not there" % name for name in expected.difference(book)]
        wrong += ["%r is nobody's" % task for task in strangers()]
        if not wrong:
            return
        assert time.monotonic() < end, "\n".join(wrong)
        time.sleep(0.01)


def strangers():
    """Tasks of any loop that are in no book."""
    known = {fact.task for fact in list(book.values())}
    return [task for loop, _ in list(loops) for task in asyncio.all_tasks(loop) if task not in known]


def facts():
    """{id: what is true of that task}"""
    ids = {name: hex(id(fact.task)) for name, fact in book.items()}
    tid_of = {id(loop): tid for loop, tid in loops}
    described = {}
    for name, fact in book.items():
        coroutine = fact.task.get_coro()
        described[ids[name]] = {
            "name": name, "coroutine": getattr(coroutine, "__qualname__", type(coroutine).__name__),
            "frames": frames_of(fact), "state": fact.state,
            "tid": tid_of.get(id(fact.task.get_loop())), "hop": workers.get(name),
            "awaited_by": sorted(ids[waiter] for waiter in fact.awaited_by)}
    return described


class Worker:
    """What runs in a worker thread for a task, and for those that wait for it in turn: notes its thread, and blocks."""

    def __init__(self, name, above, *names):
        self.names = (name,) + names
        self.above = above  # the program's functions above it in the logical stack
        self.stop = threading.Event()
        workers.update(dict.fromkeys(self.names))

    def __call__(self):
        tid = threading.get_native_id()
        stacks[tid] = [own_name(function) for function in self.above] + [own_name(Worker.__call__)]
        workers.update(dict.fromkeys(self.names, tid))
        self.stop.wait()
