"""What a process knows of its own suspended tasks: each coroutine chain with its lines, walked by introspection.

cr_await, gi_yieldfrom and ag_await give the next link where they can; the opaque awaitables between (an async
generator's __anext__, a coroutine's __await__ wrapper) name theirs to the garbage collector.
"""
import asyncio
import gc
import threading
import types

import truth

LINKS = (
    (types.CoroutineType, "cr_frame", "cr_await"),
    (types.GeneratorType, "gi_frame", "gi_yieldfrom"),
    (types.AsyncGeneratorType, "ag_frame", "ag_await"),
)
PYTHON = tuple(kind for kind, _, _ in LINKS)
OPAQUE = ("async_generator_asend", "async_generator_athrow", "anext_awaitable", "coroutine_wrapper")


def frames(awaitable):
    """[[qualname, file, line], …], outermost first, down to the future or bare yield that all of it waits for."""
    found = []
    while awaitable is not None:
        for kind, frame_name, next_name in LINKS:
            if isinstance(awaitable, kind):
                frame = getattr(awaitable, frame_name)
                if frame is None:
                    return found
                name, file, _ = truth.frame_fact(frame.f_code)
                found.append([name, file, frame.f_lineno])
                awaitable = getattr(awaitable, next_name)
                break
        else:
            if hasattr(awaitable, "cr_await"):  # compiled by Cython: it has a name and a module, and neither frame nor line
                found.append([awaitable.__qualname__, awaitable.__module__, None])
                awaitable = awaitable.cr_await
            else:
                awaitable = behind(awaitable)
    return found


def behind(awaitable):
    if type(awaitable).__name__ not in OPAQUE:
        return None
    links = [thing for thing in gc.get_referents(awaitable)
             if isinstance(thing, PYTHON) or hasattr(thing, "cr_await") or type(thing).__name__ in OPAQUE]
    return links[0] if len(links) == 1 else None


def snapshot(awaited_by):
    """Every suspended task but the caller's by its name, and the threads."""
    current = asyncio.current_task()
    tasks = {}
    for task in asyncio.all_tasks():
        if task is not current:
            coroutine = task.get_coro()
            tasks[task.get_name()] = {"coroutine": coroutine.__qualname__, "frames": frames(coroutine),
                                      "awaited_by": awaited_by.get(task.get_name(), [])}
    return {"tasks": tasks, "threads": [[thread.native_id, thread.name] for thread in threading.enumerate()]}


def worker_native_id():
    """The one thread of the loop's default executor."""
    workers = [thread.native_id for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert len(workers) == 1, workers
    return workers[0]
