"""A page of a file whose file system does not answer: FUSE, spoken over /dev/fuse (linux/fuse.h), so that no library is needed."""
import ctypes
import mmap
import os
import signal
import struct

LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, INTERRUPT, BATCH_FORGET = 1, 2, 3, 14, 15, 26, 36, 42
WITHOUT_ANSWER = (READ, FORGET, INTERRUPT, BATCH_FORGET)
ROOT, FILE = 1, 2
DIRECTORY, REGULAR = 0o40755, 0o100644
HEAD = struct.Struct("<IIQQIIII")  # fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, padding
FOREVER = 3600


def attributes(node):
    """struct fuse_attr"""
    mode = DIRECTORY if node == ROOT else REGULAR
    return struct.pack("<QQQQQQIIIIIIIIII", node, mmap.PAGESIZE, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, mmap.PAGESIZE, 0)


def answer(operation, node):
    """What is behind fuse_out_header."""
    if operation == INIT:  # struct fuse_init_out, of protocol 7.31
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 1, 1, 65536, 1, 1, 0, 0)
    if operation == LOOKUP:
        return struct.pack("<QQQQII", FILE, 0, FOREVER, FOREVER, 0, 0) + attributes(FILE)
    if operation == GETATTR:
        return struct.pack("<QII", FOREVER, 0, 0) + attributes(node)
    if operation == OPEN:
        return struct.pack("<QII", 1, 0, 0)
    return b""


def serve(device):
    while True:
        try:
            request = os.read(device, 1 << 18)
        except OSError:  # it was unmounted
            return
        _, operation, unique, node = HEAD.unpack_from(request)[:4]
        said = answer(operation, node)
        if operation not in WITHOUT_ANSWER:
            os.write(device, struct.pack("<IiQ", 16 + len(said), 0, unique) + said)


def page_that_never_comes(folder):
    """(address, what keeps it so). OSError: not here, or not for this user."""
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = "fd=%d,rootmode=40000,user_id=0,group_id=0" % device
    # A namespace of its own: the mount ends with the process.
    if libc.unshare(0x20000) != 0 or libc.mount(b"none", b"/", None, 0x44000, None) != 0:  # CLONE_NEWNS; MS_REC | MS_PRIVATE
        raise OSError(ctypes.get_errno(), "unshare")
    if libc.mount(b"awaitscope-test", folder.encode(), b"fuse", 6, options.encode()) != 0:  # MS_NOSUID | MS_NODEV
        raise OSError(ctypes.get_errno(), "mount of fuse")
    if os.fork() == 0:  # not in this process: its own end would wait for an answer
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        serve(device)
        os._exit(0)
    os.close(device)
    descriptor = os.open(os.path.join(folder, "page"), os.O_RDONLY)
    region = mmap.mmap(descriptor, mmap.PAGESIZE, mmap.MAP_PRIVATE)
    return ctypes.addressof(ctypes.c_char.from_buffer(region)), (descriptor, region)
