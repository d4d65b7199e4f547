"""Whether this machine lets a process of this test use BPF: found out without the tool, so that one that fails to is not excused."""
import ctypes
import os
import platform
import re

CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 21, 38, 39  # <linux/capability.h>
BPF_NUMBERS = {"x86_64": 321, "aarch64": 280}  # <asm/unistd.h>
BPF_MAP_CREATE, BPF_MAP_TYPE_ARRAY = 0, 2  # <linux/bpf.h>
FIRST_PID_NAMESPACE = 0xEFFFFFFC  # include/linux/proc_ns.h, PROC_PID_INIT_INO


def _capabilities():
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"CapEff:\s*([0-9a-f]+)", file.read())[1], 16)


def _makes_a_map():
    """As a container's seccomp filter may refuse."""
    attributes = (ctypes.c_uint32 * 32)(BPF_MAP_TYPE_ARRAY, 4, 8, 1)
    number = BPF_NUMBERS.get(platform.machine())
    file = -1 if number is None else ctypes.CDLL(None).syscall(number, BPF_MAP_CREATE, attributes, ctypes.sizeof(attributes))
    if file >= 0:
        os.close(file)
    return file >= 0


def why_not():
    """-> why not, or None."""
    if tuple(map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups())) < (5, 18):
        return "the kernel is older than 5.18"
    if os.stat("/proc/self/ns/pid").st_ino != FIRST_PID_NAMESPACE:
        return "this is not the first PID namespace"
    held = _capabilities()
    if not held >> CAP_SYS_ADMIN & 1 and not (held >> CAP_BPF & 1 and held >> CAP_PERFMON & 1):
        return "neither CAP_BPF and CAP_PERFMON nor CAP_SYS_ADMIN"
    return None if _makes_a_map() else "bpf(2) is refused"
