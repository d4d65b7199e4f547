"""What every target does to tell its own truth: the options, the ready file and the shared counters.

The ready file is JSON, and appears whole (written aside, then renamed) once the target does what it is for.
The counters are unsigned 64-bit words in a file that both sides map, so that a test can read the target's own
measurements at any moment without a signal, a system call in the target, or a wait.
"""
import argparse
import json
import os
import signal
import sys
import time

WORD = 8


class Counters:
    """Named words in a mapped file. A store is one aligned 8-byte copy."""

    def __init__(self, path, names):
        import mmap  # an extension module: not to be had in every program that embeds CPython

        self.path = path
        self.names = list(names)
        size = WORD * len(self.names)
        with open(path, "wb+") as file:
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        self.words = memoryview(self._map).cast("Q")

    def index(self, name):
        return self.names.index(name)


def options(extra=None):
    """Parses --ready and --lifetime (and what `extra(parser)` adds), and arms the end of the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready", required=True, help="JSON file to write when ready")
    parser.add_argument("--lifetime", type=float, default=60.0, help="seconds after which the target ends")
    if extra is not None:
        extra(parser)
    parsed = parser.parse_args()
    signal.alarm(int(parsed.lifetime) + 10)  # the last resort: SIGALRM's default ends the process
    return parsed


def counters(parsed, names):
    return Counters(parsed.ready + ".counters", names)


def announce(parsed, shared=None, **facts):
    """Writes the ready file: pid, version, the counters' whereabouts, and the target's own facts."""
    facts["pid"] = os.getpid()
    facts["python"] = "%d.%d.%d" % sys.version_info[:3]
    if shared is not None:
        facts["counters"] = {"path": shared.path, "names": shared.names}
    aside = parsed.ready + ".part"
    with open(aside, "w", encoding="utf-8") as file:
        json.dump(facts, file)
    os.replace(aside, parsed.ready)


def frame_fact(code):
    """A code object as a frame of a folded line names it."""
    return [getattr(code, "co_qualname", code.co_name), code.co_filename, code.co_firstlineno]


def runnable_ns(account):
    """For how long the calling thread could run so far: its own CPU time, and by `account`, its /proc/thread-self/schedstat
    open for reading bytes, its waits for a CPU."""
    return time.thread_time_ns() + waited_ns(account)


def waited_ns(account):
    """For how long the calling thread has waited for a CPU so far."""
    account.seek(0)
    return int(account.read().split()[1])
