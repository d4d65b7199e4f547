"""Has a system call of a started process fail with an error that the test chooses, by a seccomp filter."""
import ctypes
import os
import platform
import struct

NUMBERS = {  # <asm/unistd.h>
    "x86_64": {"process_vm_readv": 310, "sched_setaffinity": 203, "pidfd_open": 434, "bpf": 321},
    "aarch64": {"process_vm_readv": 270, "sched_setaffinity": 122, "pidfd_open": 434, "bpf": 280},
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2  # <linux/prctl.h>, <linux/seccomp.h>
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # <linux/bpf_common.h>
ALLOW, ERRNO = 0x7fff0000, 0x00050000


def can_refuse():
    return platform.machine() in NUMBERS


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def refusing(call, error, cpus=None):
    """A preexec_fn: the process runs on `cpus`, and from then on `call` fails with `error`."""
    instructions = ((LOAD_WORD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, NUMBERS[platform.machine()][call]),
                    (RETURN, 0, 0, ERRNO | error), (RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    program = _Program(len(instructions), code)
    libc = ctypes.CDLL(None, use_errno=True)

    def install():
        if cpus:
            os.sched_setaffinity(0, cpus)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no seccomp filter")

    return install
