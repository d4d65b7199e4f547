"""The call graph of planted_graph.py: a trunk, a fork into a hot and a cold branch, and what both share.

Every function is distinct, so that a caller and a callee that never met show. `cross_34`, `cross_39`, `work_*` and
`tick` are called in both branches, so that a stack mixed of two moments shows even where each of its edges is possible:
only whole paths tell. Calls last from 50 nanoseconds (`tick`) to tens of microseconds (`hot_28`).
"""
import os
import time

NAMES = ["cycles", "hot_ns", "cold_ns", "now_ns"]
CYCLES, HOT, COLD, NOW = range(len(NAMES))
DEPTH = 42
now = time.perf_counter_ns

# Set by planted_graph.py: loop counts of the two branches, a system call in each cycle or none, the counters.
shape = {"hot": 10, "cold": 3, "syscall": False}
words = [0] * len(NAMES)


def cycle(n):
    n = trunk_05(n)
    if shape["syscall"]:
        os.getppid()
    words[CYCLES] += 1
    return n


def trunk_05(n):
    return trunk_06(n)


def trunk_06(n):
    return trunk_07(n)


def trunk_07(n):
    return trunk_08(n)


def trunk_08(n):
    return trunk_09(n)


def trunk_09(n):
    return trunk_10(n)


def trunk_10(n):
    return trunk_11(n)


def trunk_11(n):
    return trunk_12(n)


def trunk_12(n):
    return trunk_13(n)


def trunk_13(n):
    return trunk_14(n)


def trunk_14(n):
    return trunk_15(n)


def trunk_15(n):
    return trunk_16(n)


def trunk_16(n):
    return trunk_17(n)


def trunk_17(n):
    return trunk_18(n)


def trunk_18(n):
    return trunk_19(n)


def trunk_19(n):
    return trunk_20(n)


def trunk_20(n):
    return trunk_21(n)


def trunk_21(n):
    return trunk_22(n)


def trunk_22(n):
    return trunk_23(n)


def trunk_23(n):
    return trunk_24(n)


def trunk_24(n):
    return trunk_25(n)


def trunk_25(n):
    return trunk_26(n)


def trunk_26(n):
    return fork(n)


def fork(n):
    start = now()
    n = hot_28(n)
    middle = now()
    n = cold_28(n)
    end = now()
    words[HOT] += middle - start
    words[COLD] += end - middle
    words[NOW] = end
    return n


def hot_28(n):
    return hot_29(n)


def hot_29(n):
    return hot_30(n)


def hot_30(n):
    return hot_31(n)


def hot_31(n):
    return hot_32(n)


def hot_32(n):
    return hot_33(n)


def hot_33(n):
    return cross_34(n, hot_35)


def hot_35(n):
    return hot_36(n)


def hot_36(n):
    return hot_37(n)


def hot_37(n):
    return hot_38(n)


def hot_38(n):
    return cross_39(n, hot_40)


def hot_40(n):
    for _ in range(shape["hot"]):
        n = work_short(n)
        n = work_long(n)
    return n & 1023


def cold_28(n):
    return cold_29(n)


def cold_29(n):
    return cold_30(n)


def cold_30(n):
    return cold_31(n)


def cold_31(n):
    return cold_32(n)


def cold_32(n):
    return cold_33(n)


def cold_33(n):
    return cross_34(n, cold_35)


def cold_35(n):
    return cold_36(n)


def cold_36(n):
    return cold_37(n)


def cold_37(n):
    return cold_38(n)


def cold_38(n):
    return cross_39(n, cold_40)


def cold_40(n):
    for _ in range(shape["cold"]):
        n = work_short(n)
        n = work_long(n)
    return n & 1023


def cross_34(n, follow):
    return follow(n)


def cross_39(n, follow):
    return follow(n)


def work_short(n):
    for i in range(4):
        n += i
    return tick(n)


def work_long(n):
    for i in range(30):
        n += i * n & 7
    n = tick(n)
    for i in range(30):
        n += i * n & 7
    return n


def tick(n):
    return n + 1
