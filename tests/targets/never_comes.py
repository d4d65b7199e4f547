"""Computes, and then runs code whose file name lies in a page that never comes: userfaultfd(2) is to bring it, and nobody does; with
--fuse FOLDER a file system in user space that does not answer.

CPython reads the name of a file only for a traceback. Counters: `go`, set from outside: now; `planted`, 1 once the page is in its place.
`before` is the function that ran until then. Truth: `unavailable`, why the kernel does not permit it, or "".
"""
import ctypes
import fcntl
import mmap
import os
import struct
import sys
import time

import fuse_page
import truth

USERFAULTFD = 323  # x86-64
UFFDIO_API, UFFDIO_REGISTER, MISSING = 0xC018AA3F, 0xC020AA00, 1  # linux/userfaultfd.h


def page_that_never_comes():
    """(address, what keeps it so)"""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(USERFAULTFD, os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "userfaultfd")
    fcntl.ioctl(descriptor, UFFDIO_API, bytearray(struct.pack("QQQ", 0xAA, 0, 0)))
    region = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(region))
    fcntl.ioctl(descriptor, UFFDIO_REGISTER, bytearray(struct.pack("QQQQ", address, mmap.PAGESIZE, MISSING, 0)))
    return address, (descriptor, region)


def before(end, shared):
    while time.monotonic() < end and not shared.words[1]:
        sum(range(100))


def afterwards(end):
    while time.monotonic() < end:
        sum(range(100))


def plant(code, address):
    for offset in range(0, sys.getsizeof(code), 8):
        word = ctypes.c_uint64.from_address(id(code) + offset)
        if word.value == id(code.co_filename):
            word.value = address
            return
    raise LookupError("no file name in the code object")


def main():
    options = truth.options(lambda parser: parser.add_argument("--fuse"))
    shared = truth.counters(options, ["planted", "go"])
    unavailable, address, kept = "", 0, None
    try:
        address, kept = fuse_page.page_that_never_comes(options.fuse) if options.fuse else page_that_never_comes()
    except OSError as error:
        unavailable = str(error)
    truth.announce(options, shared, unavailable=unavailable)
    end = time.monotonic() + options.lifetime
    before(end, shared)
    if kept is not None:
        plant(afterwards.__code__, address)
        shared.words[0] = 1
    afterwards(end)
    os._exit(0)  # not through a destructor of that code object


if __name__ == "__main__":
    main()
