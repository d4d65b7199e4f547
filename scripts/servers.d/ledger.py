"""What an application knows of itself: for each function that it measures, the CPU time of its calls by their threads' own clocks.

A call within a call of the same function counts once. The sums are 64-bit words in a file of this process, PID in the folder
that SERVERS_LEDGERS names, so that they can be read at any time; PID.json beside it says which functions they are.
"""
import functools
import importlib
import inspect
import json
import mmap
import os
import threading
import time

MOST = 64  # functions
_codes = []
_lock = threading.Lock()
with open(os.path.join(os.environ["SERVERS_LEDGERS"], str(os.getpid())), "wb+") as _file:
    _file.truncate(8 * MOST)
    _words = memoryview(mmap.mmap(_file.fileno(), 8 * MOST)).cast("Q")


class _Open(threading.local):
    def __init__(self):
        self.calls = [False] * MOST


_open = _Open()


def measured(function):
    """A function that does the same and measures it. Not for one that the thread leaves before it returns."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError("%r: its calls are not whole stretches of one thread" % function)
    index = len(_codes)
    _codes.append(function.__code__)
    _announce()

    @functools.wraps(function)
    def call(*args, **kwargs):
        calls = _open.calls
        if calls[index]:
            return function(*args, **kwargs)
        calls[index] = True
        begun = time.thread_time_ns()
        try:
            return function(*args, **kwargs)
        finally:
            spent = time.thread_time_ns() - begun
            calls[index] = False
            with _lock:
                _words[index] += spent

    return call


def measure(*places):
    """Puts a measured function in each place, `MODULE:NAME` or `MODULE:CLASS.NAME`."""
    for place in places:
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        owner = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        setattr(owner, name, measured(getattr(owner, name)))


def _announce():
    """As a frame of a folded line names them, file without its folder."""
    facts = [[getattr(code, "co_qualname", code.co_name), os.path.basename(code.co_filename), code.co_firstlineno]
             for code in _codes]
    path = os.path.join(os.environ["SERVERS_LEDGERS"], "%d.json" % os.getpid())
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(facts, file)
    os.replace(path + ".part", path)
