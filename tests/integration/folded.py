"""A strict reader of folded lines: whatever the command line does not promise is an error here."""
import os
import re

UNREADABLE = "[unreadable]"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FRAME = re.compile(r"(?P<name>.*) \((?P<file>.+):(?P<line>\d+)\)", re.DOTALL)
_NATIVE = re.compile(r"(?P<name>.+) \((?P<file>[^()]+|\[\w+\])\)", re.DOTALL)
_MARK = re.compile(r"\[(unreadable|native unreadable|task [^;]+)\]")
_ROOT = re.compile(r"(thread|task|native thread) .+")
NOT_SAMPLED = "[not sampled]"
_PROCESS = re.compile(r"process (?P<pid>[1-9][0-9]*) (?P<name>.+)")


class Frame:
    """One frame: `text` as printed, and its parts where it is a Python frame, or a native one, which has no line."""

    def __init__(self, text):
        python = _FRAME.fullmatch(text)
        parts = python or _NATIVE.fullmatch(text)
        self.text = text
        self.mark = parts is None
        self.native = parts is not None and python is None
        if self.mark and not _MARK.fullmatch(text):
            raise ValueError("no frame: %r" % text)
        self.name = text if self.mark else parts["name"]
        self.file = "" if self.mark else parts["file"]
        self.line = int(parts["line"]) if python else 0

    def where(self):
        """Name, file without its folder, line: what a target's own code object says too."""
        return (self.name, os.path.basename(self.file), self.line)


class Stack:
    def __init__(self, line):
        stack, space, count = line.rpartition(" ")
        if not space or not re.fullmatch(r"[1-9][0-9]*", count):
            raise ValueError("no count at the end: %r" % line)
        if _CONTROL.search(line):
            raise ValueError("a control character: %r" % line)
        process = _PROCESS.fullmatch(stack.partition(";")[0])
        root, *frames = stack.split(";")[1 if process else 0:]
        if not _ROOT.fullmatch(root) and (root != NOT_SAMPLED or frames):
            raise ValueError("no root: %r" % line)
        self.line = line
        self.count = int(count)
        self.root = root
        self.pid = int(process["pid"]) if process else None  # of several processes: what tells them apart
        self.process = process["name"] if process else None
        self.frames = [Frame(frame) for frame in frames]
        self.names = [frame.name for frame in self.frames]
        self.unreadable = UNREADABLE in self.names

    def has(self, name):
        return name in self.names

    def contains(self, names):
        """Whether `names` stand in the stack as consecutive frames."""
        width = len(names)
        return any(self.names[at:at + width] == list(names) for at in range(len(self.names) - width + 1))

    def in_order(self, names):
        """Whether `names` stand in the stack in this order, other frames between them or not."""
        rest = iter(self.names)
        return all(name in rest for name in names)


def parse(data):
    """Bytes of folded output -> [Stack]; ValueError unless they are UTF-8, sorted, distinct and whole lines."""
    text = data.decode("utf-8")
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    lines = text.split("\n")[:-1]
    stacks = [Stack(line) for line in lines]
    keys = [line.rpartition(" ")[0] for line in lines]
    if len(set(keys)) != len(keys):
        raise ValueError("a stack has two lines")
    by_bytes = [key.encode() for key in keys]
    if by_bytes != sorted(by_bytes) and data.split(b"\n")[:-1] != sorted(data.split(b"\n")[:-1]):
        raise ValueError("the lines are not sorted")
    return stacks


def total(stacks):
    return sum(stack.count for stack in stacks)
