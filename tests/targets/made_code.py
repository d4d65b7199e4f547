"""Burns in turn at the end of stacks that no file holds: code made by exec and by eval, and under an import that runs
through the frozen importlib; and in a constructor, below which a specialized call has a frame of the interpreter's own.

The truth is every such stack, as the burning function itself saw it on its first call: name, file and first line of each
frame, root first; and a counter of the rounds of each.
"""
import importlib
import os
import sys
import tempfile
import time

import truth

KINDS = ("exec", "eval", "nested_exec", "import", "constructor")
BURN_SECONDS = 0.02
MODULE = "made_module"
paths = {}


def burn(kind):
    if kind not in paths:
        frames, frame = [], sys._getframe()
        while frame is not None:
            frames.append(truth.frame_fact(frame.f_code))
            frame = frame.f_back
        paths[kind] = frames[::-1]
    end = time.monotonic() + BURN_SECONDS
    while time.monotonic() < end:
        for _ in range(200):
            pass


def by_exec():
    exec("def inside():\n    burn('exec')\n\n\ninside()", {"burn": burn})


def by_eval():
    eval("(lambda function: function('eval'))(burn)", {"burn": burn})


def by_nested_exec():
    exec(compile("exec(\"class Made:\\n    burn('nested_exec')\")", "<made by größe>", "exec"), {"burn": burn})


def by_import():
    sys.modules.pop(MODULE, None)
    importlib.import_module(MODULE)


class Built:

    def __init__(self, burns):
        if burns:
            burn("constructor")


def by_constructor():
    for number in range(64):  # by the last one the call is specialized, where there is such a thing
        Built(number == 63)


def main():
    options = truth.options()
    shared = truth.counters(options, KINDS)
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, MODULE + ".py"), "w") as file:
            file.write("import __main__\n__main__.burn('import')\n")
        sys.path.insert(0, folder)
        rounds = {"exec": by_exec, "eval": by_eval, "nested_exec": by_nested_exec, "import": by_import,
                  "constructor": by_constructor}
        end = time.monotonic() + options.lifetime
        announced = False
        while time.monotonic() < end:
            for index, kind in enumerate(KINDS):
                rounds[kind]()
                shared.words[index] += 1
            if not announced:
                truth.announce(options, shared, paths=paths)
                announced = True


if __name__ == "__main__":
    main()
