"""Judges what awaitscope shows of churning.py by the rules that this program announces: what cannot be is wrong."""
import json
import os
import subprocess

import folded
import harness

STATES = ("running", "ready", "waiting", "done")
PAUSE = 300  # microseconds from one look to the next: the program goes on meanwhile


class Rules:
    def __init__(self, truth):
        self.file = truth["file"]
        self.lines = {int(line): fact for line, fact in truth["lines"].items()}
        self.kinds = set(truth["kinds"])
        self.waiters = {}
        for fact in self.lines.values():
            for name in fact["follow"] if "." in fact["follow"] else ():
                # A task is called as its root function, and this is what k6_a is a part of.
                self.waiters.setdefault(name, set()).update(name.partition("_")[0] for name in fact["functions"])

    def impossible(self, frames, suspended):
        """Why a task cannot be in these [function, file, line]s; None if it can."""
        before, library = None, False
        for function, file, line in frames:
            if file != self.file:
                # What a dying task's weak reference calls, it calls anywhere.
                library = library or not file.endswith("_weakrefset.py")
                if before is None:
                    return "begins in a library"
                continue
            here = self.lines.get(line, {"functions": {}, "follow": []})
            if function not in here["functions"]:
                return "%s has no line %s" % (function, line)
            if before is not None and (function not in before["follow"] or (library and "*" not in before["follow"])):
                return "%s:%s is not called there" % (function, line)
            before, library = here, False
        if before is None:
            return "empty"
        if library and "*" not in before["follow"]:
            return "calls a library there"
        new = len(frames) == 1 and before["functions"][frames[0][0]]
        return "not suspended there" if suspended and not new and "." not in before["follow"] else None

    def wrong_sight(self, name, coroutine, state, frames, waiters):
        """What cannot be in one sight of a task; None if all of it can."""
        if coroutine not in self.kinds or (name != coroutine and not name.startswith("Task-")):
            return "name"
        if STATES[state] == "done":
            return "done, with frames" if frames else None
        if STATES[state] == "ready" and not frames:
            return None  # its coroutine has come to its end, and its loop has not been told yet
        if not frames or frames[0][0] != coroutine:
            return "another coroutine's chain"
        for waiter, same in waiters:
            alone = waiter in ("lane", "main") or waiter.startswith("Task-")
            if waiter not in self.waiters.get(coroutine, ()) and not waiter.startswith("Task-"):
                return "awaited by %s" % waiter
            if not same and not alone:
                return "awaited by the %s of another" % waiter
        return self.impossible(frames, STATES[state] != "running")

    def wrong_stack(self, stack):
        """The same of a folded line of `record --lines --full-paths`."""
        frames = [(frame.name, frame.file, frame.line) for frame in stack.frames]
        if stack.root.startswith("task "):
            return self.impossible(frames, False) if stack.root in ("task main", "task announce") else "root"
        own = [frame[0] for frame in frames if frame[1] == self.file]
        return None if own == ["<module>"] else "a task's frames under a thread"


class Judgement:
    def __init__(self):
        self.looks = self.given_up = self.tasks = self.wrong_tasks = 0
        self.samples = self.unreadable = self.wrong_samples = self.made = 0
        self.kinds = 0  # of sights, how many different ones
        self.wrong = []


def probe():
    return os.path.join(os.path.dirname(os.path.realpath(harness.tool())), "probes", "task_looks")


def look(target, rules, judgement, looks):
    done = subprocess.run([probe(), str(target.pid), str(looks), str(PAUSE)], stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout.decode("utf-8"))
    judgement.looks, judgement.given_up, judgement.tasks = told["looks"], told["given_up"], told["tasks"]
    judgement.kinds = len(told["sights"])
    for *sight, count in told["sights"]:
        why = rules.wrong_sight(*sight)
        if why:
            judgement.wrong_tasks += count
            judgement.wrong.append("%d times %s: %r" % (count, why, sight))


def record(target, rules, judgement, seconds):
    output = os.path.join(target.folder, "churn.folded")
    result = harness.run_tool("record", "-p", target.pid, "-r", 1000, "-d", seconds, "--lines", "--full-paths", "-f", "folded",
                              "-o", output, timeout=seconds + 60)
    assert result.status == 0, result.stderr
    with open(output, "rb") as file:
        stacks = folded.parse(file.read())
    judgement.samples = folded.total(stacks)
    for stack in stacks:
        why = None if stack.unreadable else rules.wrong_stack(stack)
        judgement.unreadable += stack.count if stack.unreadable else 0
        if why:
            judgement.wrong_samples += stack.count
            judgement.wrong.append("%d samples %s: %s" % (stack.count, why, stack.line))


def judge(target, looks, seconds=None):
    rules, judgement = Rules(target.truth), Judgement()
    before = target.counters()["made"]
    look(target, rules, judgement, looks)
    record(target, rules, judgement, seconds or max(2, looks // 1000))
    judgement.made = target.counters()["made"] - before
    return judgement
