"""Once the counter `go` is set, maps a library of its own making and starts children that have it mapped, of which one truncates
and restores that file as fast as it can: whoever maps the file too, to read it, gets SIGBUS. It is named as the dynamic linker, in
which every attach searches for symbols, and its table of these takes long to read. The counter `children` says how many there were.
"""
import mmap
import os
import struct
import time

import truth

options = truth.options(lambda parser: parser.add_argument("--folder", required=True))
counted = truth.counters(options, ["ticks", "go", "children"])

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


def truncate(file):
    while time.monotonic() < end:
        os.ftruncate(file.fileno(), HEAD + SYMBOLS)
        time.sleep(0.002)
        os.ftruncate(file.fileno(), HEAD)
        time.sleep(0.002)


def begin(function):
    """In a child, which has the mapping from its beginning."""
    if os.fork() == 0:
        try:
            function()
        finally:
            os._exit(0)
    counted.words[2] += 1


truth.announce(options, counted)
end = time.monotonic() + options.lifetime
while counted.words[1] == 0 and time.monotonic() < end:
    counted.words[0] += 1
path = os.path.join(options.folder, "ld-linux-truncated.so")
with open(path, "w+b", buffering=0) as file:
    file.write(library())
    mapped = mmap.mmap(file.fileno(), HEAD, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC)
    begin(lambda: truncate(file))
    while time.monotonic() < end:
        begin(lambda: time.sleep(0.5))
        time.sleep(0.05)
        counted.words[0] += 1
