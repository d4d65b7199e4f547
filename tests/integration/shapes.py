"""Compares what awaitscope shows of every_shape.py with what that program says of itself: the figures, and what is wrong.

Each kind of figure is [right, of all that was to be right]. What is there and should not be counts as one more to be right.
"""
import collections
import json
import os
import subprocess

import builds
import folded
import harness
import interpreters

KINDS = ("chains", "lines", "edges", "hops", "states")
SOURCE = os.path.join(harness.TARGETS, "cython_shapes.pyx")


class Score:
    def __init__(self):
        self.right = collections.Counter()
        self.total = collections.Counter()
        self.wrong = []

    def check(self, kind, good, what, *values):
        self.total[kind] += 1
        self.right[kind] += bool(good)
        if not good:
            self.wrong.append("%s: %s%s" % (kind, what, "".join("\n    %r" % (value,) for value in values)))

    def cell(self, kind):
        return "%d/%d" % (self.right[kind], self.total[kind])


def where(frames):
    return [[frame["function"], frame["file"], frame["line"]] for frame in frames]


def without_lines(frames):
    return [frame[:2] for frame in frames]


def walk(nodes):
    """Every node of a tree, without recursion: chains of tasks may be long."""
    left = list(nodes)
    while left:
        node = left.pop()
        yield node
        left += node["children"]


def judge_task(score, what, fact, task):
    seen, true = where(task["frames"]), fact["frames"]
    same = without_lines(seen) == without_lines(true) and (task["name"], task["coroutine"]) == (fact["name"], fact["coroutine"])
    score.check("chains", same, what, seen, true, task["name"], task["coroutine"])
    for (_, _, line), (_, _, true_line) in zip(seen, true) if same else ():
        score.check("lines", line == true_line, what, seen, true)
    if not same:
        score.total["lines"] += len(true)
    waiting, true_waiting = set(task["awaited_by"]), set(fact["awaited_by"])
    for waiter in sorted(waiting | true_waiting):
        score.check("edges", waiter in waiting and waiter in true_waiting, "%s by %s" % (what, waiter), waiting, true_waiting)
    score.check("edges", len(waiting) == len(task["awaited_by"]), "%s: a waiter twice" % what, task["awaited_by"])
    hop = task["thread_hop"] and task["thread_hop"]["tid"]
    if hop is not None or fact["hop"] is not None:
        score.check("hops", hop == fact["hop"], what, hop, fact["hop"])
    state = (task["state"], task["tid"])
    score.check("states", state == (fact["state"], fact["tid"]), what, state, (fact["state"], fact["tid"]))


def judge_tasks(score, source, truth, tasks):
    """Each of the program's tasks is there once, as it is; any other one is one that has ended."""
    seen = collections.Counter(task["id"] for task in tasks)
    for name, count in seen.items():
        score.check("chains", count == 1, "%s: %s is there %d times" % (source, name, count))
    for task in tasks:
        fact = truth["tasks"].get(task["id"])
        if fact is not None:
            judge_task(score, "%s: %s" % (source, fact["name"]), fact, task)
        else:
            score.check("states", task["state"] == "done", "%s: nobody's task" % source, task)
    for id_, fact in truth["tasks"].items():
        score.check("chains", id_ in seen, "%s: %s is missing" % (source, fact["name"]))


def judge_workers(score, truth, stacks):
    """The logical stack of each worker thread: the program's own functions from its root task to what it is in."""
    own = [[frame.name for frame in stack.frames if frame.file.startswith(truth["folder"])] for stack in stacks]
    for tid, names in truth["stacks"].items():
        score.check("hops", names in own, "record --idle: thread %s" % tid, names)
    for names in own:
        if names and names[-1].endswith("__call__"):
            score.check("hops", names in truth["stacks"].values(), "record --idle: a stack of nobody", names)


def looked_at(target, *command):
    result = harness.run_tool(*command, "-p", target.pid, "--json")
    assert result.status == 0, result.stderr
    return json.loads(result.stdout.decode("utf-8"))


def judge(target, workers=True):
    score = Score()
    judge_tasks(score, "dump", target.truth, looked_at(target, "dump")["tasks"])
    judge_tasks(score, "tasks", target.truth, list(walk(looked_at(target, "tasks", "--full")["tasks"])))
    if workers:
        output = os.path.join(target.folder, "idle.folded")
        result = harness.run_tool("record", "-p", target.pid, "--idle", "-r", 50, "-d", 0.3, "--full-paths", "-f", "folded", "-o", output)
        assert result.status == 0, result.stderr
        with open(output, "rb") as file:
            judge_workers(score, target.truth, folded.parse(file.read()))
    return score


def compiled(python, environment, folder):
    """Compiles the Cython coroutines into `folder`. Why not, if it cannot be."""
    include = interpreters.include_directory(environment)
    flags = ["-I" + include]
    if not os.path.exists(os.path.join(include, "Python.h")):  # in a root of its own, whose C library is too new for cc
        root = os.path.join(os.path.dirname(os.path.dirname(python)), "roots")
        outside = [os.path.join(root, name) for name in sorted(os.listdir(root))] if os.path.isdir(root) else []
        outside = [path for path in outside if os.path.exists(path + os.path.join(include, "Python.h"))]
        if not outside:
            return "no headers"
        flags = ["-I" + outside[0] + include, "-idirafter", outside[0] + "/usr/include"]
    source = os.path.join(folder, "cython_shapes.c")
    for command in ([environment, "-m", "cython", "-3", SOURCE, "-o", source],
                    [builds.compiler(), "-O1", "-w", "-shared", "-fPIC", *flags, source, "-o", os.path.join(folder, "cython_shapes.so")]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if done.returncode != 0:
            return (done.stdout.strip().split("\n") or ["it fails"])[-1]
    return None
