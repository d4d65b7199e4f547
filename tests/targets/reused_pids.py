"""Children that have one PID, one after the other, each with a function of its own. Runs in a PID namespace of its own, as
its root: /proc/sys/kernel/ns_last_pid says which PID is given next, and to nobody else there.

All are forks of this process, without exec: the same objects are at the same addresses in each of them. It runs the
command behind `--` meanwhile, {owner} in it being the PID of the first and {parent} that of this process, and prints as JSON how
that ended, the PIDs, and the CPU time that each owner measured.
"""
import argparse
import json
import mmap
import os
import signal
import subprocess
import sys
import time

OWNERS = 8


def spin():
    total = 0
    for i in range(2000):
        total += i & 7
    return total


def work(words, index, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = time.thread_time_ns()
        spin()
        words[index] += time.thread_time_ns() - before


def owner_0(*args):
    work(*args)


def owner_1(*args):
    work(*args)


def owner_2(*args):
    work(*args)


def owner_3(*args):
    work(*args)


def owner_4(*args):
    work(*args)


def owner_5(*args):
    work(*args)


def owner_6(*args):
    work(*args)


def owner_7(*args):
    work(*args)


def fork_owner(index, words, seconds, pid=None):
    """Forks, with that PID if one is given."""
    if pid is not None:
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(pid - 1))
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        globals()["owner_%d" % index](words, index, seconds)
        os._exit(0)
    return child


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--life", type=float, default=0.7, help="seconds that each owner has")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    signal.alarm(60)
    words = memoryview(mmap.mmap(-1, 8 * OWNERS)).cast("Q")  # anonymous and shared
    pids = [fork_owner(0, words, 30)]
    places = {"owner": pids[0], "parent": os.getpid()}
    tool = subprocess.Popen([word.format(**places) for word in options.command], stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)
    for index in range(1, OWNERS + 1):
        time.sleep(options.life)
        os.kill(pids[-1], signal.SIGKILL)
        os.waitpid(pids[-1], 0)
        if index < OWNERS:
            pids.append(fork_owner(index, words, 30, pids[0]))
    try:
        _, stderr = tool.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        tool.kill()
        _, stderr = tool.communicate()
    json.dump({"status": tool.returncode, "stderr": stderr.decode(errors="replace"), "pids": pids,
               "parent": os.getpid(), "work_ns": list(words)}, sys.stdout)


if __name__ == "__main__":
    main()
