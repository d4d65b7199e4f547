"""Keeps random code objects of the standard library alive, and says what each is and on which line each instruction.

The truth is the interpreter's own: co_lines(), or dis.findlinestarts() where there is none (before 3.10).
"""
import dis
import json
import os
import random
import sysconfig
import time
import types

import truth

LEFT_OUT = ("test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "__pycache__")


def sources():
    """Every module of the standard library, as a path."""
    for folder, folders, files in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        yield from (os.path.join(folder, name) for name in sorted(files)
                   if name.endswith(".py") and os.path.isfile(os.path.join(folder, name)))


def nested(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from nested(constant)


def lines(code):
    """The line of each instruction, None where it has none (which 3.11 and later say as 0 of a module's first one)."""
    count = len(code.co_code) // 2
    found = [None] * count
    if hasattr(code, "co_lines"):
        for start, end, line in code.co_lines():
            found[start // 2:end // 2] = [line or None] * (min(end // 2, count) - start // 2)
        return found
    starts = list(dis.findlinestarts(code))
    for (start, line), (end, _) in zip(starts, starts[1:] + [(2 * count, None)]):
        found[start // 2:end // 2] = [line] * (end // 2 - start // 2)
    return found


def choose(generator, wanted):
    """From many modules, so that no big one has most of them."""
    paths = list(sources())
    generator.shuffle(paths)
    kept = []
    for path in paths:
        with open(path, "rb") as file:
            codes = list(nested(compile(file.read(), path, "exec", dont_inherit=True)))
        kept += generator.sample(codes, min(len(codes), 10))
        if len(kept) >= wanted:
            return kept[:wanted]
    return kept


def main():
    options = truth.options(lambda parser: parser.add_argument("--seed", type=int, required=True))
    kept = choose(random.Random(options.seed), 500)
    facts = options.ready + ".codes"
    with open(facts, "w", encoding="utf-8") as file:
        for code in kept:
            function, name, first = truth.frame_fact(code)
            print(json.dumps({"id": id(code), "size": len(code.co_code), "function": function, "file": name,
                              "first_line": first, "lines": lines(code)}), file=file)
    truth.announce(options, codes=facts)
    time.sleep(options.lifetime)
    del kept


if __name__ == "__main__":
    main()
