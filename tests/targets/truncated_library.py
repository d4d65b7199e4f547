"""Runs, and starts a child that maps a library of its own making, and truncates and restores that file as fast as it can:
whoever maps the file too, to read it, gets SIGBUS. The library comes before every other that may be Python's, and its symbol
table takes long to read.
"""
import mmap
import os
import struct
import subprocess
import sys
import time

import truth

options = truth.options(lambda parser: parser.add_argument("--folder", required=True))

SYMBOLS = 48 << 20  # bytes of a symbol table that names nothing
HEAD = 4096


def library():
    """An ELF file's beginning: one segment, a symbol table behind the first page, and the names of sections and symbols."""
    names = b"\0.symtab\0.strtab\0"
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 128, 0, 64, 56, 1, 64, 3, 2)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, HEAD, HEAD, HEAD)
    sections = bytes(64) + struct.pack("<IIQQQQIIQQ", 1, 2, 0, 0, HEAD, SYMBOLS, 2, 0, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 9, 3, 0, 0, 1024, len(names), 0, 0, 1, 0)
    return (header.ljust(64, b"\0") + segment.ljust(64, b"\0") + sections).ljust(1024, b"\0") + names.ljust(HEAD - 1024, b"\0")


def truncate_for_ever(folder, end):
    path = os.path.join(folder, "libpython-truncated.so")
    with open(path, "w+b", buffering=0) as file:
        file.write(library())
        mapped = mmap.mmap(file.fileno(), HEAD, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC)
        while time.monotonic() < end:
            os.ftruncate(file.fileno(), HEAD + SYMBOLS)
            time.sleep(0.002)
            os.ftruncate(file.fileno(), HEAD)
        mapped.close()


if __name__ == "__main__":
    end = time.monotonic() + options.lifetime
    if os.environ.get("TRUNCATES"):
        truncate_for_ever(os.environ["TRUNCATES"], end)
    else:
        counted = truth.counters(options, ["ticks"])
        truth.announce(options, counted)
        child = None
        while time.monotonic() < end:
            counted.words[0] += 1
            sum(range(2000))
            if child is None and counted.words[0] > 2000:
                child = subprocess.Popen([sys.executable] + sys.argv, env=dict(os.environ, TRUNCATES=options.folder))
        child.wait()
