#!/usr/bin/env python3
"""Prints the hottest stacks of a folded file for a person: share, samples, and the frames, root first.

Below the leaf, runs of frames that belong to packages are drawn as one line, unless --whole is given. Exit status 1 if there is no
stack at all, or if a line is not a folded one.
"""

import argparse
import itertools
import re
import sys
from pathlib import Path

FRAME = re.compile(r"^(?P<name>.+) \((?P<file>[^()]+):(?P<line>\d+)\)$")


def parse(text: str) -> list[tuple[int, list[str]]]:
    stacks = []
    for number, line in enumerate(text.splitlines(), 1):
        stack, _, count = line.rpartition(" ")
        if not stack or not count.isdigit():
            raise ValueError(f"line {number} is not `frame;frame;… COUNT`: {line[:80]!r}")
        stacks.append((int(count), stack.split(";")))
    return sorted(stacks, key=lambda item: (-item[0], item[1]))


def package_of(frame: str, own: tuple[str, ...]) -> str | None:
    """The package that a frame is of, or None for one of the program's own and for all that is no frame in a file."""
    match = FRAME.match(frame)
    if match is None or match["file"].startswith(own):
        return None
    return match["file"].lstrip("/").partition("/")[0].removesuffix(".py")


def draw(frames: list[str], own: tuple[str, ...], whole: bool) -> list[str]:
    lines = []
    *callers, leaf = frames
    for foreign, run in itertools.groupby(callers, lambda frame: not whole and package_of(frame, own) is not None):
        members = list(run)
        if foreign and len(members) > 2:
            packages = dict.fromkeys(package_of(frame, own) for frame in members)
            lines.append(f"… {len(members)} frames of {', '.join(packages)}")
        else:
            lines += members
    return [*lines, leaf]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--own", action="append", default=[], metavar="PREFIX", help="files of the program itself")
    parser.add_argument("--whole", action="store_true", help="every frame")
    arguments = parser.parse_args()

    try:
        stacks = parse(arguments.file.read_text())
    except (OSError, ValueError) as error:
        print(f"hottest: {arguments.file}: {error}", file=sys.stderr)
        return 1
    total = sum(count for count, _ in stacks)
    if total == 0:
        print(f"hottest: {arguments.file} holds no samples", file=sys.stderr)
        return 1
    shown = stacks[: arguments.top]
    for rank, (count, frames) in enumerate(shown, 1):
        print(f"\n{rank:3}. {100 * count / total:5.1f} %   {count} samples")
        for line in draw(frames, tuple(arguments.own), arguments.whole):
            print(f"       {line}")
    share = 100 * sum(count for count, _ in shown) / total
    print(f"\n{len(shown)} of {len(stacks)} distinct stacks, {share:.1f} % of {total} samples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
