"""The agent: the part of `awaitscope trace` that runs in the target, and counts the calls of chosen functions.

One program for CPython 3.8 to 3.15, made of the files in this folder in the order that src/CMakeLists.txt names, without
anything but the standard library. The recorder appends a line that calls run() with its settings, and either names the
file to the interpreter (PEP 768) or puts it on the path as sitecustomize.

It must not raise into the program, keep its objects alive (it keeps weak references to some), or call its code: no __hash__, __eq__, __repr__, no attribute
of an object of a class that is not known. What it writes is read by agent_output.hpp.
"""
import _thread
import atexit
import marshal
import os
import struct
import sys
import time

from _weakref import ref as weak_reference
from _json import encode_basestring_ascii as quoted
from _thread import get_native_id
from itertools import count
from os import getpid
from sys import _getframe as getframe
from time import monotonic_ns, thread_time_ns

TICK = 0.2  # seconds between two checks of the clock and of the recorder
MANY = 2048  # records that are written at once, by whoever comes to so many
MOST_BYTECODE = 16 << 10  # of a function that is judged
MOST_BYTES = 256 << 20  # of a file that the recorder has not read yet
RECORD = struct.Struct("<IIQQQQQQQII")
LAST = (1 << 64) - 1  # of 64 bits
NOTHING = 0

# Of a record: what is known of the arguments, of the result, and of the call.
ARGUMENT_IDENTITY, ARGUMENT_UNHASHABLE, ARGUMENT_UNREAD, ARGUMENT_MODEL = 1, 2, 4, 8
RESULT_IDENTITY, RESULT_UNHASHABLE, RESULT_UNREAD, RAISED, UNFINISHED, SUSPENDS = 16, 32, 64, 128, 256, 512
ARGUMENT_MAY_EQUAL = 1024

CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS = 1, 4, 8
CO_SUSPENDS = 0x20 | 0x80 | 0x200  # generators, coroutines, async generators
Code = type((lambda: 0).__code__)
Function = type(lambda: 0)
Method = type(Function.__get__(lambda: 0, 0))
mro_of = type.__dict__["__mro__"].__get__
dict_of = type.__dict__["__dict__"].__get__
MONITORING = getattr(sys, "monitoring", None)


def attributes(thing):
    """The object's own __dict__, past whatever its class defines."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}
